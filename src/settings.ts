import { z } from 'zod'
import type { Limits } from './server/pipeline.js'
import type { StartSettings } from './server/start.js'
import type { JwtSettings } from './server/tokens.js'
import { StartError } from './process/start-error.js'

/** The signature algorithms that JWT_ALGORITHMS may name. `none` is left out: it would accept unsigned tokens. */
const algorithms = z.enum([
  'HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA',
])
const integer = (min: number, max: number) =>
  z.string().regex(/^\d+$/, 'a whole number is needed').transform(Number).pipe(z.number().min(min).max(max))
const boolean = z.enum(['true', 'false']).transform((value) => value === 'true')
const list = z.string().transform((value) => value.split(',').map((item) => item.trim()).filter(Boolean))
/** Without a user or a password in it: `fetch` refuses such a URL, and its error would bring the password into the log. */
const jwksEndpoint = z
  .url({ protocol: /^https?$/ })
  .refine((url) => !/\/\/[^/?#]*@/.test(url), 'it cannot hold a user or a password')

/** As a browser writes it in the Origin header: what a longer URL stands for would match no request. */
const origin = z
  .url({ protocol: /^https?$/, abort: true })
  .refine((url) => url === new URL(url).origin, { error: ({ input }) => `an origin is scheme, host and port alone: ${new URL(String(input)).origin}` })
/** A `~` that comes here was in quotes: a shell would have replaced it. It would make a directory of that name. */
const directory = z.string().min(1).refine((path) => !path.startsWith('~'), 'only a shell knows what ~ stands for: write the path out')

/** How long a load balancer may take to notice that /ready is 503, so that it sends nothing more. On a developer's machine there is none. */
const PROBE_MS = 5_000

/** Every setting by its name. */
export const environment = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: integer(0, 65_535).default(4000),
  METRICS_PORT: integer(0, 65_535).optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  OTEL_SERVICE_NAME: z.string().min(1).default('assessment-gateway'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  DATA_DIR: directory.default('.data'),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  DATABASE_POOL_SIZE: integer(1, 1000).default(10),
  DATABASE_POOL_TIMEOUT_MS: integer(1, 600_000).default(5_000),
  OPERATION_TIMEOUT_MS: integer(1, 3_600_000).default(30_000),
  REFRESH_TIMEOUT_MS: integer(1000, 3_600_000).default(300_000),
  SEND_TIMEOUT_MS: integer(1, 600_000).default(10_000),
  KEEP_ALIVE_TIMEOUT_MS: integer(1_000, 3_600_000).default(75_000),
  SHUTDOWN_DELAY_MS: integer(0, 600_000).optional(),
  SHUTDOWN_TIMEOUT_MS: integer(0, 600_000).default(10_000),
  MAX_CONNECTIONS: integer(1, 1_000_000).default(10_000),
  GRAPHIQL: boolean.optional(),
  INTROSPECTION: boolean.optional(),
  CORS_ORIGINS: list.pipe(z.array(origin)).default([]),
  MAX_BODY_BYTES: integer(1, 1_000_000_000).default(1_048_576),
  MAX_ANSWER_BYTES: integer(1, 1_000_000_000).default(8_388_608),
  MAX_TOKENS: integer(1, 1_000_000).default(5_000),
  MAX_DEPTH: integer(1, 1_000).default(20),
  MAX_ALIASES: integer(0, 100_000).default(100),
  MAX_ROOT_FIELDS: integer(1, 100_000).default(50),
  MAX_DIRECTIVES: integer(0, 1_000).default(5),
  MAX_REPETITIONS: integer(0, 100_000).default(50),
  MAX_COST: integer(1, 1_000_000_000).default(100_000),
  MAX_COST_IN_FLIGHT: integer(1, 1_000_000_000).default(200_000),
  ORGANISATION_SHARE_PERCENT: integer(1, 100).default(50),
  MAX_SUBSCRIPTIONS: integer(1, 1_000_000).default(1_000),
  MAX_SUBSCRIPTIONS_PER_CREDENTIAL: integer(1, 1_000_000).default(100),
  RATE_LIMIT_PER_CREDENTIAL: integer(0, 1_000_000).default(1_000),
  RATE_LIMIT_PER_ADDRESS: integer(0, 1_000_000).default(2_000),
  TRUSTED_PROXIES: integer(0, 10).default(0),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).optional(),
  PERSISTED_DOCUMENTS: z.string().min(1).optional(),
  PERSISTED_DOCUMENTS_ONLY: boolean.default(false),
  JWT_ISSUER: z.string().min(1).optional(),
  JWT_AUDIENCE: z.string().min(1).optional(),
  JWT_ALGORITHMS: list.pipe(z.array(algorithms).min(1)).optional(),
  JWT_JWKS_URL: jwksEndpoint.optional(),
  JWT_JWKS_MAX_AGE_MS: integer(600_000, 2_592_000_000).default(14_400_000),
  JWT_SECRET: z.string().min(32).optional(),
  JWT_ORGANISATION_CLAIM: z.string().min(1).default('organisation_id'),
  JWT_SUBJECT_CLAIM: z.string().min(1).default('sub'),
  JWT_SCOPES_CLAIM: z.string().min(1).default('scope'),
})

/**
 * Reads and checks all settings from environment variables. An empty value counts as unset.
 *
 * @throws StartError with one sentence for each wrong setting.
 */
export function readSettings(env: NodeJS.ProcessEnv): StartSettings {
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const result = environment.safeParse(present)
  if (!result.success) {
    const sentences = result.error.issues.map(({ path, message }) => `Setting ${String(path[0])} is wrong: ${message}.`)
    throw new StartError([...new Set(sentences)].join('\n'))
  }
  const values = result.data
  const production = values.NODE_ENV === 'production'
  return {
    production,
    host: values.HOST,
    port: values.PORT,
    metricsPort: values.METRICS_PORT,
    traces: values.OTEL_EXPORTER_OTLP_ENDPOINT === undefined ? undefined : { endpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT, serviceName: values.OTEL_SERVICE_NAME },
    logLevel: values.LOG_LEVEL,
    dataDirectory: values.DATA_DIR,
    databaseUrl: values.DATABASE_URL,
    databasePoolSize: values.DATABASE_POOL_SIZE,
    databasePoolTimeoutMs: values.DATABASE_POOL_TIMEOUT_MS,
    organisationShare: values.ORGANISATION_SHARE_PERCENT / 100,
    limits: limits(values),
    maximumConnections: values.MAX_CONNECTIONS,
    sendTimeoutMs: values.SEND_TIMEOUT_MS,
    keepAliveTimeoutMs: values.KEEP_ALIVE_TIMEOUT_MS,
    shutdownDelayMs: values.SHUTDOWN_DELAY_MS ?? (production ? PROBE_MS : 0),
    shutdownTimeoutMs: values.SHUTDOWN_TIMEOUT_MS,
    graphiql: values.GRAPHIQL ?? !production,
    introspection: values.INTROSPECTION ?? !production,
    corsOrigins: values.CORS_ORIGINS,
    persistedDocuments: persistedDocuments(values),
    jwt: jwtSettings(values),
  }
}

function limits(values: z.infer<typeof environment>): Limits {
  return {
    bodyBytes: values.MAX_BODY_BYTES,
    answerBytes: values.MAX_ANSWER_BYTES,
    document: {
      tokens: values.MAX_TOKENS,
      depth: values.MAX_DEPTH,
      aliases: values.MAX_ALIASES,
      rootFields: values.MAX_ROOT_FIELDS,
      directives: values.MAX_DIRECTIVES,
      repetitions: values.MAX_REPETITIONS,
    },
    cost: values.MAX_COST,
    operationTimeoutMs: values.OPERATION_TIMEOUT_MS,
    refreshTimeoutMs: values.REFRESH_TIMEOUT_MS,
    fair: {
      costInFlight: values.MAX_COST_IN_FLIGHT,
      organisationShare: values.ORGANISATION_SHARE_PERCENT / 100,
      waitMs: values.DATABASE_POOL_TIMEOUT_MS,
    },
    subscriptions: {
      perCredential: values.MAX_SUBSCRIPTIONS_PER_CREDENTIAL,
      inAll: values.MAX_SUBSCRIPTIONS,
      organisationShare: values.ORGANISATION_SHARE_PERCENT / 100,
    },
    rate: {
      perCredential: values.RATE_LIMIT_PER_CREDENTIAL,
      perAddress: values.RATE_LIMIT_PER_ADDRESS,
      trustedProxies: values.TRUSTED_PROXIES,
      redisUrl: values.REDIS_URL,
    },
  }
}

function persistedDocuments({ PERSISTED_DOCUMENTS: file, PERSISTED_DOCUMENTS_ONLY: only }: z.infer<typeof environment>) {
  if (file === undefined && only) throw new StartError('PERSISTED_DOCUMENTS_ONLY needs PERSISTED_DOCUMENTS, the file of the documents.')
  return file === undefined ? undefined : { file, only }
}

function jwtSettings(values: z.infer<typeof environment>): JwtSettings | undefined {
  const { JWT_ISSUER, JWT_AUDIENCE, JWT_ALGORITHMS, JWT_JWKS_URL, JWT_SECRET } = values
  if (!JWT_ISSUER && !JWT_AUDIENCE && !JWT_ALGORITHMS && !JWT_JWKS_URL && !JWT_SECRET) return undefined
  if (!JWT_ISSUER || !JWT_AUDIENCE || !JWT_ALGORITHMS) {
    throw new StartError('Bearer tokens need JWT_ISSUER, JWT_AUDIENCE and JWT_ALGORITHMS, all three.')
  }
  if (!JWT_JWKS_URL === !JWT_SECRET) {
    throw new StartError('Bearer tokens need either JWT_JWKS_URL or JWT_SECRET, and not both.')
  }
  const symmetric = JWT_ALGORITHMS.filter((algorithm) => algorithm.startsWith('HS'))
  if (symmetric.length !== (JWT_SECRET ? JWT_ALGORITHMS.length : 0)) {
    // With HS* and a JWKS, the public key would be taken for the shared secret, and anybody could sign tokens.
    throw new StartError('JWT_ALGORITHMS must be HS256, HS384 or HS512 with JWT_SECRET, and none of these with JWT_JWKS_URL.')
  }
  return {
    issuer: JWT_ISSUER,
    audience: JWT_AUDIENCE,
    algorithms: JWT_ALGORITHMS,
    key: JWT_SECRET ? { secret: new TextEncoder().encode(JWT_SECRET) } : { jwksUrl: new URL(JWT_JWKS_URL ?? ''), maximumAgeMs: values.JWT_JWKS_MAX_AGE_MS },
    organisationClaim: values.JWT_ORGANISATION_CLAIM,
    subjectClaim: values.JWT_SUBJECT_CLAIM,
    scopesClaim: values.JWT_SCOPES_CLAIM,
  }
}
