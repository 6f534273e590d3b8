import type { GraphiQLOptions } from 'graphql-yoga'

/** What GraphiQL's page shows: working examples, and a place for the key that the demo key fills. */
export function graphiqlOptions(demoKey: string | undefined): GraphiQLOptions {
  const headers = JSON.stringify({ apikey: demoKey ?? 'YOUR_API_KEY' }, null, 2)
  return {
    title: 'Assessment gateway',
    headers,
    defaultHeaders: headers,
    defaultEditorToolsVisibility: 'headers',
  }
}
