import { once } from 'node:events'
import type { Server } from 'node:http'
import { StartError } from './start-error.js'

/**
 * Lets a server listen. Returns its port, which the system chooses when `port` is 0.
 *
 * @throws StartError when the server cannot listen there, e.g. because the port is in use.
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
