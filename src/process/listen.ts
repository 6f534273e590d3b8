import { once } from 'node:events'
import type { Server } from 'node:http'
import { StartError } from './start-error.js'

/**
 * Lets a server listen, and answers the port: with port 0 it is any free one.
 *
 * @throws StartError when the port cannot be had.
 */
export async function listen(server: Server, host: string, port: number): Promise<number> {
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (cause) {
    throw new StartError(`Cannot listen on ${host} port ${port}: ${cause instanceof Error ? cause.message : 'unknown'}`, { cause })
  }
  const address = server.address()
  return typeof address === 'object' && address ? address.port : port
}
