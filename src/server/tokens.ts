import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from 'jose'

/** How bearer tokens are verified; all of it is required before one is accepted. */
export interface JwtSettings {
  issuer: string
  audience: string
  algorithms: string[]
  key: { jwksUrl: URL } | { secret: Uint8Array }
  organisationClaim: string
  subjectClaim: string
  scopesClaim: string
}

/** Seconds by which the clocks of the issuer and of this machine may differ. */
const CLOCK_TOLERANCE_SECONDS = 5

/** How long the key server is not asked again after it named no such key: rotation shows soon, and nobody can flood it. */
const UNKNOWN_KEY_COOLDOWN_MS = 1_000

/** Answers the claims of a good token; null for any other. */
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

/** False when the key server failed: then nothing is known about the token, and an operator has to hear of it. */
function isFaultOfToken(error: unknown): boolean {
  const faultsOfServer = [errors.JWKSTimeout.code, errors.JWKSInvalid.code, errors.JOSEError.code]
  return error instanceof errors.JOSEError && !faultsOfServer.includes(error.code)
}
