-- Where the log ended once a day, as told outside of this machine: a log that was rewritten with all its hashes differs from it.
CREATE TABLE anchor (
    day        TEXT PRIMARY KEY, -- "2026-11-21" in Asia/Shanghai
    seq        BIGINT NOT NULL,  -- seq of the last event then
    hash       TEXT NOT NULL,    -- its hash
    at_us      BIGINT NOT NULL,  -- when it was written down
    told_at_us BIGINT            -- when a gateway took the text to the leader on duty; null = not told
);

-- The record is compared incident by incident.
CREATE INDEX evidence_incident ON evidence (incident);
CREATE INDEX hotspot_incident ON hotspot (incident);

-- What is due is asked of the log as the desk remembers it, of no column.
DROP INDEX incident_open;
ALTER TABLE incident DROP COLUMN due_at_us;
CREATE INDEX incident_open ON incident (opened_seq) WHERE state <> 'closed';
