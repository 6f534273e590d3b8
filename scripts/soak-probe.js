// Loaded into the server by scripts/soak.ts, before its own code: answers each message with how
// much memory there is in use, `collected` after what nobody needs any more is gone.
import process from 'node:process'

process.on('message', (message) => {
  if (message === 'collected') globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  process.send?.({ rss, heapUsed })
})
// The server ends when it has nothing to do, asked or not.
process.channel?.unref()
