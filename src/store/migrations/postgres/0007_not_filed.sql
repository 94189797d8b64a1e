-- As in SQLite: see ../sqlite/0007_not_filed.sql.
ALTER TABLE sighting ADD COLUMN next_try_at_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sighting ADD COLUMN tries BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sighting ADD COLUMN why_not TEXT;
DROP INDEX sighting_unfiled;
CREATE INDEX sighting_unfiled ON sighting (next_try_at_us) WHERE filed = 0;
