// GraphiQL as people meet it: in a browser that can reach this gateway and nothing else.
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { dataOf } from './client.js'

const url = inject('gatewayUrl')
const headers = { apikey: inject('credentials').key }

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const isInstalled = existsSync(executablePath)
const artefacts = fileURLToPath(new URL('artefacts/', import.meta.url))

if (!isInstalled) test.skip(`GraphiQL is opened in no browser, for there is no ${executablePath}; CHROMIUM can name another one`)

const firstAssessment = z.object({ assessments: z.object({ nodes: z.tuple([z.object({ id: z.string(), version: z.number() })]) }) })

describe.skipIf(!isInstalled)('GraphiQL in a browser', () => {
  let browser: Browser | undefined
  let page: Page
  /** Requests to other hosts, which are not let through, and what the page complains about. */
  const strayRequests: string[] = []
  const complaints: string[] = []

  beforeAll(async () => {
    await mkdir(artefacts, { recursive: true })
    browser = await chromium.launch({ executablePath })
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
    context.setDefaultTimeout(20_000)
    await context.route('**', (route) => {
      const requested = route.request().url()
      if (new URL(requested).origin === new URL(url).origin) return route.continue()
      strayRequests.push(requested)
      return route.abort()
    })
    page = await context.newPage()
    page.on('pageerror', ({ message }) => complaints.push(message))
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    await page.goto(url)
  })
  afterAll(async () => {
    await browser?.close()
  })

  const picture = (name: string) => page.screenshot({ path: `${artefacts}${name}.png` })
  const openTab = (name: string) => page.getByRole('tab', { name }).getByRole('button', { name, exact: true }).click()
  const execute = () => page.getByRole('button', { name: 'Execute query' }).click()

  /** Waits until the result pane shows all of these. */
  async function resultShows(...texts: string[]): Promise<void> {
    for (const text of texts) await page.locator('.result-window').filter({ hasText: text }).waitFor()
  }

  test('the first tab works as it is', async () => {
    await execute()
    await resultShows('"name": "Northwind Assurance"', '"totalCount": ')
    await picture('1-first-query')
  })

  test('a mutation saves, and its second run is a conflict that tells what changed', async () => {
    await openTab('UpdateAssessment')
    await execute()
    await resultShows('"__typename": "UpdateAssessmentSuccess"', '"status": "ACTION_REQUIRED"')
    await picture('2-mutation')
    await execute()
    await resultShows('"__typename": "ConflictError"', '"changedPaths": [', '"__typename": "Assessment"')
    await picture('3-conflict')
  })

  test('a subscription shows a change as it happens', async () => {
    const { assessments } = await dataOf(firstAssessment, url, headers, '{ assessments(first: 1) { nodes { id version } } }')
    const [{ id, version }] = assessments.nodes
    await page.getByRole('button', { name: 'New tab' }).click()
    await page.locator('.graphiql-query-editor .view-lines').click()
    await page.keyboard.press('ControlOrMeta+A')
    await page.keyboard.insertText(`subscription Watch { assessmentChanged(id: "${id}") { version changedPaths assessment { progress } } }`)
    const isStream = page.waitForResponse((response) => response.headers()['content-type']?.startsWith('text/event-stream') ?? false)
    await execute()
    await isStream
    await dataOf(
      z.object({ updateAssessment: z.object({ __typename: z.literal('UpdateAssessmentSuccess') }) }),
      url,
      headers,
      'mutation ($id: ID!) { updateAssessment(id: $id, input: { progress: 77 }) { __typename } }',
      { id },
    )
    await resultShows(`"version": ${version + 1}`, '"progress": 77')
    await picture('4-subscription')
    await page.getByRole('button', { name: 'Stop query' }).click()
  })

  test('the documentation shows our descriptions', async () => {
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click()
    const pane = page.locator('.graphiql-plugin')
    await pane.getByText('Mutation', { exact: true }).click()
    await pane.getByText('Changes what is sent of an assessment. Needs ASSESSMENTS_WRITE.').waitFor()
    await picture('5-documentation')
  })

  test('nothing was asked of another host, and the page complained of nothing', () => {
    expect(strayRequests).toEqual([])
    expect(complaints).toEqual([])
  })
})
