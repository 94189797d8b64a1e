-- Sightings that could not be filed wait longer and longer, so that they hide no other.
ALTER TABLE sighting ADD COLUMN next_try_at_us INTEGER NOT NULL DEFAULT 0; -- not before
ALTER TABLE sighting ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;          -- times that it could not be filed
ALTER TABLE sighting ADD COLUMN why_not TEXT;                              -- the last reason, for the board
DROP INDEX sighting_unfiled;
CREATE INDEX sighting_unfiled ON sighting (next_try_at_us) WHERE filed = 0;
