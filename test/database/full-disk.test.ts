// A disk without space, made by mounting one in memory: as the superuser of Linux alone.
import { execFileSync } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { afterTest, startGateway } from '../gateway-process.js'
import { runCommand, temporaryDirectory } from '../processes.js'

const disk = await temporaryDirectory()
const mounted = !('url' in inject('database')) && mount('size=20m')
afterAll(async () => {
  if (mounted) execFileSync('umount', [disk.path])
  await disk.remove()
})

function mount(options: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk.path], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const listed = z.object({
  assessmentLineItems: z.object({ nodes: z.tuple([z.object({ sourcedId: z.string() })]) }),
  users: z.object({ nodes: z.tuple([z.object({ sourcedId: z.string() })]) }),
  assessmentResults: z.object({ totalCount: z.number() }),
})
const LIST = '{ assessmentLineItems(first: 1) { nodes { sourcedId } } users(first: 1) { nodes { sourcedId } } assessmentResults { totalCount } }'
const PUT = 'mutation ($sourcedId: ID!, $input: PutAssessmentResultInput!) { putAssessmentResult(sourcedId: $sourcedId, input: $input) { __typename } }'

test.runIf(mounted)('a full disk refuses a start, then writes, and loses nothing', async () => {
  const env = { DATA_DIR: join(disk.path, 'data') }
  const { code, stdout, stderr } = await runCommand('src/main.js', [], { ...env, PORT: '0' })
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^The embedded database in .+ cannot be opened; its data was left as it is\..+\n$/)

  execFileSync('mount', ['-o', 'remount,size=150m', disk.path])
  const gateway = await startGateway(env).listening()
  const [key = ''] = gateway.keys
  const { assessmentLineItems, users, assessmentResults } = await gateway.dataOf(listed, key, LIST)
  const put = (sourcedId: string) => {
    const input = {
      status: 'ACTIVE',
      assessmentLineItemSourcedId: assessmentLineItems.nodes[0].sourcedId,
      studentSourcedId: users.nodes[0].sourcedId,
      scoreDate: '2026-03-04T10:30:00.000Z',
      scoreStatus: 'SUBMITTED',
      // Random digits, as what repeats is compressed.
      metadata: { digits: Array.from({ length: 3000 }, () => Math.random().toString().slice(2)).join('') },
    }
    return gateway.ask(key, PUT, { sourcedId, input })
  }
  const filling = join(disk.path, 'filling')
  afterTest(() => rm(filling, { force: true }))
  await writeFile(filling, Buffer.alloc(200 * 1024 * 1024)).catch(() => {})
  let written = 0
  let refused: Awaited<ReturnType<typeof put>>['errors']
  for (; !refused && written < 1000; written += refused ? 0 : 1) refused = (await put(`full ${written}`)).errors
  expect(refused).toMatchObject([{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }])
  expect((await gateway.dataOf(listed, key, LIST)).assessmentResults.totalCount).toBe(assessmentResults.totalCount + written)

  await rm(filling)
  expect((await put('with space again')).errors).toBeUndefined()
  expect(await gateway.stop()).toBe(0)
  const again = await startGateway(env).listening()
  expect((await again.dataOf(listed, key, LIST)).assessmentResults.totalCount).toBe(assessmentResults.totalCount + written + 1)
  expect(await again.stop()).toBe(0)
})
