import { once } from 'node:events'
import type { Server } from 'node:http'
import { isIPv6 } from 'node:net'
import { StartError } from './start-error.js'

/**
 * Lets a server listen. Returns the origin of its URLs, e.g. `http://127.0.0.1:4000`. The system chooses the port when `port` is 0.
 *
 * @throws StartError when the server cannot listen there, e.g. because the port is in use.
 */
export async function listen(server: Server, host: string, port: number): Promise<string> {
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (cause) {
    throw new StartError(`Cannot listen on ${host} port ${port}: ${cause instanceof Error ? cause.message : 'unknown'}`, { cause })
  }
  const address = server.address()
  const listening = typeof address === 'object' && address ? address.port : port
  return `http://${isIPv6(host) ? `[${host}]` : host}:${listening}`
}
