// A server as a process of its own that can be killed and started again.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

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

  /** Sends a message to the process, which must listen for some, and resolves with its answer. */
  async ask(message: string): Promise<unknown> {
    const child = this.#child
    if (!child?.connected) throw new Error(`The server has ended: ${this.log}`)
    const settled = new AbortController()
    const answer = Promise.race([once(child, 'message', settled), once(child, 'exit', settled).then(() => [])])
    child.send(message)
    const [value] = z.array(z.unknown()).parse(await answer.finally(() => settled.abort()))
    return value
  }

  /** Starts it and waits until it listens. */
  async start(): Promise<void> {
    const inherited = { PATH: process.env['PATH'], HOME: process.env['HOME'] }
    const child = spawn(process.execPath, this.args, { cwd: root, env: { ...inherited, ...this.env }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    this.#child = child
    const { stdout, stderr } = child
    if (!stdout || !stderr) throw new Error('The server has no output.')
    stderr.on('data', (chunk) => (this.log = (this.log + String(chunk)).slice(-20_000)))
    for await (const line of createInterface(stdout)) {
      const url = /(http:\/\/\S+)$/.exec(line)?.[1]
      if (url === undefined) continue
      this.url = url
      stdout.resume()
      return
    }
    throw new Error(`The server ended before it listened: ${this.log}`)
  }

  /** Ends it with no chance to finish anything. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Ends it in order: its exit code. */
  stop(): Promise<number | null> {
    return this.#end('SIGTERM')
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child
    if (!child) return null
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, 'exit')
      child.kill(signal)
      await exit
    }
    return child.exitCode
  }
}
