import { randomUUID } from 'node:crypto'
import type { Pool } from 'pg'
import pg from 'pg'
import { runOutsideOfRequests } from '../request-scope/request-scope.js'
import { nextTurn } from '../request-scope/turns.js'
import type { Logger } from 'pino'

/*
 * Signals that wake subscriptions when a row has changed. A signal is only a hint: the subscription then reads the revisions, so that a
 * lost signal delays an event but does not lose it.
 */

/** How often all subscriptions look for changes without a signal, in milliseconds. */
const POLL_INTERVAL_MS = 15_000
/** How many rows are signalled together then: those who follow them look at the same time, by one statement. */
const ROWS_PER_TURN = 100

export interface ChangeAnnouncer {
  /** Signals that the rows with these ids have changed. To be called after the commit. */
  announce(ids: string[]): void
}

export interface ChangeSignals extends ChangeAnnouncer {
  /** Calls `hear` each time that the row may have changed, and at each poll, until the function that it returns is called. */
  follow(id: string, hear: () => void): () => void
  close(): Promise<void>
}

/** Signals within this process. They suffice for the embedded database, which only one process can open. */
export class LocalChangeSignals implements ChangeSignals {
  /** Those who follow, by row. */
  readonly #followers = new Map<string, Set<() => void>>()
  /** There is one for all, and only while somebody follows. */
  #polling: NodeJS.Timeout | undefined

  constructor(readonly pollIntervalMs = POLL_INTERVAL_MS) {}

  /** How many follow. Tests check with it that subscribers that disconnected leave nothing behind. */
  get following(): number {
    return [...this.#followers.values()].reduce((sum, { size }) => sum + size, 0)
  }

  announce(ids: string[]): void {
    for (const id of ids) for (const hear of this.#followers.get(id) ?? []) hear()
  }

  follow(id: string, hear: () => void): () => void {
    const ofRow = this.#followers.get(id) ?? new Set()
    this.#followers.set(id, ofRow)
    ofRow.add(hear)
    this.#polling ??= setInterval(() => void runOutsideOfRequests(() => this.#poll()), this.pollIntervalMs)
    return () => {
      ofRow.delete(hear)
      if (ofRow.size > 0 || this.#followers.get(id) !== ofRow) return
      this.#followers.delete(id)
      if (this.#followers.size > 0) return
      clearInterval(this.#polling)
      this.#polling = undefined
    }
  }

  /** Signals all rows, in turns of the event loop. */
  async #poll(): Promise<void> {
    const ids = [...this.#followers.keys()]
    for (let at = 0; at < ids.length; at += ROWS_PER_TURN) {
      if (at > 0) await nextTurn()
      this.announce(ids.slice(at, at + ROWS_PER_TURN))
    }
  }

  close(): Promise<void> {
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
  /** What this process is called in its notifications. */
  readonly #name = randomUUID()
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
    listener.on('notification', ({ payload }) => {
      const ids = (payload ?? '').split(',')
      // The changes of this process have been announced already.
      if (!ids.includes(this.#name)) this.#local.announce(ids)
    })
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
        await this.pool.query('SELECT pg_notify($1, $2)', [CHANNEL, [this.#name, ...ids.slice(at, at + IDS_PER_NOTIFICATION)].join()])
      }
    } catch (error) {
      this.log.warn({ err: error }, 'other processes were not told of changes; they will look by themselves')
    }
  }

  follow(id: string, hear: () => void): () => void {
    return this.#local.follow(id, hear)
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer) {
      clearTimeout(this.#timer)
      await this.#notify()
    }
    await this.#listener?.end()
  }
}
