// A server as a process of its own that can be killed and started again.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

export class RestartableServer {
  /** Where it listens; another port after each start. */
  url = ''
  /** The end of what it has written to standard error. */
  log = ''
  #child: ChildProcess | undefined

  /** `args`: for Node. The server prints its URL as the last word of a line. */
  constructor(
    readonly args: string[],
    readonly env: Record<string, string>,
  ) {}

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Starts it and waits until it listens. */
  async start(): Promise<void> {
    const inherited = { PATH: process.env['PATH'], HOME: process.env['HOME'] }
    const child = spawn(process.execPath, this.args, { cwd: root, env: { ...inherited, ...this.env }, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    child.stderr.on('data', (chunk) => (this.log = (this.log + String(chunk)).slice(-20_000)))
    for await (const line of createInterface(child.stdout)) {
      const url = /(http:\/\/\S+)$/.exec(line)?.[1]
      if (url === undefined) continue
      this.url = url
      child.stdout.resume()
      return
    }
    throw new Error(`The server ended before it listened: ${this.log}`)
  }

  /** Ends it with no chance to finish anything. */
  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill(signal)
    await exit
  }
}
