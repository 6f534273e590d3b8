-- What is stored of each assessment, but for what is new in every run: the times, the request, and
-- the ids of the questions that were put in. A question whose id changed has that in the paths of
-- the revision, so that the ids that must stay are compared as well.
SELECT a."id", a."version", md5(concat_ws(' ',
  to_jsonb(a) - '{updatedAt,changedByRequest,sections}'::text[],
  (
    SELECT jsonb_agg(s.value || jsonb_build_object('questions', (
      SELECT jsonb_agg(q.value - 'id' ORDER BY q.i) FROM jsonb_array_elements(s.value -> 'questions') WITH ORDINALITY AS q(value, i)
    )) ORDER BY s.i)
    FROM jsonb_array_elements(a."sections") WITH ORDINALITY AS s(value, i)
  ),
  (
    SELECT string_agg(concat_ws(' ', r."version", r."changedPaths", r."actor"), ', ' ORDER BY r."version") FROM "Revision" AS r
    WHERE r."organisationId" = a."organisationId" AND r."assessmentId" = a."id"
  )
)) AS "digest"
FROM "Assessment" AS a ORDER BY a."id"
