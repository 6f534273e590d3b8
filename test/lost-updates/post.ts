/** An answer, or `status` 0 when there was none. */
export interface Answer {
  status: number
  body: unknown
  /** Why there is no body. */
  why: string
}

const TIMEOUT_MS = 30_000

/** Sends JSON once: fetch does not repeat a POST. Nothing that goes wrong is thrown. */
export async function post(url: string, headers: Record<string, string>, body: object): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const text = await response.text()
    return text === '' ? { status: response.status, body: null, why: 'an empty body' } : { status: response.status, body: JSON.parse(text), why: '' }
  } catch (error) {
    return { status: 0, body: null, why: String(error) }
  }
}
