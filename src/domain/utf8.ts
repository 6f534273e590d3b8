/** It fails for bytes that are not UTF-8, instead of replacing them by U+FFFD, and leaves out a byte order mark at the beginning. */
const decoder = new TextDecoder('utf-8', { fatal: true })

/** Decodes UTF-8. @throws TypeError for bytes that are not UTF-8: read otherwise, two texts could become one. */
export function decodeUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}
