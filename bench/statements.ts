import { once } from 'node:events'
import { connect, createServer } from 'node:net'

/** Stands between a server and PostgreSQL and counts the statements that pass. */
export interface Counter {
  /** What the server is given for a database. */
  url: string
  statements: number
  close(): void
}

export async function startCounter(databaseUrl: string): Promise<Counter> {
  const target = new URL(databaseUrl)
  const counter: Counter = { url: '', statements: 0, close: () => proxy.close() }
  const proxy = createServer((client) => {
    const database = connect(Number(target.port || 5432), target.hostname)
    const count = messageReader((type) => {
      if (type === 'Q' || type === 'E') counter.statements += 1
    })
    client.on('data', (chunk: Buffer) => {
      count(chunk)
      database.write(chunk)
    })
    database.on('data', (chunk: Buffer) => client.write(chunk))
    for (const [one, other] of [[client, database], [database, client]] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const address = proxy.address()
  if (address === null || typeof address === 'string') throw new Error('The counter has no port.')
  const url = new URL(databaseUrl)
  url.host = `127.0.0.1:${address.port}`
  counter.url = url.href
  return counter
}

/** Tells the type of each message that a client of PostgreSQL sends: Q is a query, E executes a prepared one. */
function messageReader(seen: (type: string) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  let started = false
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    for (;;) {
      // Only the first message, which starts the session, has no type before its length.
      const prefix = started ? 1 : 0
      if (rest.length < prefix + 4) return
      const length = prefix + rest.readInt32BE(prefix)
      if (rest.length < length) return
      if (started) seen(String.fromCharCode(rest.readUInt8(0)))
      started = true
      rest = rest.subarray(length)
    }
  }
}
