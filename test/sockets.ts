// Requests as bytes on a socket, for what no HTTP client would send, and clients that do not read.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A connection to the port of `url`. It reads nothing until somebody listens to it or resumes it; it is closed after the test. */
export async function connectTo(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  onTestFinished(() => void socket.destroy())
  // The server may reset the connection, which the test sees as its end.
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** All that comes until the connection is closed. */
export function readToEnd(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let received = ''
    socket.setEncoding('latin1').on('data', (data: string) => (received += data))
    socket.once('close', () => resolve(received))
  })
}

/** Sends bytes, one for each character: all that comes back until the connection is closed. The client closes it once it is answered. */
export async function talk(url: string, sent: string): Promise<string> {
  const socket = await connectTo(url)
  const received = readToEnd(socket)
  socket.write(sent, 'latin1')
  socket.once('data', () => socket.end())
  return received
}
