import { currentScope, type RequestScope } from './request-scope.js'

/*
 * Long work is done in turns, so that the event loop serves other requests, timers and deadlines in between. Work that may be long asks
 * `isTurnOver` again and again, and awaits `nextTurn` when it is. Requests that wait take turns one after another, however much each of
 * them has to do; the subscriptions of an organisation take turns as if they were one request.
 */

/** How long one turn of the event loop may be kept busy with long work, in milliseconds. */
const TURN_MS = 10

/** When the long work in this turn of the event loop began; undefined before any. */
let startedAt: number | undefined

/** What ends the work of an interrupted request: one for all that waits, because there may be much and making an error takes long. */
const INTERRUPTED = new Error('The request was interrupted.')

/** Whose work takes turns one after another: a request, or all that an organisation's subscriptions have to do, by its id. */
type Line = RequestScope | string | undefined

/** The work that waits for a turn, by line. The line that is served next comes first. */
const waiting = new Map<Line, (() => void)[]>()

/** Whether long work has used up this turn of the event loop. */
export function isTurnOver(): boolean {
  if (startedAt !== undefined) return performance.now() - startedAt > TURN_MS
  startedAt = performance.now()
  setImmediate(endTurn)
  return false
}

/**
 * Resolves in a turn of the event loop that is not over.
 *
 * @param scope of the request that the work is done for
 * @param line in which it waits
 * @throws Error when the request has been interrupted meanwhile, so that its work ends
 */
export async function nextTurn(scope = currentScope(), line: Line = scope): Promise<void> {
  do {
    await new Promise<void>((resolve) => {
      const resolvers = waiting.get(line)
      if (resolvers) resolvers.push(resolve)
      else waiting.set(line, [resolve])
      isTurnOver()
    })
    if (scope?.interruption !== undefined) throw INTERRUPTED
  } while (isTurnOver())
}

/** Makes something of each item, in as many turns as it takes. @throws Error when the request has been interrupted meanwhile */
export async function inTurns<Item, Made>(items: readonly Item[], make: (item: Item) => Made): Promise<Made[]> {
  const made: Made[] = []
  for (const item of items) {
    made.push(make(item))
    if (isTurnOver()) await nextTurn()
  }
  return made
}

/**
 * Calls `run` when the work of the request that can be done now has been done, over as many turns as it takes. A batch that is loaded then
 * is as large as without turns.
 */
export function afterTurns(run: () => void): void {
  const scope = currentScope()
  const runOrWait = () => {
    if (waiting.has(scope)) setImmediate(runOrWait)
    else run()
  }
  void Promise.resolve().then(() => process.nextTick(runOrWait))
}

/** Starts the next turn, if work waits for it: lets the lines go on, one after another, until the turn is over. */
function endTurn(): void {
  startedAt = undefined
  if (waiting.size > 0) void takeTurn()
}

async function takeTurn(): Promise<void> {
  while (!isTurnOver()) {
    const next = waiting.entries().next().value
    if (!next) return
    const [line, resolvers] = next
    waiting.delete(line)
    resolvers.pop()?.()
    if (resolvers.length > 0) waiting.set(line, resolvers)
    // What was resumed runs now, up to where it awaits more than promises that are resolved already.
    await afterMicrotasks()
  }
}

/** Resolves when all promises that are resolved have been heard. Ticks come after microtasks, if they are asked for in one. */
async function afterMicrotasks(): Promise<void> {
  await Promise.resolve()
  await new Promise<void>((resolve) => process.nextTick(resolve))
}
