import pg from 'pg'

/** A new, empty database beside the one that `server` names. */
export async function makeDatabase(server: string, name: string): Promise<{ url: string; drop(): Promise<void> }> {
  await execute(server, `CREATE DATABASE ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => execute(server, `DROP DATABASE ${name} WITH (FORCE)`) }
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(sql).finally(() => client.end())
}
