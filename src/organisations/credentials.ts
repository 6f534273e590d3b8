import { hash, randomBytes } from 'node:crypto'

/** Makes a secret of 256 random bits. The prefix tells people and secret scanners whether it is a key (agk) or a session token (ags). */
export function newSecret(prefix: 'agk' | 'ags'): string {
  return `${prefix}_${randomBytes(32).toString('base64url')}`
}

/**
 * The hash of a secret, which is stored instead of it. SHA-256 without a salt is enough, because nobody can guess 256 random bits. Looking
 * a secret up by its hash reveals nothing about it through timing.
 */
export function hashOf(secret: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hash('sha256', secret, 'buffer'))
}
