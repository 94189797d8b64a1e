-- Messages that failed and of which the incident's log does not know yet: somebody else has to be told.
ALTER TABLE message ADD COLUMN noted BIGINT NOT NULL DEFAULT 0; -- 1 = the log has it, or nobody waits for it any more
UPDATE message SET noted = 1 WHERE status = 'failed';
CREATE INDEX message_failed ON message (place) WHERE status = 'failed' AND noted = 0;

-- Sightings that are evidence of no incident yet.
ALTER TABLE sighting ADD COLUMN filed BIGINT NOT NULL DEFAULT 0; -- 1 = evidence of an incident
UPDATE sighting SET filed = 1 WHERE EXISTS (SELECT 1 FROM evidence WHERE evidence.sighting = sighting.id);
CREATE INDEX sighting_unfiled ON sighting (received_at_us) WHERE filed = 0;

-- Where incidents were closed and as what: what the desk remembers of a place. Can be rebuilt from the log.
CREATE TABLE closed_place (
    incident     TEXT PRIMARY KEY REFERENCES incident (id), -- which one
    closed_at_us BIGINT NOT NULL,                          -- when
    body         TEXT NOT NULL                              -- triage::memory::Closed
);
CREATE INDEX closed_place_at ON closed_place (closed_at_us);
