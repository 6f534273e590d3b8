/** What the benchmark tells a server by its environment. */
export const DATABASE_URL = needed('DATABASE_URL')
export const POOL_SIZE = Number(needed('DATABASE_POOL_SIZE'))
/** Every statement is bound to it, as the gateway binds its own. */
export const ORGANISATION_ID = needed('ORGANISATION_ID')

/** Tells the benchmark where the server listens. */
export function announce(url: string): void {
  process.stdout.write(`${url}\n`)
}

function needed(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set.`)
  return value
}
