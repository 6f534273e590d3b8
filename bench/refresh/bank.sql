-- Revises the bank before a round of W8, in the same way for both: a tenth of the questions is
-- deleted, another one in each round, while those that the last round had deleted come back. All
-- others get a new revision, of which one in seven has lost its last option. ROUND stands for the
-- round's number.
UPDATE "Question"
SET "deleted" = "qid" % 10 = ROUND % 10, "revision" = "revision" + 1,
  "text" = split_part("text", ' (', 1) || ' (in round ROUND)',
  "options" = '[{"key": "o0", "label": "Never", "riskScore": 0}, {"key": "o1", "label": "Rarely", "riskScore": 30},
    {"key": "o2", "label": "Often", "riskScore": 60}]'
    || CASE WHEN "qid" % 7 = ROUND % 7 THEN '[]'::jsonb ELSE '[{"key": "o3", "label": "Always", "riskScore": 90}]' END
