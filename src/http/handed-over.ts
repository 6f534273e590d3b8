import type { IncomingMessage } from 'node:http'
import type { ExecutionResult } from 'graphql'
import type { Viewer } from '../shared/viewer.js'

/** A request that Yoga goes on with: admitted and read, and where it has a result, executed too. */
export interface HandedOver {
  viewer: Viewer
  text: string
  result: ExecutionResult | undefined
}

/** What Yoga is told of a request beside the request itself. */
export type ServerContext = Partial<HandedOver> & { req?: IncomingMessage }
