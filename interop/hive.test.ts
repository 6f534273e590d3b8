import { createServer } from 'node:http'
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime'
import http from '@graphql-mesh/transport-http'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { dataOf, nextOf, subscribe } from './client.js'
import { listen } from './companies.js'
import { composeWithGuild } from './composition.js'
import { credentialHeaders, describeSupergraph, readAssessment, withKey } from './supergraph.js'

const supergraph = describeSupergraph("behind Hive's gateway", composeWithGuild, async (supergraphSdl) => {
  const runtime = createGatewayRuntime({
    supergraph: supergraphSdl,
    transports: { http },
    logging: false,
    propagateHeaders: {
      fromClientToSubgraphs: ({ request, subgraphName }) =>
        subgraphName === 'assessments' ? Object.fromEntries(credentialHeaders.map((name) => [name, request.headers.get(name)])) : {},
    },
  })
  const { url, stop } = await listen(createServer(runtime))
  return {
    url,
    async stop() {
      await stop()
      await runtime[Symbol.asyncDispose]()
    },
  }
})

const subscription = `subscription ($id: ID!, $sinceVersion: Int) {
  assessmentChanged(id: $id, sinceVersion: $sinceVersion) {
    version changedPaths
    assessment { version progress companyReport entity { company { name } } }
  }
}`
const update = `mutation ($id: ID!, $progress: Float!) {
  updateAssessment(id: $id, input: { progress: $progress }) { ... on UpdateAssessmentSuccess { assessment { version } } }
}`
const updated = z.object({ updateAssessment: z.object({ assessment: z.object({ version: z.number() }) }) })

/** Changes nothing but the progress: the version that this makes. */
async function setProgress(progress: number): Promise<number> {
  const { updateAssessment } = await dataOf(updated, supergraph.url, withKey, update, { id: supergraph.linked.assessment.id, progress })
  return updateAssessment.assessment.version
}

test('a change reaches a subscriber through the gateway, joined with the other subgraph', async () => {
  const { assessment, company } = supergraph.linked
  const { version, otherProgress: progress } = await readAssessment(supergraph)
  const events = await subscribe(supergraph.url, withKey, subscription, { id: assessment.id, sinceVersion: version })
  try {
    await setProgress(progress)

    expect(await nextOf(events)).toEqual({
      data: {
        assessmentChanged: {
          version: version + 1,
          changedPaths: ['progress'],
          assessment: {
            version: version + 1,
            progress,
            companyReport: `Report on ${assessment.name}, version ${version + 1}`,
            entity: { company: { name: company.name } },
          },
        },
      },
    })
  } finally {
    await events.return()
  }
})

test('a subscriber that comes back is told first what it missed', async () => {
  const { id } = supergraph.linked.assessment
  const { version } = await readAssessment(supergraph)
  await setProgress(40)
  await setProgress(50)
  const events = await subscribe(supergraph.url, withKey, subscription, { id, sinceVersion: version })
  try {
    const told = z.object({ assessmentChanged: z.object({ version: z.number() }) })
    const versions: number[] = []
    while (versions.length < 3) {
      if (versions.length === 2) await setProgress(60)
      versions.push(told.parse((await nextOf(events)).data).assessmentChanged.version)
    }
    expect(versions).toEqual([version + 1, version + 2, version + 3])
  } finally {
    await events.return()
  }
})

test('a subscription without a credential is told as UNAUTHENTICATED', async () => {
  const events = await subscribe(supergraph.url, {}, subscription, { id: supergraph.linked.assessment.id })
  const { errors } = await nextOf(events)
  expect(errors?.map(({ extensions }) => extensions?.['code'])).toEqual(['UNAUTHENTICATED'])
})
