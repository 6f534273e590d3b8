-- PostGraphile's own way to a write with a rule: a function of the database, which it shows as a
-- mutation. The revision comes from the gateway's trigger, as with every other server.
CREATE SCHEMA bench;

CREATE TYPE bench.write AS ("conflict" boolean, "assessment" "Assessment");

CREATE FUNCTION bench.set_progress("organisationId" uuid, "id" uuid, "expectedVersion" int, "progress" float8)
RETURNS bench.write LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  result bench.write;
  found "Assessment";
BEGIN
  UPDATE "Assessment" AS a SET "progress" = $4, "version" = a."version" + 1, "changedBy" = 'bench:postgraphile'
  WHERE a."organisationId" = $1 AND a."id" = $2 AND a."version" = $3 RETURNING a.* INTO found;
  result."conflict" := found."id" IS NULL;
  IF result."conflict" THEN
    SELECT a.* INTO found FROM "Assessment" AS a WHERE a."organisationId" = $1 AND a."id" = $2;
  END IF;
  result."assessment" := found;
  RETURN result;
END $$;

-- Its arguments are named as those of a connection, which PostGraphile cannot show.
COMMENT ON FUNCTION changed_section_paths IS '@behavior -*';
