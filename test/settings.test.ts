import { describe, expect, test } from 'vitest'
import { readSettings } from '../src/settings.js'
import { StartError } from '../src/process/start-error.js'

/** The sentences with which the start is refused. */
function refusalOf(env: Record<string, string>): string {
  try {
    readSettings(env)
  } catch (error) {
    if (error instanceof StartError) return error.message
    throw error
  }
  throw new Error(`These settings were accepted: ${JSON.stringify(env)}`)
}

const secret = 'a shared secret of more than 32 characters'
const jwt = { JWT_ISSUER: 'https://issuer.test/', JWT_AUDIENCE: 'gateway', JWT_ALGORITHMS: 'RS256', JWT_JWKS_URL: 'https://issuer.test/keys' }
const without = (name: keyof typeof jwt) => Object.fromEntries(Object.entries(jwt).filter(([it]) => it !== name))

const limits = {
  bodyBytes: 1_048_576,
  answerBytes: 8_388_608,
  document: { tokens: 5_000, depth: 20, aliases: 100, rootFields: 50, directives: 5, repetitions: 50 },
  cost: 100_000,
  operationTimeoutMs: 30_000,
  refreshTimeoutMs: 300_000,
  fair: { costInFlight: 200_000, organisationShare: 0.5, waitMs: 5_000 },
  subscriptions: { perCredential: 100, inAll: 1_000, organisationShare: 0.5 },
  rate: { perCredential: 1_000, perAddress: 2_000, trustedProxies: 0, redisUrl: undefined },
}

const defaults = {
  production: false,
  host: '127.0.0.1',
  port: 4000,
  metricsPort: undefined,
  traces: undefined,
  logLevel: 'info',
  dataDirectory: '.data',
  databaseUrl: undefined,
  databasePoolSize: 10,
  databasePoolTimeoutMs: 5_000,
  organisationShare: 0.5,
  limits,
  maximumConnections: 10_000,
  sendTimeoutMs: 10_000,
  keepAliveTimeoutMs: 75_000,
  shutdownDelayMs: 0,
  shutdownTimeoutMs: 10_000,
  graphiql: true,
  introspection: true,
  corsOrigins: [],
  jwt: undefined,
}

describe('settings', () => {
  test('have defaults, so that nothing has to be set', () => {
    expect(readSettings({})).toEqual(defaults)
  })

  test('that are none of ours do not matter', () => {
    expect(readSettings({ PATH: '/usr/bin', POSTGRES_PASSWORD: 'x', port: '80' })).toEqual(defaults)
  })

  test('are all taken', () => {
    const env = {
      NODE_ENV: 'production',
      HOST: '0.0.0.0',
      PORT: '0',
      METRICS_PORT: '9464',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      OTEL_SERVICE_NAME: 'gateway-of-ours',
      LOG_LEVEL: 'warn',
      DATA_DIR: '/var/lib/gateway',
      DATABASE_URL: 'postgresql://user:password@host:5432/name?sslmode=require',
      DATABASE_POOL_SIZE: '25',
      DATABASE_POOL_TIMEOUT_MS: '100',
      OPERATION_TIMEOUT_MS: '2000',
      REFRESH_TIMEOUT_MS: '60000',
      SEND_TIMEOUT_MS: '3000',
      KEEP_ALIVE_TIMEOUT_MS: '61000',
      SHUTDOWN_DELAY_MS: '7000',
      SHUTDOWN_TIMEOUT_MS: '0',
      MAX_CONNECTIONS: '500',
      CORS_ORIGINS: 'https://app.test, http://localhost:3000',
      MAX_BODY_BYTES: '1',
      MAX_ANSWER_BYTES: '11',
      MAX_TOKENS: '2',
      MAX_DEPTH: '3',
      MAX_ALIASES: '4',
      MAX_ROOT_FIELDS: '5',
      MAX_DIRECTIVES: '6',
      MAX_REPETITIONS: '7',
      MAX_COST: '8',
      MAX_COST_IN_FLIGHT: '12',
      ORGANISATION_SHARE_PERCENT: '25',
      MAX_SUBSCRIPTIONS: '13',
      MAX_SUBSCRIPTIONS_PER_CREDENTIAL: '14',
      RATE_LIMIT_PER_CREDENTIAL: '9',
      RATE_LIMIT_PER_ADDRESS: '0',
      TRUSTED_PROXIES: '1',
      REDIS_URL: 'redis://127.0.0.1:6379/1',
      ...jwt,
      JWT_JWKS_MAX_AGE_MS: '700000',
      JWT_ALGORITHMS: 'RS256, ES256',
      JWT_ORGANISATION_CLAIM: 'tenant',
      JWT_SUBJECT_CLAIM: 'uid',
      JWT_SCOPES_CLAIM: 'permissions',
    }
    expect(readSettings(env)).toEqual({
      production: true,
      host: '0.0.0.0',
      port: 0,
      metricsPort: 9464,
      traces: { endpoint: 'http://collector:4318', serviceName: 'gateway-of-ours' },
      logLevel: 'warn',
      dataDirectory: '/var/lib/gateway',
      databaseUrl: env.DATABASE_URL,
      databasePoolSize: 25,
      databasePoolTimeoutMs: 100,
      organisationShare: 0.25,
      limits: {
        bodyBytes: 1,
        answerBytes: 11,
        document: { tokens: 2, depth: 3, aliases: 4, rootFields: 5, directives: 6, repetitions: 7 },
        cost: 8,
        operationTimeoutMs: 2_000,
        refreshTimeoutMs: 60_000,
        fair: { costInFlight: 12, organisationShare: 0.25, waitMs: 100 },
        subscriptions: { perCredential: 14, inAll: 13, organisationShare: 0.25 },
        rate: { perCredential: 9, perAddress: 0, trustedProxies: 1, redisUrl: env.REDIS_URL },
      },
      maximumConnections: 500,
      sendTimeoutMs: 3_000,
      keepAliveTimeoutMs: 61_000,
      shutdownDelayMs: 7_000,
      shutdownTimeoutMs: 0,
      graphiql: false,
      introspection: false,
      corsOrigins: ['https://app.test', 'http://localhost:3000'],
      jwt: {
        issuer: 'https://issuer.test/',
        audience: 'gateway',
        algorithms: ['RS256', 'ES256'],
        key: { jwksUrl: new URL('https://issuer.test/keys'), maximumAgeMs: 700_000 },
        organisationClaim: 'tenant',
        subjectClaim: 'uid',
        scopesClaim: 'permissions',
      },
    })
  })

  test('take every form of a PostgreSQL URL', () => {
    for (const url of ['postgres://localhost/x', 'postgresql://u:p%40ss@[::1]:5433/x', 'postgres:///x?host=/var/run/postgresql']) {
      expect(readSettings({ DATABASE_URL: url }).databaseUrl).toBe(url)
    }
  })

  test('send traces under the name of the gateway, and none without a receiver', () => {
    const endpoint = 'https://collector.test/otlp'
    expect(readSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }).traces).toEqual({ endpoint, serviceName: 'assessment-gateway' })
    expect(readSettings({ OTEL_SERVICE_NAME: 'gateway-of-ours' }).traces).toBeUndefined()
  })

  test('show GraphiQL outside production, unless told otherwise', () => {
    expect(readSettings({ NODE_ENV: 'production' }).graphiql).toBe(false)
    expect(readSettings({ NODE_ENV: 'test' }).graphiql).toBe(true)
    expect(readSettings({ NODE_ENV: 'production', GRAPHIQL: 'true' }).graphiql).toBe(true)
    expect(readSettings({ GRAPHIQL: 'false' }).graphiql).toBe(false)
  })

  test('that are empty count as unset', () => {
    const names = [
      'NODE_ENV', 'HOST', 'PORT', 'LOG_LEVEL', 'DATA_DIR', 'DATABASE_URL', 'DATABASE_POOL_SIZE', 'REFRESH_TIMEOUT_MS', 'SHUTDOWN_TIMEOUT_MS',
      'METRICS_PORT', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_SERVICE_NAME', 'GRAPHIQL', 'JWT_ISSUER', 'JWT_AUDIENCE', 'JWT_ALGORITHMS', 'JWT_JWKS_URL', 'JWT_SECRET', 'JWT_ORGANISATION_CLAIM', 'JWT_SUBJECT_CLAIM',
      'JWT_SCOPES_CLAIM',
    ]
    expect(readSettings(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(defaults)
  })
})

describe('a wrong setting', () => {
  test.each([
    ['NODE_ENV', ['prod', 'Production', 'PRODUCTION', 'staging', 'dev', ' production']],
    ['PORT', ['x', '-1', '65536', '80.5', '0x50', '1e3', ' ', ' 80', 'NaN', 'Infinity']],
    ['METRICS_PORT', ['x', '-1', '65536', 'true']],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', ['collector:4318', 'grpc://collector:4317', 'true']],
    ['LOG_LEVEL', ['loud', 'INFO']],
    ['DATABASE_URL', ['localhost', 'mysql://localhost/x', 'http://localhost', 'file:./dev.db', ' ']],
    ['DATABASE_POOL_SIZE', ['0', '1001', 'many']],
    ['ORGANISATION_SHARE_PERCENT', ['0', '101', '0.5']],
    ['REFRESH_TIMEOUT_MS', ['0', '999', '3600001', '1m']],
    ['SHUTDOWN_TIMEOUT_MS', ['-1', '600001', 'never']],
    ['SEND_TIMEOUT_MS', ['0', '600001', '10s']],
    ['MAX_CONNECTIONS', ['0', '1000001', 'many']],
    ['MAX_SUBSCRIPTIONS', ['0', '1000001', 'many']],
    ['MAX_SUBSCRIPTIONS_PER_CREDENTIAL', ['0', '1000001', 'many']],
    ['DATA_DIR', ['~', '~/gateway', '~ada/gateway']],
    ['CORS_ORIGINS', ['*', 'null', 'app.test', 'ftp://app.test', 'http://app.test/path', 'http://app.test/', 'http://app.test?', 'http://app.test#x', 'http://app.test:80', 'http://APP.test', 'https://app.test, http://a/b', 'http://ada:hunter2@app.test']],
    ['GRAPHIQL', ['yes', '1', 'TRUE']],
    ['JWT_ALGORITHMS', ['none', 'RS256,none', 'rs256', ',', 'RS256;ES256']],
    ['JWT_JWKS_URL', ['issuer.test/keys', 'file:///etc/keys', 'ftp://issuer.test', 'https://ada:hunter2@issuer.test', 'https://ada@issuer.test', 'https://:hunter2@issuer.test']],
    ['JWT_SECRET', ['short', 'x'.repeat(31)]],
  ])('%s stops the start with one sentence that names it', (name, values) => {
    for (const value of values) {
      const sentence = refusalOf({ ...(name.startsWith('JWT_') && jwt), [name]: value })
      expect(sentence, value).toMatch(new RegExp(`^Setting ${name} is wrong: [^\\n]+\\.$`))
    }
  })

  test('of an origin shows what is right', () => {
    expect(refusalOf({ CORS_ORIGINS: 'https://App.test:443/path, http://other.test:8080/' }).split('\n')).toEqual([
      'Setting CORS_ORIGINS is wrong: an origin is scheme, host and port alone: https://app.test.',
      'Setting CORS_ORIGINS is wrong: an origin is scheme, host and port alone: http://other.test:8080.',
    ])
  })

  test('is told together with the others', () => {
    const lines = refusalOf({ PORT: 'x', LOG_LEVEL: 'loud', JWT_ALGORITHMS: 'none,nothing' }).split('\n')
    expect(lines.map((line) => /^Setting (\w+) is wrong: .+\.$/.exec(line)?.[1])).toEqual(['PORT', 'LOG_LEVEL', 'JWT_ALGORITHMS'])
  })

  test('never shows a secret', () => {
    const wrong: Record<string, string>[] = [
      { DATABASE_URL: 'mysql://user:hunter2@host/name' },
      { DATABASE_URL: 'postgres//user:hunter2@host/name' },
      { DATABASE_URL: 'postgres://user:hunter2@host:port/name' },
      { ...jwt, JWT_JWKS_URL: 'https://user:hunter2@issuer.test/keys' },
      { CORS_ORIGINS: 'https://user:hunter2@app.test' },
      { JWT_SECRET: 'hunter2' },
      { ...jwt, JWT_SECRET: `hunter2${secret}` },
      { JWT_SECRET: `hunter2${secret}` },
      { DATABASE_URL: 'postgres://user:hunter2@host/name', PORT: 'x' },
    ]
    for (const env of wrong) expect(refusalOf(env), JSON.stringify(env)).not.toContain('hunter2')
  })
})

describe('bearer tokens', () => {
  test('are verified with a shared secret or with a key server', () => {
    expect(readSettings(jwt).jwt).toEqual({
      issuer: 'https://issuer.test/',
      audience: 'gateway',
      algorithms: ['RS256'],
      key: { jwksUrl: new URL('https://issuer.test/keys'), maximumAgeMs: 14_400_000 },
      organisationClaim: 'organisation_id',
      subjectClaim: 'sub',
      scopesClaim: 'scope',
    })
    const bySecret = readSettings({ ...without('JWT_JWKS_URL'), JWT_ALGORITHMS: 'HS256,HS512', JWT_SECRET: secret }).jwt
    expect(bySecret).toMatchObject({ algorithms: ['HS256', 'HS512'], key: { secret: new TextEncoder().encode(secret) } })
  })

  test.each(['JWT_ISSUER', 'JWT_AUDIENCE', 'JWT_ALGORITHMS'] as const)('need %s', (name) => {
    expect(refusalOf(without(name))).toContain(name)
  })

  test('are asked for by any one of their settings, so that a forgotten one is noticed', () => {
    for (const [name, value] of [...Object.entries(jwt), ['JWT_SECRET', secret]]) {
      expect(refusalOf({ [String(name)]: String(value) }), name).toContain('JWT_ISSUER, JWT_AUDIENCE and JWT_ALGORITHMS')
    }
  })

  test('need a shared secret or a key server, and not both', () => {
    for (const env of [without('JWT_JWKS_URL'), { ...jwt, JWT_SECRET: secret }]) {
      expect(refusalOf(env)).toMatch(/^Bearer tokens need either JWT_JWKS_URL or JWT_SECRET, and not both\.$/)
    }
  })

  test('signed with a shared secret never share the algorithms of public keys', () => {
    const sentence = /^JWT_ALGORITHMS must be .+ with JWT_SECRET, and none of these with JWT_JWKS_URL\.$/
    for (const algorithms of ['HS256', 'RS256,HS256', 'HS512,ES256']) {
      expect(refusalOf({ ...jwt, JWT_ALGORITHMS: algorithms }), algorithms).toMatch(sentence)
    }
    for (const algorithms of ['RS256', 'HS256,RS256', 'EdDSA']) {
      expect(refusalOf({ ...without('JWT_JWKS_URL'), JWT_SECRET: secret, JWT_ALGORITHMS: algorithms }), algorithms).toMatch(sentence)
    }
  })
})
