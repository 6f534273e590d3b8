// The checker on histories that are right, and on each way in which one can be wrong.
import { describe, expect, test } from 'vitest'
import { type Rule, violationsOf } from './checker.js'
import type { FinalRow, HistoryEvent, Observation, Outcome } from './history.js'

/** A client's write of `value`, from one time to the other. */
function write(value: number, expectedVersion: number | null, [began, ended]: [number, number], outcome: Outcome, actor = 'ann'): HistoryEvent {
  return { kind: 'write', row: 'a', actor, value, expectedVersion, began, ended, outcome }
}
const done = (version: number, value: number): Outcome => ({ is: 'acknowledged', version, value })
const refused = (version: number, value: number): Outcome => ({ is: 'conflict', current: { version, value } })
const failed: Outcome = { is: 'failed' }
const unknown: Outcome = { is: 'unknown', why: 'the connection broke' }
const read = (version: number, value: number | null, [began, ended]: [number, number]): HistoryEvent => ({
  kind: 'read',
  row: 'a',
  began,
  ended,
  seen: { version, value },
})
/** A row whose version 2, 3, ... was written by these actors. */
function final(last: Observation, actors: string[]): FinalRow[] {
  const revisions = ['nobody', ...actors].map((actor, index) => ({ version: index + 1, actor }))
  return [{ row: 'a', first: { version: 1, value: 0 }, last, revisions }]
}

const right: HistoryEvent[] = [
  read(1, 0, [0, 1]),
  write(10, 1, [2, 5], done(2, 10)),
  write(20, 1, [2, 6], refused(2, 10), 'bob'),
  write(30, null, [7, 9], done(3, 30), 'bob'),
  write(40, 3, [10, 12], unknown),
  read(4, 40, [13, 14]),
]
const rightEnd = final({ version: 4, value: 40 }, ['ann', 'bob', 'ann'])

const rulesOf = (events: HistoryEvent[], finals: FinalRow[]): Rule[] => [...new Set(violationsOf(events, finals).map(({ rule }) => rule))]

describe('no violation', () => {
  test('one write after the other, one refused, one of unknown outcome that was done', () => {
    expect(violationsOf(right, rightEnd)).toEqual([])
  })

  test('a write of unknown outcome that was not done', () => {
    expect(violationsOf(right.slice(0, 5), final({ version: 3, value: 30 }, ['ann', 'bob']))).toEqual([])
  })

  test('a row that the first write creates', () => {
    const created: FinalRow = { row: 'a', first: { version: 0, value: null }, last: { version: 1, value: 10 }, revisions: [{ version: 1, actor: 'ann' }] }
    expect(violationsOf([read(0, null, [0, 1]), write(10, 0, [2, 3], done(1, 10))], [created])).toEqual([])
  })

  test('a version between that keeps the value', () => {
    const events = [write(10, 1, [0, 1], done(2, 10)), read(3, 10, [2, 3]), write(20, 3, [4, 5], done(4, 20))]
    const ends = final({ version: 4, value: 20 }, ['ann', 'refresh', 'ann'])
    expect(violationsOf(events, ends, new Set(['refresh']))).toEqual([])
    expect(rulesOf(events, ends)).toContain('one value at two versions')
  })
})

describe('a violation', () => {
  test.each<[Rule, HistoryEvent[], FinalRow[]]>([
    ['two values at one version', [...right, read(4, 30, [15, 16])], rightEnd],
    [
      'two values at one version',
      [write(10, 1, [0, 4], done(2, 10)), write(20, 1, [0, 4], done(2, 20), 'bob')],
      final({ version: 2, value: 20 }, ['ann']),
    ],
    ['one value at two versions', right, final({ version: 5, value: 40 }, ['ann', 'bob', 'ann', 'ann'])],
    ['a value that nobody wrote', [...right, read(4, 99, [15, 16])], rightEnd],
    ['a value that nobody wrote', [...right, read(4, null, [15, 16])], rightEnd],
    [
      'written over another version than the expected one',
      [write(10, 1, [0, 1], done(2, 10)), write(20, 1, [2, 3], done(3, 20))],
      final({ version: 3, value: 20 }, ['ann', 'ann']),
    ],
    ['refused but visible', [write(10, 2, [0, 1], refused(1, 0)), read(2, 10, [2, 3])], final({ version: 2, value: 10 }, ['ann'])],
    ['a revision that no write explains', [write(10, 2, [0, 1], refused(1, 0))], final({ version: 2, value: 10 }, ['ann'])],
    ['refused but visible', [write(10, 1, [0, 1], failed), read(2, 10, [2, 3])], final({ version: 2, value: 10 }, ['ann'])],
    ['a revision that no write explains', [write(10, 1, [0, 1], failed)], final({ version: 2, value: 10 }, ['ann'])],
    ['acknowledged but lost', [write(10, 1, [0, 1], done(2, 10))], final({ version: 1, value: 0 }, [])],
    ['acknowledged but lost', [write(10, 1, [0, 1], done(2, 10))], final({ version: 2, value: 10 }, ['bob'])],
    ['acknowledged with another value', [write(10, 1, [0, 1], done(2, 11))], final({ version: 2, value: 10 }, ['ann'])],
    ['revisions are not the versions', right, final({ version: 4, value: 40 }, ['ann', 'bob'])],
    ['revisions are not the versions', right, final({ version: 4, value: 40 }, ['ann', 'bob', 'ann', 'ann'])],
    ['a revision that no write explains', right.slice(0, 4), final({ version: 4, value: 30 }, ['ann', 'bob', 'ann'])],
    ['a conflict with the expected version itself', [write(10, 1, [0, 1], refused(1, 0))], final({ version: 1, value: 0 }, [])],
    ['went back in time', [...right, read(3, 30, [15, 16])], rightEnd],
    ['went back in time', right, final({ version: 3, value: 30 }, ['ann', 'bob'])],
  ])('%s', (rule, events, finals) => {
    expect(rulesOf(events, finals)).toContain(rule)
  })

  test('one unknown write explains one revision', () => {
    const events = [write(10, null, [0, 1], unknown)]
    expect(rulesOf(events, final({ version: 2, value: 10 }, ['ann']))).toEqual([])
    expect(rulesOf(events, final({ version: 3, value: 10 }, ['ann', 'ann']))).toContain('a revision that no write explains')
  })

  test('what began before another answer came may be older than it', () => {
    const events = [write(10, 1, [0, 5], done(2, 10)), read(1, 0, [4, 6])]
    expect(violationsOf(events, final({ version: 2, value: 10 }, ['ann']))).toEqual([])
  })
})
