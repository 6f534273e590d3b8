import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from 'jose'
import { LRUCache } from 'lru-cache'
import type { Logger } from 'pino'
import { KeySetError, type KeySetSettings, remoteKeySet } from './key-set.js'

/** How bearer tokens are verified. A token must match the issuer, the audience, the algorithms and the key. */
export interface JwtSettings {
  issuer: string
  audience: string
  algorithms: string[]
  /** Where the public keys are published, or the shared secret of the HS* algorithms. */
  key: KeySetSettings | { secret: Uint8Array }
  /** The claim that holds the id of the organisation. */
  organisationClaim: string
  subjectClaim: string
  scopesClaim: string
}

export interface TokenOptions extends JwtSettings {
  log: Logger
}

/** Seconds by which the clocks of the issuer and of this machine may differ. */
const CLOCK_TOLERANCE_SECONDS = 5

/** How long the log is silent about a key that cannot be used, after it has told of it. */
const UNUSABLE_KEY_SILENCE_MS = 60_000

/**
 * Returns a function that resolves to the claims of a token, or to null for a token that is not valid. The log is told where a token is
 * refused because of its key, such as one that is too short, as the issuer has to mend that.
 *
 * The function rejects with KeySetError when the keys cannot be had: the token may be valid then.
 */
export function tokenVerifier({ issuer, audience, algorithms, key, log }: TokenOptions): (token: string) => Promise<JWTPayload | null> {
  const options = { issuer, audience, algorithms, requiredClaims: ['exp'], clockTolerance: CLOCK_TOLERANCE_SECONDS }
  const keyOf: JWTVerifyGetKey = 'secret' in key ? () => key.secret : remoteKeySet(key, log)
  const told = new LRUCache<string, true>({ max: 1_000, ttl: UNUSABLE_KEY_SILENCE_MS })
  const tell = (error: unknown, kid = '') => {
    if (told.has(kid)) return
    told.set(kid, true)
    log.warn({ err: error, kid }, 'a key of the JSON Web Key Set cannot be used: tokens that it signs are refused')
  }
  return async (token) => {
    try {
      return (await jwtVerify(token, keyOf, options)).payload
    } catch (error) {
      if (error instanceof KeySetError) throw error
      if (!isFaultOfToken(error)) tell(error, decodeProtectedHeader(token).kid)
      return null
    }
  }
}

/** False when it is the fault of the key that the token names. Then jose passes on the error of the library that has to use the key. */
function isFaultOfToken(error: unknown): boolean {
  return error instanceof errors.JOSEError && !(error instanceof errors.JWKSInvalid)
}
