import { hash, randomBytes } from 'node:crypto'

/** A new secret of 256 random bits behind a prefix that tells people, and secret scanners, what it is. */
export function newSecret(prefix: 'agk' | 'ags'): string {
  return `${prefix}_${randomBytes(32).toString('base64url')}`
}

/**
 * What is stored of a secret. With 256 random bits a plain SHA-256 cannot be searched, and looking
 * it up by its hash leaks nothing through timing.
 */
export function hashOf(secret: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hash('sha256', secret, 'buffer'))
}
