import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from 'jose'

/** How bearer tokens are verified. A token must match the issuer, the audience, the algorithms and the key. */
export interface JwtSettings {
  issuer: string
  audience: string
  algorithms: string[]
  /** Where the public keys are published, or the shared secret of the HS* algorithms. */
  key: { jwksUrl: URL } | { secret: Uint8Array }
  /** The claim that holds the id of the organisation. */
  organisationClaim: string
  subjectClaim: string
  scopesClaim: string
}

/** Seconds by which the clocks of the issuer and of this machine may differ. */
const CLOCK_TOLERANCE_SECONDS = 5

/**
 * How long the JWKS is not fetched again, even if a token names an unknown key. Short enough that new keys are soon accepted, and long
 * enough that tokens with invented keys cannot flood the issuer's server.
 */
const UNKNOWN_KEY_COOLDOWN_MS = 1_000

/**
 * Returns a function that resolves to the claims of a token, or to null for a token that is not valid. It rejects when the JWKS
 * cannot be fetched.
 */
export function tokenVerifier({ issuer, audience, algorithms, key }: JwtSettings): (token: string) => Promise<JWTPayload | null> {
  const options = { issuer, audience, algorithms, requiredClaims: ['exp'], clockTolerance: CLOCK_TOLERANCE_SECONDS }
  const keyOf: JWTVerifyGetKey =
    'secret' in key ? () => key.secret : createRemoteJWKSet(key.jwksUrl, { cooldownDuration: UNKNOWN_KEY_COOLDOWN_MS })
  return async (token) => {
    try {
      return (await jwtVerify(token, keyOf, options)).payload
    } catch (error) {
      if (isFaultOfToken(error)) return null
      throw error
    }
  }
}

/** False when the JWKS could not be fetched or read: the token may be valid then, and the error has to reach the log. */
function isFaultOfToken(error: unknown): boolean {
  const faultsOfServer = [errors.JWKSTimeout.code, errors.JWKSInvalid.code, errors.JOSEError.code]
  return error instanceof errors.JOSEError && !faultsOfServer.includes(error.code)
}
