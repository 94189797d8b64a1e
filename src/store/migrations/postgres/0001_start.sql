-- The truth is the table event; everything else about an incident can be rebuilt from it.
-- Times are microseconds since 1970-01-01 UTC. Ids are UUID texts. Bodies are JSON in the words of src/triage.

-- Where the log ends. Every commit changes this one row first, so commits follow one another and no cursor is ever skipped.
CREATE TABLE log_head (
    one  BIGINT PRIMARY KEY CHECK (one = 1),  -- there is exactly one row
    seq  BIGINT NOT NULL,                     -- seq of the last event, 0 before the first
    hash TEXT NOT NULL                        -- hash of the last event, 64 zeros before the first
);
INSERT INTO log_head (one, seq, hash) VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

-- What happened, append-only. hash = sha256(hash of the row before || canonical JSON of this row), see log.rs.
CREATE TABLE event (
    seq      BIGINT PRIMARY KEY,  -- place in the whole log, 1, 2, 3 … without gaps; the cursor of every reader
    incident TEXT NOT NULL,       -- whose event
    version  BIGINT NOT NULL,     -- place in this incident's log, from 1
    at_us    BIGINT NOT NULL,     -- server time
    body     TEXT NOT NULL,       -- triage::event::Recorded, exactly as hashed
    hash     TEXT NOT NULL,       -- hexadecimal
    UNIQUE (incident, version)
);

-- One row an incident: what lists are picked by. Never read to decide anything but "is the version still the same".
CREATE TABLE incident (
    id           TEXT PRIMARY KEY,        -- triage::id::IncidentId
    code         TEXT NOT NULL,           -- short number people say aloud, "1121-03"
    version      BIGINT NOT NULL,         -- number of its events
    state        TEXT NOT NULL,           -- triage::incident::State
    drill        BOOLEAN NOT NULL,        -- 演练
    opened_seq   BIGINT NOT NULL UNIQUE,  -- seq of its first event; the cursor of lists
    opened_at_us BIGINT NOT NULL,         -- server time
    closed_at_us BIGINT,                  -- null while open
    due_at_us    BIGINT                   -- next instant at which time alone changes it; null = none
);
CREATE INDEX incident_open ON incident (state, due_at_us);
CREATE INDEX incident_opened ON incident (opened_at_us);
CREATE INDEX incident_closed ON incident (closed_at_us);

-- Counter behind the codes.
CREATE TABLE incident_day (
    day  TEXT PRIMARY KEY, -- "2026-11-21" in Asia/Shanghai
    last BIGINT NOT NULL   -- last number given out
);

-- Every located piece of evidence that ever reached the desk.
CREATE TABLE sighting (
    id             TEXT PRIMARY KEY, -- triage::id::SightingId
    observed_at_us BIGINT NOT NULL,  -- when it was seen
    received_at_us BIGINT NOT NULL,  -- when the desk heard of it
    body           TEXT NOT NULL     -- triage::sighting::Sighting
);
CREATE INDEX sighting_received ON sighting (received_at_us);

-- Which incident a sighting became evidence of. The key makes two incidents out of one sighting impossible.
CREATE TABLE evidence (
    sighting TEXT PRIMARY KEY REFERENCES sighting (id), -- each belongs to one incident at most
    incident TEXT NOT NULL REFERENCES incident (id)     -- that incident
);

-- The outbox: one text to one person on one channel, written in the transaction of the event that caused it.
CREATE TABLE message (
    id             TEXT PRIMARY KEY, -- triage::id::MessageId; gateways get it too, to recognise a repeat
    place          BIGINT NOT NULL UNIQUE, -- order of writing: cursor of its commit × 1000 + number within it
    incident       TEXT NOT NULL REFERENCES incident (id), -- what it is about
    dispatch       TEXT NOT NULL,    -- '' when it is about no dispatch
    occasion       TEXT NOT NULL,    -- why: 'dispatched', 'rung 2', 'sent_back 9' …
    role           TEXT NOT NULL,    -- addressed role, triage::policy::Role
    person         TEXT,             -- who stands in that role today; null = nobody on the rota
    name           TEXT NOT NULL,    -- his or her name then
    phone          TEXT,             -- his or her number then
    channel        TEXT NOT NULL,    -- triage::policy::Channel
    words          TEXT NOT NULL,    -- the whole text as it goes out
    drill          BOOLEAN NOT NULL, -- 演练
    status         TEXT NOT NULL,    -- 'queued', 'sent', 'failed'
    attempts       BIGINT NOT NULL,  -- times it was handed to a gateway
    created_at_us  BIGINT NOT NULL,  -- time of the event that caused it
    next_try_at_us BIGINT NOT NULL,  -- not before
    lease_until_us BIGINT NOT NULL,  -- a sender holds it so long; a dead sender's messages come free again
    sent_at_us     BIGINT,           -- null until a gateway took it
    error          TEXT              -- the last failure, for the board
);
-- An escalation exists exactly once.
CREATE UNIQUE INDEX message_once ON message (incident, dispatch, occasion, channel, COALESCE(person, role));
CREATE INDEX message_due ON message (status, next_try_at_us);

-- Satellite pixels, as last processed by their maker.
CREATE TABLE hotspot (
    key            TEXT PRIMARY KEY, -- identity of the pixel, the same for every processing version
    acquired_at_us BIGINT NOT NULL,  -- overpass
    received_at_us BIGINT NOT NULL,  -- when we first heard of it
    version        TEXT NOT NULL,    -- processing version, "2.0NRT"
    body           TEXT NOT NULL,    -- triage::hotspot::Hotspot
    sighting       TEXT,             -- the sighting made of it; null = not yet, or too old or far away to matter
    incident       TEXT              -- the incident that sighting is evidence of
);
CREATE INDEX hotspot_acquired ON hotspot (acquired_at_us);

-- What the model said about every analysed frame; kept 30 days for the ops page.
CREATE TABLE analysis (
    camera         TEXT NOT NULL,    -- triage::id::CameraId
    pose           TEXT NOT NULL,    -- triage::id::PoseId
    captured_at_us BIGINT NOT NULL,  -- when the frame was taken
    smoke          DOUBLE PRECISION NOT NULL, -- frame score, 0..1
    fire           DOUBLE PRECISION NOT NULL, -- frame score, 0..1
    detections     TEXT NOT NULL,    -- [triage::detection::Detection]
    model_name     TEXT NOT NULL,    -- which weights said so
    model_version  TEXT NOT NULL,    -- and which release of them
    PRIMARY KEY (camera, captured_at_us, pose)
);
CREATE INDEX analysis_captured ON analysis (captured_at_us);

-- Published thresholds, all of them; the highest version is in force.
CREATE TABLE thresholds (
    version   BIGINT PRIMARY KEY,  -- stands on every sighting confirmed under it
    body      TEXT NOT NULL,       -- triage::confirm::Thresholds
    by_person TEXT NOT NULL,       -- who published it
    at_us     BIGINT NOT NULL,     -- when
    reason    TEXT NOT NULL        -- and why, in that person's words
);

-- One-time login links. Only the hash of a token is ever stored.
CREATE TABLE login (
    token_hash    TEXT PRIMARY KEY, -- sha256, hexadecimal
    person        TEXT NOT NULL,    -- whom it logs in
    access        TEXT NOT NULL,    -- 'ranger', 'officer', 'ops'
    expires_at_us BIGINT NOT NULL,  -- worthless from then on
    used_at_us    BIGINT            -- null = not used yet
);

-- Browsers that are logged in.
CREATE TABLE session (
    hash          TEXT PRIMARY KEY, -- sha256 of the cookie, hexadecimal
    person        TEXT NOT NULL,    -- who is logged in
    access        TEXT NOT NULL,    -- 'ranger', 'officer', 'ops'
    used_at_us    BIGINT NOT NULL,  -- last use, to the hour
    expires_at_us BIGINT NOT NULL   -- logged out from then on
);
CREATE INDEX session_person ON session (person);
