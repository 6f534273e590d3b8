import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import type { TestProject } from 'vitest/node'
import { z } from 'zod'
import { dataOf } from './client.js'
import { admin, persistedDocuments, startGateway } from './gateway.js'

declare module 'vitest' {
  export interface ProvidedContext {
    gatewayUrl: string
    /** One good credential of each kind, all of the first demo organisation. */
    credentials: Record<'key' | 'sessionToken' | 'jsonWebToken', string>
    /** Of the other demo organisation. */
    otherKey: string
    /** May read results and nothing else. */
    narrowSessionToken: string
  }
}

const SUBJECT = 'demo'
const jwt = {
  JWT_ISSUER: 'https://issuer.test/',
  JWT_AUDIENCE: 'assessments',
  JWT_ALGORITHMS: 'HS256',
  JWT_SECRET: 'a secret of the interoperability tests alone',
}

const organisationOf = z.object({ viewer: z.object({ organisation: z.object({ id: z.string() }) }) })
const session = z.object({ token: z.string() })

/** Starts the gateway of this run, with a credential of each kind for its first demo organisation. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'assessment-gateway-interop-'))
  const settings = { DATA_DIR: dataDirectory, ...jwt }

  const first = await startGateway(settings)
  const { viewer } = await dataOf(organisationOf, first.url, { apikey: first.demoKeys[0] }, '{ viewer { organisation { id } } }')
  await first.stop()

  const organisationId = viewer.organisation.id
  const sessionWith = async (scopes: string) =>
    session.parse(await admin(settings, 'create-session', organisationId, '--user', SUBJECT, '--scopes', scopes, '--minutes', '60')).token
  const sessionToken = await sessionWith('ASSESSMENTS_WRITE')
  const narrowSessionToken = await sessionWith('RESULTS_READ')
  const jsonWebToken = await new SignJWT({ organisation_id: organisationId, scope: 'ASSESSMENTS_WRITE' })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(jwt.JWT_ISSUER)
    .setAudience(jwt.JWT_AUDIENCE)
    .setSubject(SUBJECT)
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(jwt.JWT_SECRET))

  const gateway = await startGateway({ ...settings, PERSISTED_DOCUMENTS: persistedDocuments })
  project.provide('gatewayUrl', gateway.url)
  project.provide('credentials', { key: gateway.demoKeys[0], sessionToken, jsonWebToken })
  project.provide('otherKey', gateway.demoKeys[1])
  project.provide('narrowSessionToken', narrowSessionToken)
  return async () => {
    await gateway.stop()
    await rm(dataDirectory, { recursive: true })
  }
}
