-- When each browser logged in: who looks through the sessions wants to know it. Rows from before: their last use.
ALTER TABLE session ADD COLUMN since_us BIGINT NOT NULL DEFAULT 0;
UPDATE session SET since_us = used_at_us;
