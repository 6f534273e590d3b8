import { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import { errorResponse, type HttpResponse } from '../http/http-response.js'
import { clientOf } from '../http/client-address.js'
import type { HttpRequest } from '../http/http-request.js'
import type { Guard } from './guard.js'

export interface RateLimitSettings {
  /** Requests per second and credential; 0: no limit. Each window of a second starts with the first request after the last window. */
  perCredential: number
  /** Requests per second and client address, with any credentials or none; 0: no limit. An IPv6 client is all of its /64. */
  perAddress: number
  /** How many proxies in front of the gateway append to X-Forwarded-For. 0: the header is ignored. */
  trustedProxies: number
  /** A Redis in which several gateways count together. Undefined: each gateway counts alone, in memory. */
  redisUrl: string | undefined
}

const WINDOW_SECONDS = 1

/** Makes the two rate limits. The one by IP address comes before the credential is looked up, the other before the body is read. */
export function createRateLimits({ perCredential, perAddress, trustedProxies, redisUrl }: RateLimitSettings, log: Logger): { byAddress: Guard; byCredential: Guard; close(): void } {
  const redis = redisUrl === undefined ? undefined : connect(redisUrl, log)
  const addresses = limiter('gateway:address', perAddress, redis)
  const credentials = limiter('gateway:credential', perCredential, redis)
  return {
    byAddress({ request }) {
      if (!addresses) return undefined
      const client = clientOfRequest(request, trustedProxies)
      return client === undefined ? undefined : refusal(addresses, client)
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
  // While Redis does not answer, each gateway counts alone.
  return redis ? new RateLimiterRedis({ ...options, storeClient: redis, insuranceLimiter: inMemory }) : inMemory
}

function connect(url: string, log: Logger): Redis {
  const redis = new Redis(url, { enableOfflineQueue: false, maxRetriesPerRequest: 1 })
  redis.on('error', (error: Error) => log.warn({ err: error }, 'Redis does not answer: rate limits hold for this process alone'))
  return redis
}

/** Counts a request. Returns the response that refuses it, or undefined if it is within the limit. */
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

/**
 * The client, as the outermost trusted proxy has seen its address. Entries further left can be forged by the client. Where the proxy has
 * written no address, it is the other end of the connection.
 */
function clientOfRequest({ remoteAddress = '', headers }: HttpRequest, trustedProxies: number): string | undefined {
  const forwarded = trustedProxies > 0 ? headers.get('x-forwarded-for')?.split(',').at(-trustedProxies) : undefined
  return clientOf(forwarded ?? '') ?? clientOf(remoteAddress)
}
