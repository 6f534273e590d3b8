import { createRemoteJWKSet, customFetch, type FetchImplementation, type JWTVerifyGetKey } from 'jose'
import type { Logger } from 'pino'
import { z } from 'zod'

/** The keys of the tokens' issuer are not known, or not any more, and cannot be fetched: a token may be valid or not. */
export class KeySetError extends Error {}

export interface KeySetSettings {
  /** Where the issuer publishes its keys, as a JSON Web Key Set. */
  jwksUrl: URL
  /** How old the keys may become while they cannot be fetched again, in milliseconds. */
  maximumAgeMs: number
}

/** How old keys are fetched again. Until they have come, and where they do not come, the old ones are used. */
const FRESH_MS = 600_000
/** How long the issuer's server may take to answer. */
const FETCH_TIMEOUT_MS = 3_000
/** How long it is not asked again after it has failed: who needs a new key until then is refused at once. */
export const RETRY_AFTER_SECONDS = 5
/**
 * How long keys are not fetched again because a token names an unknown one. Short enough that new keys are soon accepted, and long enough that
 * tokens with invented keys cannot flood the issuer's server.
 */
const UNKNOWN_KEY_COOLDOWN_MS = 1_000
/** How long the log is silent about a server that fails, after it has told of it. */
const SILENCE_MS = 60_000

/**
 * Finds the key of a token among those that its issuer publishes. They are fetched when one is needed, again when a token names an unknown
 * one, and every ten minutes without a token waiting for it.
 *
 * The function that is returned rejects with KeySetError when it needs keys that cannot be fetched.
 */
export function remoteKeySet({ jwksUrl, maximumAgeMs }: KeySetSettings, log: Logger): JWTVerifyGetKey {
  let fetchedAt = -Infinity
  let failure: { at: number; error: KeySetError } | undefined
  let toldAt = -Infinity
  const fetchKeys: FetchImplementation = async (url, options) => {
    const now = Date.now()
    if (failure && now - failure.at < RETRY_AFTER_SECONDS * 1_000) throw failure.error
    try {
      const response = await fetch(url, options)
      if (response.status !== 200) throw new Error(`The status is ${response.status}.`)
      const keys = keySet.parse(await response.json())
      fetchedAt = Date.now()
      failure = undefined
      return Response.json(keys)
    } catch (cause) {
      failure = { at: Date.now(), error: new KeySetError('The JSON Web Key Set cannot be fetched from JWT_JWKS_URL.', { cause }) }
      if (failure.at - toldAt >= SILENCE_MS) {
        toldAt = failure.at
        log.warn({ err: failure.error, keysFetchedAt: Number.isFinite(fetchedAt) ? new Date(fetchedAt) : null }, 'the keys of the tokens’ issuer cannot be fetched')
      }
      throw failure.error
    }
  }
  const keys = createRemoteJWKSet(jwksUrl, {
    // Their age is looked at here: jose would let each token wait for new keys, and refuse it without.
    cacheMaxAge: Infinity,
    cooldownDuration: UNKNOWN_KEY_COOLDOWN_MS,
    timeoutDuration: FETCH_TIMEOUT_MS,
    [customFetch]: fetchKeys,
  })
  return async (header, token) => {
    const age = Date.now() - fetchedAt
    if (age >= maximumAgeMs) await keys.reload()
    // What fails is logged, and tried again by the next token.
    else if (age >= FRESH_MS) keys.reload().catch(() => {})
    return keys(header, token)
  }
}

const keySet = z.object({ keys: z.array(z.looseObject({})) })
