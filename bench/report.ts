import { execFileSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { chart } from './chart.js'
import type { Figures, Results } from './figures.js'
import { w8 } from './refresh/measure.js'
import { median, spread } from './statistics.js'
import { w7 } from './workloads/w7.js'

/** Writes results.json, results.md and results.svg. */
export async function writeReport(directory: string, results: Results): Promise<void> {
  const write = (name: string, text: string) => writeFile(join(directory, name), text)
  await mkdir(directory, { recursive: true })
  await write('results.json', `${JSON.stringify(results, null, 2)}\n`)
  await write('results.md', await table(results))
  await write('results.svg', chart(results))
}

async function table(results: Results): Promise<string> {
  const sections = results.workloads.map(({ name, title, repeated, unsteady }) => {
    const rows = results.figures.filter(({ workload }) => workload === name)
    return [
      `## ${name}: ${title}`,
      '',
      '| server | to raw, median (range) | requests/s | CPU µs/request | SQL/request | p50 ms | p99 ms |',
      '|---|---|---|---|---|---|---|',
      ...rows.map(line),
      '',
      ...rows.slice(0, 1).map(({ latencies }) => `p50 and p99 at ${latencies ? latencies.rate.toFixed(latencies.rate < 10 ? 1 : 0) : '–'} requests/s.`),
      ...(repeated > 0 ? [`${repeated} rounds were repeated, as raw had changed by more than 15 % in them.`] : []),
      ...(unsteady > 0 ? [`In ${unsteady} of the ${results.rounds} rounds that count it had changed as much: the machine was too busy for these ratios.`] : []),
      '',
    ]
  })
  const memory = ['## Peak memory', '', '| server | | MiB |', '|---|---|---|', ...results.servers.map((it) => `| ${it.name} | ${it.title} | ${it.peakMemory} |`)]
  return [...(await heading(results)), ...sections.flat(), ...besideTable(results), ...refreshTable(results), ...(results.servers.length > 0 ? memory : []), ''].join('\n')
}

function besideTable({ beside }: Results): string[] {
  if (beside.length === 0) return []
  return [
    `## ${w7.name}: ${w7.title}`,
    '',
    `${w7.rate} requests of ${w7.small.name} a second, while one connection sends ${w7.heavy.name} again and again.`,
    '',
    `| server | p50 ms of ${w7.small.name} | p99 ms of ${w7.small.name} | ${w7.heavy.name}/s |`,
    '|---|---|---|---|',
    ...beside.map(({ server, p50, p99, heavyPerSecond }) => `| ${server} | ${p50.toFixed(1)} | ${p99.toFixed(1)} | ${heavyPerSecond.toFixed(0)} |`),
    '',
  ]
}

function refreshTable({ refresh }: Results): string[] {
  if (!refresh) return []
  const { assessments, ours, sql, statements, peakMemory } = refresh
  const ratios = ours.map((seconds, round) => (sql[round] ?? NaN) / seconds)
  return [
    `## ${w8.name}: ${w8.title}`,
    '',
    `All ${assessments.toLocaleString('en')} assessments, each with questions that the bank has revised or deleted. Both have stored the same.`,
    '',
    '| | to SQL, median (range) | seconds, median (range) | SQL statements | peak memory MiB |',
    '|---|---|---|---|---|',
    `| SQL | 1 | ${spread(sql, 2)} | ${statements.sql} | – |`,
    `| ours | ${spread(ratios, 3)} | ${spread(ours, 2)} | ${statements.ours} | ${peakMemory} |`,
    '',
  ]
}

function line({ server, ratios, perSecond, cpuMicroseconds, statements, latencies }: Figures): string {
  const cells = [
    server,
    server === 'raw' ? '1' : spread(ratios, 3),
    median(perSecond).toFixed(median(perSecond) < 10 ? 1 : 0),
    median(cpuMicroseconds).toFixed(0),
    statements === null ? '–' : String(statements),
    latencies?.p50.toFixed(1) ?? '–',
    latencies?.p99.toFixed(1) ?? '–',
  ]
  return `| ${cells.join(' | ')} |`
}

async function heading({ rounds, seconds, busy, postgres, workloads }: Results): Promise<string[]> {
  const versions = await Promise.all(
    ['pg', 'postgraphile', 'mercurius', 'graphql-jit', '@apollo/server', '@prisma/client', 'graphql'].map(async (name) => `${name} ${await versionOf(name)}`),
  )
  return [
    '# Results',
    '',
    `Made by \`npm run bench\`: ${rounds} rounds of ${seconds} s, medians of the rounds. Load generator, server and PostgreSQL share one machine: compare within a table, not between machines.`,
    '',
    ...machine(busy, postgres),
    `- ${versions.join(', ')}`,
    '',
    ...(workloads.length > 0 ? ['![Requests a second, relative to hand-written SQL](results.svg)', ''] : []),
  ]
}

/**
 * What figures were made on, as items of a list.
 *
 * @param busy the load average before the run
 */
export function machine(busy: number, postgres: string): string[] {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', cwd: import.meta.dirname }).trim()
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  return [
    `- ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, ${memory}, load average ${busy.toFixed(1)} before the run`,
    `- Node ${process.versions.node}, ${postgres}, commit ${commit}`,
  ]
}

async function versionOf(name: string): Promise<string> {
  const file = new URL(`node_modules/${name}/package.json`, import.meta.url)
  return z.object({ version: z.string() }).parse(JSON.parse(await readFile(file, 'utf8'))).version
}
