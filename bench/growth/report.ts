import { cpus } from 'node:os'
import { machine } from '../report.js'
import { median, spread } from '../statistics.js'
import type { MemorySample } from './memory.js'
import type { PairFigures } from './pair.js'
import type { Duration, WorkloadGrowth } from './sizes.js'

export interface Growth {
  duration: Duration
  /** The load average before the run: what else the machine was doing. */
  busy: number
  postgres: string
  workloads: WorkloadGrowth[]
  /** How many assessments there were while memory and pair were measured. */
  assessments: number
  memory: MemorySample[]
  pair: PairFigures | null
}

/** The text of growth.md. */
export function growthReport({ duration: { rounds, seconds }, busy, postgres, workloads, assessments, memory, pair }: Growth): string {
  return [
    '# Growth',
    '',
    `Made by \`npm run growth\`: the gateway alone, ${rounds} rounds of ${seconds} s, median and range of the rounds. Each assessment has 5 questions, 5 revisions and 10 results. Load generator, gateways and PostgreSQL share one machine: compare within a table.`,
    '',
    ...machine(busy, postgres),
    '',
    ...workloads.flatMap(workloadTable),
    ...memoryTable(memory, assessments),
    ...pairTable(pair, assessments),
  ].join('\n')
}

function workloadTable({ name, title, connections, rate, sizes }: WorkloadGrowth): string[] {
  const smallest = median(sizes[0]?.cpuMicroseconds ?? [])
  return [
    `## ${name}: ${title}`,
    '',
    '| assessments | requests/s | CPU µs/request | CPU, to the first | p50 ms |',
    '|---|---|---|---|---|',
    ...sizes.map(({ assessments, perSecond, cpuMicroseconds, p50 }) => {
      const cells = [number(assessments), spread(perSecond, 0), spread(cpuMicroseconds, 0), (median(cpuMicroseconds) / smallest).toFixed(2), p50.toFixed(1)]
      return `| ${cells.join(' | ')} |`
    }),
    '',
    `A closed loop of ${connections} connections; p50 at ${rate.toFixed(0)} requests/s.`,
    '',
  ]
}

function memoryTable(samples: MemorySample[], assessments: number): string[] {
  if (samples.length === 0) return []
  return [
    '## Memory under documents that are never sent twice',
    '',
    `W6 on ${number(assessments)} assessments, a closed loop without a pause.`,
    '',
    '| seconds | requests | resident MiB | heap MiB | heap after a collection MiB |',
    '|---|---|---|---|---|',
    ...samples.map(({ seconds, requests, resident, heap, collected }) => {
      const cells = [number(seconds), number(requests), resident.toFixed(0), heap.toFixed(0), collected === null ? '' : collected.toFixed(1)]
      return `| ${cells.join(' | ')} |`
    }),
    '',
  ]
}

function pairTable(pair: PairFigures | null, assessments: number): string[] {
  if (!pair) return []
  const ratios = pair.two.map((perSecond, round) => perSecond / (pair.one[round] ?? NaN))
  return [
    '## Two processes on one database',
    '',
    `W1 on ${number(assessments)} assessments, with as many connections in all. The machine has ${cpus().length} processors, which load generator and PostgreSQL share with the gateways: what a second process could do on processors of its own cannot be seen where these are busy.`,
    '',
    '| processes | requests/s | to one |',
    '|---|---|---|',
    `| 1 | ${spread(pair.one, 0)} | 1 |`,
    `| 2 | ${spread(pair.two, 0)} | ${spread(ratios, 2)} |`,
    '',
  ]
}

function number(value: number): string {
  return value.toLocaleString('en')
}
