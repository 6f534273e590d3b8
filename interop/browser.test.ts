// GraphiQL as people meet it: in a browser that can reach this gateway and nothing else.
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { z } from 'zod'

const url = inject('gatewayUrl')

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const isInstalled = existsSync(executablePath)
const artefacts = fileURLToPath(new URL('artefacts/', import.meta.url))

if (!isInstalled) test.skip(`GraphiQL is opened in no browser, for there is no ${executablePath}; CHROMIUM can name another one`)

const tabState = z.object({ tabs: z.array(z.object({ operationName: z.string().nullable() })), activeTabIndex: z.number() })

describe.skipIf(!isInstalled)('GraphiQL in a browser', () => {
  let browser: Browser | undefined
  let page: Page
  /** Requests to other hosts, which are not let through, and what the page complains about. */
  const strayRequests: string[] = []
  const complaints: string[] = []

  /** GraphiQL in a browser profile of its own, as another person has it. */
  async function opened(): Promise<Page> {
    if (!browser) throw new Error('The browser has not started.')
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
    context.setDefaultTimeout(20_000)
    await context.route('**', (route) => {
      const requested = route.request().url()
      if (new URL(requested).origin === new URL(url).origin) return route.continue()
      strayRequests.push(requested)
      return route.abort()
    })
    const newPage = await context.newPage()
    newPage.on('pageerror', ({ message }) => complaints.push(message))
    newPage.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    await newPage.goto(url)
    return newPage
  }

  beforeAll(async () => {
    await mkdir(artefacts, { recursive: true })
    browser = await chromium.launch({ executablePath })
    page = await opened()
  })
  afterAll(async () => {
    await browser?.close()
  })

  const picture = (name: string) => page.screenshot({ path: `${artefacts}${name}.png` })
  /** Opens a tab and waits until GraphiQL has noted so, which it does after it has taken in the tab's operation. */
  async function openTab(name: string, on = page): Promise<void> {
    await on.getByRole('tab', { name }).getByRole('button', { name, exact: true }).click()
    const openOperation = async () => {
      const { tabs, activeTabIndex } = tabState.parse(JSON.parse((await on.evaluate(() => localStorage.getItem('graphiql:tabState'))) ?? ''))
      return tabs[activeTabIndex]?.operationName
    }
    await expect.poll(openOperation, { timeout: 20_000 }).toBe(name)
  }
  const execute = (on = page) => on.getByRole('button', { name: 'Execute query' }).click()

  /** Waits until the result pane shows all of these. */
  const resultShows = (...texts: string[]) => resultShowsOn(page, ...texts)
  async function resultShowsOn(on: Page, ...texts: string[]): Promise<void> {
    for (const text of texts) await on.locator('.result-window').filter({ hasText: text }).waitFor()
  }

  test('the first tab works as it is', async () => {
    await execute()
    await resultShows('"name": "Northwind Assurance"', '"totalCount": ')
    await picture('1-first-query')
  })

  test('the demo key is in place', async () => {
    await page.getByRole('button', { name: 'Headers' }).click()
    await page.locator('.graphiql-editor-tool').filter({ hasText: `"apikey": "${inject('credentials').key}"` }).waitFor()
    await picture('2-demo-key')
    await page.getByRole('button', { name: 'Variables' }).click()
  })

  test('a mutation saves, and its second run is a conflict that tells what changed', async () => {
    await openTab('UpdateAssessment')
    await execute()
    await resultShows('"__typename": "UpdateAssessmentSuccess"', '"status": "ACTION_REQUIRED"')
    await picture('3-mutation')
    await execute()
    await resultShows('"__typename": "ConflictError"', '"changedPaths": [', '"__typename": "Assessment"')
    await picture('4-conflict')
  })

  test('a subscription shows what somebody else changes as it happens', async () => {
    await openTab('Watch')
    await execute()
    await resultShows('"assessmentChanged": {')
    const other = await opened()
    await openTab('UpdateAssessment', other)
    await execute(other)
    await resultShowsOn(other, '"__typename": "UpdateAssessmentSuccess"')
    const version = /"version":\s*(\d+)/.exec((await other.locator('.result-window').textContent()) ?? '')?.[1]
    await resultShows(`"version": ${version},`)
    await picture('5-subscription')
    await page.getByRole('button', { name: 'Stop query' }).click()
    await page.getByRole('button', { name: 'Execute query' }).waitFor()
  })

  test('the documentation shows our descriptions', async () => {
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click()
    const pane = page.locator('.graphiql-plugin')
    await pane.getByText('Mutation', { exact: true }).click()
    await pane.getByText('Changes what is sent of an assessment. Needs ASSESSMENTS_WRITE.').waitFor()
    await picture('6-documentation')
  })

  test('nothing was asked of another host, and the page complained of nothing', () => {
    expect(strayRequests).toEqual([])
    expect(complaints).toEqual([])
  })
})
