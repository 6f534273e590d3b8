// Connections that PostgreSQL ends, at the moments when least of us hear of it.
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import pg from 'pg'
import { describe, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { openDatabase } from '../../src/database/client.js'
import { afterTest } from '../gateway-process.js'

const place = inject('database')

/** Stands between the gateway and PostgreSQL, and can keep back what PostgreSQL says, to deliver it as one. */
class Proxy {
  #heldBack: Buffer[] | undefined
  #heard = () => {}
  readonly #server: Server

  constructor({ hostname, port }: URL) {
    this.#server = createServer((client) => {
      const server = connect(Number(port || 5432), hostname)
      client.pipe(server)
      server.on('data', (chunk) => this.#deliver(chunk, client))
      server.on('end', () => client.end())
      for (const socket of [client, server]) socket.on('error', () => {})
    })
  }

  async listen(): Promise<number> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
    return z.object({ port: z.number() }).parse(this.#server.address()).port
  }

  #deliver(chunk: Buffer, client: Socket): void {
    if (!this.#heldBack) return void client.write(chunk)
    this.#heldBack.push(chunk)
    this.#heard()
    if (!chunk.includes('57P01')) return
    client.write(Buffer.concat(this.#heldBack))
    this.#heldBack = undefined
  }

  /** From here on nothing is delivered until PostgreSQL ends the connection. Resolves when it has answered a query. */
  async holdBack(): Promise<void> {
    const held: Buffer[] = (this.#heldBack = [])
    await new Promise<void>((resolve) => {
      this.#heard = () => Buffer.concat(held).toString('latin1').endsWith('Z\0\0\0\x05I') && resolve()
    })
  }

  async close(): Promise<void> {
    await once(this.#server.close(), 'close')
  }
}

describe.runIf('url' in place)('a connection that PostgreSQL ends', () => {
  test('just as a transaction waits for it fails nothing: the transaction gets another one', async () => {
    const url = new URL('url' in place ? place.url : '')
    const outside = new pg.Client({ connectionString: url.href })
    await outside.connect()
    afterTest(() => outside.end())
    const proxy = new Proxy(url)
    url.port = `${await proxy.listen()}`
    url.hostname = '127.0.0.1'
    afterTest(() => proxy.close())
    const database = await openDatabase({ url: url.href, poolSize: 1 })
    afterTest(() => database.close())
    const one = () => database.statements.rows('SELECT 1 AS one', [])
    const [backend] = await database.statements.rows<{ pid: number }>('SELECT pg_backend_pid() AS pid', [])

    const answered = proxy.holdBack()
    // As Prisma’s driver sends it: the connection becomes free while what has arrived there is still being read.
    const query = database.pool.query('SELECT 1 AS one')
    const transaction = database.client.$transaction((waiting) => waiting.$queryRaw`SELECT 1`)
    await answered
    await expect.poll(() => database.pool.waiting).toBe(1)
    await outside.query('SELECT pg_terminate_backend($1)', [backend?.pid])
    expect((await query).rows).toEqual([{ one: 1 }])
    expect(await transaction).toHaveLength(1)
    expect(await one()).toEqual([{ one: 1 }])
  })
})
