import type { PrismaClient } from '../generated/prisma/client.js'
import { StartError } from '../process/start-error.js'

/** The tables that mutations write, and the rights on them that they need. Every table is read. */
const WRITTEN: Record<string, string[]> = {
  Assessment: ['INSERT', 'UPDATE'],
  AssessmentRecord: ['INSERT', 'UPDATE'],
  AssessmentResult: ['INSERT', 'UPDATE'],
  // A trigger writes these, with the rights of whoever wrote the row.
  Revision: ['INSERT'],
}

/** @throws StartError when the role may not do in the database what the gateway does there. */
export async function requireRights(client: PrismaClient): Promise<void> {
  const wanted = Object.entries(WRITTEN).flatMap(([table, rights]) => rights.map((right) => ({ table, right })))
  const lacking = await client.$queryRaw<{ right: string; name: string; role: string }[]>`
    WITH relations AS (
      SELECT oid, relname, relkind FROM pg_class
      WHERE relnamespace = to_regnamespace(quote_ident(current_schema())) AND relkind IN ('r', 'S')
    ), needed AS (
      SELECT oid, relname, relkind, CASE relkind WHEN 'S' THEN 'USAGE' ELSE 'SELECT' END AS "right" FROM relations
      UNION ALL SELECT oid, relname, relkind, written."right"
      FROM relations JOIN unnest(${wanted.map(({ table }) => table)}::text[], ${wanted.map(({ right }) => right)}::text[]) AS written("table", "right") ON written."table" = relname
    )
    SELECT "right", relname AS "name", current_user AS "role" FROM needed
    WHERE NOT CASE relkind WHEN 'S' THEN has_sequence_privilege(oid, "right") ELSE has_table_privilege(oid, "right") END
    ORDER BY 1, 2`
  const [first] = lacking
  if (!first) return
  const rights = [...new Set(lacking.map(({ right }) => right))].map((right) => `${right} on ${lacking.filter((it) => it.right === right).map(({ name }) => name).join(', ')}`)
  throw new StartError(`The role "${first.role}" of DATABASE_URL lacks rights: ${rights.join('; ')}. Grant them, as docs/operating.md says.`)
}
