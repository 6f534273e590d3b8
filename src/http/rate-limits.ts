import type { IncomingMessage } from 'node:http'
import type { Plugin } from 'graphql-yoga'
import { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import type { Viewer } from '../shared/viewer.js'
import { failure } from './failure.js'

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

/** Counts requests before anything of them is parsed: by address before the credential is looked up, then by credential. */
export function createRateLimits(
  { perCredential, perAddress, trustedProxies, redisUrl }: RateLimitSettings,
  { path, viewers, log }: { path: string; viewers: WeakMap<Request, Viewer>; log: Logger },
): { beforeAuthentication: Plugin<object, { req?: IncomingMessage }>; afterAuthentication: Plugin } {
  const redis = redisUrl === undefined ? undefined : connect(redisUrl, log)
  const addresses = limiter('gateway:address', perAddress, redis)
  const credentials = limiter('gateway:credential', perCredential, redis)
  return {
    beforeAuthentication: {
      async onRequest({ url, serverContext, fetchAPI, endResponse }) {
        const address = serverContext.req && addressOf(serverContext.req, trustedProxies)
        if (url.pathname !== path || !addresses || address === undefined) return
        const waitMs = await excess(addresses, address)
        if (waitMs > 0) endResponse(tooMany(fetchAPI, waitMs))
      },
      onDispose: () => redis?.disconnect(),
    },
    afterAuthentication: {
      async onRequest({ request, fetchAPI, endResponse }) {
        const viewer = viewers.get(request)
        if (!credentials || !viewer) return
        const waitMs = await excess(credentials, `${viewer.organisation.id} ${viewer.actor}`)
        if (waitMs > 0) endResponse(tooMany(fetchAPI, waitMs))
      },
    },
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

/** How many milliseconds the client has to wait; 0 when it may go on. */
async function excess(limiter: RateLimiterAbstract, key: string): Promise<number> {
  try {
    await limiter.consume(key)
    return 0
  } catch (error) {
    if (error instanceof RateLimiterRes) return Math.max(1, error.msBeforeNext)
    throw error
  }
}

function tooMany(fetchAPI: Parameters<typeof failure>[0], waitMs: number): Response {
  const headers = { 'retry-after': String(Math.ceil(waitMs / 1000)) }
  return failure(fetchAPI, 429, 'TOO_MANY_REQUESTS', 'Too many requests in one second. Wait as long as Retry-After says.', headers)
}

/** The client's address: the one that the outermost trusted proxy saw. */
function addressOf(request: IncomingMessage, trustedProxies: number): string | undefined {
  if (trustedProxies === 0) return request.socket.remoteAddress
  const forwarded = [request.headers['x-forwarded-for'] ?? []].flat().join(',').split(',')
  return forwarded.at(-trustedProxies)?.trim() || request.socket.remoteAddress
}
