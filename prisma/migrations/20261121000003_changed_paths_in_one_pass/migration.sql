-- As before, but the questions of before are unpacked once and joined by their places. They were unpacked anew for each
-- question of after, so that a write took the square of the number of questions in a section.
CREATE OR REPLACE FUNCTION changed_section_paths(before jsonb, after jsonb) RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$
  SELECT format('sections.%s.questions.%s.%s', question.section - 1, question.i - 1, field.path)
  FROM (
    SELECT section.i AS section, item.i, item.value
    FROM jsonb_array_elements(after) WITH ORDINALITY AS section(value, i)
    CROSS JOIN LATERAL jsonb_array_elements(section.value -> 'questions') WITH ORDINALITY AS item(value, i)
  ) AS question
  LEFT JOIN (
    SELECT section.i AS section, item.i, item.value
    FROM jsonb_array_elements(before) WITH ORDINALITY AS section(value, i)
    CROSS JOIN LATERAL jsonb_array_elements(section.value -> 'questions') WITH ORDINALITY AS item(value, i)
  ) AS previous ON previous.section = question.section AND previous.i = question.i
  CROSS JOIN LATERAL (
    VALUES
      (1, 'id', previous.value -> 'id', question.value -> 'id'),
      (2, 'qid', previous.value -> 'qid', question.value -> 'qid'),
      (3, 'revision', previous.value -> 'revision', question.value -> 'revision'),
      (4, 'text', previous.value -> 'text', question.value -> 'text'),
      (5, 'topic', previous.value -> 'topic', question.value -> 'topic'),
      (6, 'difficulty', previous.value -> 'difficulty', question.value -> 'difficulty'),
      (7, 'options', previous.value -> 'options', question.value -> 'options'),
      (8, 'answer',
        jsonb_path_query_first(previous.value, '$.options[*] ? (@.key == $.answerKey)'),
        jsonb_path_query_first(question.value, '$.options[*] ? (@.key == $.answerKey)'))
  ) AS field(position, path, before, after)
  WHERE previous.value IS DISTINCT FROM question.value AND field.before IS DISTINCT FROM field.after
  ORDER BY question.section, question.i, field.position
$$;
