import type { Pool } from 'pg'
import pg from 'pg'
import { runOutsideOfRequests } from '../request-scope/request-scope.js'
import type { Logger } from 'pino'

/*
 * Signals that wake subscriptions when a row has changed. A signal is only a hint: the subscription then reads the revisions, so that a
 * lost signal delays an event but does not lose it.
 */

/** How often all subscriptions look for changes and ask for their credentials without a signal, in milliseconds. */
const POLL_INTERVAL_MS = 15_000

export interface ChangeAnnouncer {
  /** Signals that the rows with these ids have changed. To be called after the commit. */
  announce(ids: string[]): void
}

export interface ChangeSignals extends ChangeAnnouncer {
  /** Resolves when the row may have changed, at the next poll, or when `signal` aborts. It never rejects. */
  next(id: string, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** Signals within this process. They suffice for the embedded database, which only one process can open. */
export class LocalChangeSignals implements ChangeSignals {
  readonly #waiting = new Map<string, Set<() => void>>()
  /** There is one for all who wait, so that they look at the same time and share what they read. */
  #polling: NodeJS.Timeout | undefined

  constructor(readonly pollIntervalMs = POLL_INTERVAL_MS) {}

  /** How many calls of `next` are waiting. Tests check with it that subscribers that disconnected leave nothing behind. */
  get waiting(): number {
    return [...this.#waiting.values()].reduce((sum, { size }) => sum + size, 0)
  }

  announce(ids: string[]): void {
    for (const id of ids) for (const wake of this.#waiting.get(id) ?? []) wake()
  }

  /** Wakes all who wait. */
  poll(): void {
    this.announce([...this.#waiting.keys()])
  }

  next(id: string, signal: AbortSignal): Promise<void> {
    const waiting = this.#waiting.get(id) ?? new Set()
    this.#waiting.set(id, waiting)
    return new Promise((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', wake)
        waiting.delete(wake)
        if (waiting.size === 0 && this.#waiting.get(id) === waiting) this.#waiting.delete(id)
        resolve()
      }
      this.#polling ??= setInterval(() => this.poll(), this.pollIntervalMs).unref()
      waiting.add(wake)
      signal.addEventListener('abort', wake)
      if (signal.aborted) wake()
    })
  }

  close(): Promise<void> {
    clearInterval(this.#polling)
    return Promise.resolve()
  }
}

const CHANNEL = 'assessment_gateway_changes'
/** Changes are collected for this long and sent in one notification, because commits with NOTIFY wait for each other. */
const NOTIFY_DELAY_MS = 20
/** The payload of a notification is limited to 8,000 bytes; a UUID and its separator take 37. */
const IDS_PER_NOTIFICATION = 200
const RECONNECT_MS = 1_000

/**
 * Signals between processes, by PostgreSQL's LISTEN and NOTIFY. A NOTIFY in the transaction of a write would make commits wait for each
 * other, so it is sent after the commit, for many changes at once.
 */
export class PostgresChangeSignals implements ChangeSignals {
  readonly #local: LocalChangeSignals
  readonly #pendingIds = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #listener: pg.Client | undefined
  #closed = false

  constructor(
    readonly url: string,
    readonly pool: Pool,
    readonly log: Logger,
    pollIntervalMs = POLL_INTERVAL_MS,
  ) {
    this.#local = new LocalChangeSignals(pollIntervalMs)
  }

  /** Starts to receive the signals of other processes. It reconnects when the connection breaks, and never rejects. */
  async listen(): Promise<void> {
    if (this.#closed) return
    const listener = new pg.Client({ connectionString: this.url, application_name: 'assessment-gateway changes', keepAlive: true })
    this.#listener = listener
    const retry = (error?: Error) => {
      if (this.#listener !== listener || this.#closed) return
      this.#listener = undefined
      this.log.warn({ err: error }, 'changes of other processes are not heard; trying again')
      listener.end().catch(() => {})
      setTimeout(() => void this.listen(), RECONNECT_MS).unref()
    }
    listener.on('error', retry)
    listener.on('end', () => retry())
    listener.on('notification', ({ payload }) => this.#local.announce((payload ?? '').split(',')))
    try {
      await listener.connect()
      await listener.query(`LISTEN ${CHANNEL}`)
    } catch (error) {
      retry(error instanceof Error ? error : undefined)
    }
  }

  announce(ids: string[]): void {
    this.#local.announce(ids)
    for (const id of ids) this.#pendingIds.add(id)
    // Outside of the request's scope, because the notification is sent for many requests and must not end with one.
    this.#timer ??= setTimeout(() => void runOutsideOfRequests(() => this.#notify()), NOTIFY_DELAY_MS)
  }

  async #notify(): Promise<void> {
    const ids = [...this.#pendingIds]
    this.#pendingIds.clear()
    this.#timer = undefined
    try {
      for (let at = 0; at < ids.length; at += IDS_PER_NOTIFICATION) {
        await this.pool.query('SELECT pg_notify($1, $2)', [CHANNEL, ids.slice(at, at + IDS_PER_NOTIFICATION).join()])
      }
    } catch (error) {
      this.log.warn({ err: error }, 'other processes were not told of changes; they will look by themselves')
    }
  }

  next(id: string, signal: AbortSignal): Promise<void> {
    return this.#local.next(id, signal)
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer) {
      clearTimeout(this.#timer)
      await this.#notify()
    }
    await this.#local.close()
    await this.#listener?.end()
  }
}
