import type { Plugin } from 'graphql-yoga'
import { limitExceeded } from '../../graphql/limit-exceeded.js'
import { currentScope } from '../../request-scope/request-scope.js'
import { asContext } from '../context.js'

export interface SubscriptionLimits {
  /** How many subscriptions one credential may have open. */
  perCredential: number
  /** How many there may be in this process. */
  inAll: number
  /** The part of them that one organisation may have, above 0 and at most 1. */
  organisationShare: number
}

/** Refuses subscriptions of a credential, an organisation or all clients together beyond a number. One is open until its response ends. */
export function useSubscriptionLimits({ perCredential, inAll, organisationShare }: SubscriptionLimits): Plugin {
  const open = new Map<string, number>()
  return {
    onSubscribe({ args, setResultAndStopExecution }) {
      const { viewer } = asContext(args.contextValue)
      const organisation = viewer.organisation.id
      const limits = [
        { name: 'subscriptionsPerCredential', maximum: perCredential, of: 'one credential', counter: `${organisation} ${viewer.actor}` },
        { name: 'subscriptionsPerOrganisation', maximum: Math.max(1, Math.floor(inAll * organisationShare)), of: 'one organisation', counter: organisation },
        { name: 'subscriptions', maximum: inAll, of: 'all clients of this process', counter: 'all' },
      ]
      for (const { name, maximum, of, counter } of limits) {
        if ((open.get(counter) ?? 0) < maximum) continue
        const message = `At most ${maximum} subscriptions of ${of} may be open. End another one first.`
        setResultAndStopExecution({ errors: [limitExceeded(name, maximum, message, { status: 429 })] })
        return
      }
      for (const { counter } of limits) open.set(counter, (open.get(counter) ?? 0) + 1)
      currentScope()?.whenOver(() => {
        for (const { counter } of limits) {
          const left = (open.get(counter) ?? 0) - 1
          if (left > 0) open.set(counter, left)
          else open.delete(counter)
        }
      })
    },
  }
}
