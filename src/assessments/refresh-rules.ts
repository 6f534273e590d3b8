import { z } from 'zod'
import { expectedVersion } from '../domain/validation.js'
import { type BankQuestion, poolKey, type Question, type Section, snapshot } from './rules.js'

/* ---- input ------------------------------------------------------------------------------------- */

/** One of digits alone is an oid. */
export const isOid = (id: string) => /^\d+$/.test(id)
/** What an id is compared by: oids as numbers, UUIDs in lower case. */
export const idKey = (id: string) => (isOid(id) ? String(Number(id)) : id.toLowerCase())

export const refreshInput = z
  .object({
    assessmentIds: z.array(z.string()).nullish(),
    expectedVersions: z
      .array(z.object({ id: z.string(), expectedVersion: expectedVersion.unwrap().unwrap() }))
      .nullish(),
  })
  .superRefine(({ assessmentIds, expectedVersions }, context) => {
    const selected = new Set(assessmentIds?.map(idKey))
    const seen = new Set<string>()
    for (const [index, { id: sent }] of (expectedVersions ?? []).entries()) {
      const id = idKey(sent)
      const path = ['expectedVersions', index, 'id']
      if (seen.has(id)) context.addIssue({ code: 'custom', path, message: 'This assessment is named twice.', params: { code: 'DUPLICATE' } })
      seen.add(id)
      // Whether an oid and a UUID are the same assessment only the database knows.
      const comparable = selected.size > 0 && ![id, ...selected].some(isOid)
      if (comparable && !selected.has(id)) {
        context.addIssue({ code: 'custom', path, message: 'This assessment is not selected.', params: { code: 'UNKNOWN' } })
      }
    }
  })

/* ---- one assessment ---------------------------------------------------------------------------- */

/** What the bank knows of a question that an assessment holds. */
export interface BankEntry extends BankQuestion {
  deleted: boolean
}

export interface Bank {
  entries: ReadonlyMap<number, BankEntry>
  /** The live questions of each pool, ascending by qid. */
  pools: ReadonlyMap<string, BankQuestion[]>
}

export interface Refresh {
  sections: Section[]
  totalQuestions: number
  refreshedQids: number[]
  replacements: { oldQid: number; newQid: number }[]
  replacementFailures: { qid: number; sectionIndex: number; questionIndex: number; reason: string }[]
}

/** Whether the bank has deleted the question, so that it wants a replacement. */
export function isDeleted(question: Question, entries: Bank['entries']): boolean {
  return entries.get(question.qid)?.deleted ?? true
}

/**
 * Brings the snapshots of an assessment up to date with the bank. A deleted question is replaced by
 * the free one of its pool with the lowest qid; where there is none, it stays.
 */
export function refreshSections(stored: Section[], bank: Bank, newId: () => string): Refresh {
  const held = new Set(stored.flatMap(({ questions }) => questions.map(({ qid }) => qid)))
  const result: Refresh = { sections: [], totalQuestions: 0, refreshedQids: [], replacements: [], replacementFailures: [] }
  for (const [sectionIndex, section] of stored.entries()) {
    const questions = section.questions.map((question, questionIndex) => {
      result.totalQuestions += 1
      const entry = bank.entries.get(question.qid)
      if (entry && !entry.deleted) {
        if (entry.revision <= question.revision) return question
        result.refreshedQids.push(question.qid)
        return renewed(question, entry)
      }
      const alternative = bank.pools.get(poolKey(question))?.find(({ qid }) => !held.has(qid))
      if (!alternative) {
        const reason = `The bank has no other live question of topic "${question.topic}" and difficulty ${question.difficulty}.`
        result.replacementFailures.push({ qid: question.qid, sectionIndex, questionIndex, reason })
        return question
      }
      held.add(alternative.qid)
      result.replacements.push({ oldQid: question.qid, newQid: alternative.qid })
      return snapshot(alternative, newId())
    })
    result.sections.push({ ...section, questions })
  }
  return result
}

/** The snapshot with the bank's newer revision; an answer whose option is gone is cleared. */
function renewed(question: Question, entry: BankEntry): Question {
  const answerKey = entry.options.some(({ key }) => key === question.answerKey) ? question.answerKey : null
  return { ...snapshot(entry, question.id), answerKey }
}
