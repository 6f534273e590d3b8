import type { Results } from './figures.js'
import { median } from './statistics.js'

const LABELS = 130
const WIDTH = 720
const BAR = 14
const COLOURS = ['#9aa0a6', '#1a73e8', '#8ab4f8', '#e8710a', '#12a4af', '#d93025']

/** A bar for each server in each workload: its requests a second, relative to raw's. */
export function chart({ workloads, servers, figures }: Results): string {
  const parts: string[] = []
  let y = 24
  servers.forEach(({ name }, index) => {
    parts.push(`<rect x="${LABELS + index * 100}" y="6" width="10" height="10" fill="${colour(index)}"/>`, text(LABELS + index * 100 + 14, 15, name))
  })
  for (const workload of workloads) {
    y += 14
    parts.push(`<text x="0" y="${y + 11}" font-weight="bold">${workload.name}</text>`)
    servers.forEach(({ name }, index) => {
      const found = figures.find((it) => it.workload === workload.name && it.server === name)
      if (!found) return
      const ratio = median(found.ratios)
      const width = Math.max(1, Math.min(1, ratio) * (WIDTH - LABELS - 60))
      parts.push(`<rect x="${LABELS}" y="${y}" width="${width.toFixed(1)}" height="${BAR - 3}" fill="${colour(index)}"/>`)
      parts.push(text(LABELS + width + 5, y + 10, ratio.toFixed(ratio < 0.1 ? 3 : 2)))
      y += BAR
    })
  }
  const style = 'font-family="system-ui, sans-serif" font-size="11" fill="#3c4043"'
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 10}" ${style}>
<rect width="100%" height="100%" fill="#fff"/>
${parts.join('\n')}
</svg>
`
}

function text(x: number, y: number, words: string): string {
  return `<text x="${x.toFixed(1)}" y="${y}">${words}</text>`
}

function colour(index: number): string {
  return COLOURS[index] ?? '#000'
}
