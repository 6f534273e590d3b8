import { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import { errorResponse, type HttpResponse } from '../http/answer.js'
import type { HttpRequest } from '../http/http-request.js'
import type { Guard } from './guard.js'

export interface RateLimitSettings {
  /** Requests that one credential may send in a second; 0: any number. A second begins with the first request after the last one. */
  perCredential: number
  /** Requests that one address may send in a second, whatever credentials they carry; 0: any number. */
  perAddress: number
  /** How many proxies in front of the gateway add to X-Forwarded-For. */
  trustedProxies: number
  /** Where several gateways count together; left out, each counts for itself. */
  redisUrl: string | undefined
}

const WINDOW_SECONDS = 1

/** Count requests before anything of them is parsed: by address before the credential is looked up, then by credential. */
export function createRateLimits({ perCredential, perAddress, trustedProxies, redisUrl }: RateLimitSettings, log: Logger): { byAddress: Guard; byCredential: Guard; close(): void } {
  const redis = redisUrl === undefined ? undefined : connect(redisUrl, log)
  const addresses = limiter('gateway:address', perAddress, redis)
  const credentials = limiter('gateway:credential', perCredential, redis)
  return {
    byAddress({ request }) {
      const address = addressOf(request, trustedProxies)
      return addresses && address !== undefined ? refusal(addresses, address) : undefined
    },
    byCredential({ viewer }) {
      return credentials && viewer && refusal(credentials, `${viewer.organisation.id} ${viewer.actor}`)
    },
    close: () => redis?.disconnect(),
  }
}

function limiter(keyPrefix: string, points: number, redis: Redis | undefined): RateLimiterAbstract | undefined {
  if (points === 0) return undefined
  const options = { keyPrefix, points, duration: WINDOW_SECONDS }
  const inMemory = new RateLimiterMemory(options)
  // While Redis is away, each gateway counts for itself.
  return redis ? new RateLimiterRedis({ ...options, storeClient: redis, insuranceLimiter: inMemory }) : inMemory
}

function connect(url: string, log: Logger): Redis {
  const redis = new Redis(url, { enableOfflineQueue: false, maxRetriesPerRequest: 1 })
  redis.on('error', (error: Error) => log.warn({ err: error }, 'Redis does not answer: rate limits hold for this process alone'))
  return redis
}

/** How a request beyond the limit is refused; undefined when it may go on. */
async function refusal(limiter: RateLimiterAbstract, key: string): Promise<HttpResponse | undefined> {
  try {
    await limiter.consume(key)
    return undefined
  } catch (error) {
    if (!(error instanceof RateLimiterRes)) throw error
    const headers = { 'retry-after': String(Math.ceil(Math.max(1, error.msBeforeNext) / 1000)) }
    return errorResponse(429, 'TOO_MANY_REQUESTS', 'Too many requests in one second. Wait as long as Retry-After says.', headers)
  }
}

/** The client's address: the one that the outermost trusted proxy saw. */
function addressOf({ remoteAddress, headers }: HttpRequest, trustedProxies: number): string | undefined {
  if (trustedProxies === 0 || remoteAddress === undefined) return remoteAddress
  return headers.get('x-forwarded-for')?.split(',').at(-trustedProxies)?.trim() || remoteAddress
}
