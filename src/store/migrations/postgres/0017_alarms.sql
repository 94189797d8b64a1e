-- Other systems: those that may send their alarms, what they sent, and those that are told of incidents.
CREATE TABLE alarm_system (
    name            TEXT NOT NULL PRIMARY KEY, -- as the office calls it
    key_hash        TEXT NOT NULL UNIQUE, -- sha256 of its key, hexadecimal
    silent_after_s  BIGINT, -- longest silence before the board says so; null = it may be silent for ever
    since_us        BIGINT NOT NULL, -- when this key was made
    revoked_at_us   BIGINT, -- null = valid
    heard_at_us     BIGINT, -- last request that was answered, alarm or not
    alarm_at_us     BIGINT, -- last alarm that was taken
    refused         BIGINT NOT NULL DEFAULT 0, -- refused since a day without any
    refused_at_us   BIGINT,
    refused_zh      TEXT, -- why the last one was
    refused_en      TEXT
);
CREATE TABLE alarm (
    system          TEXT NOT NULL,
    id              TEXT NOT NULL, -- the system's own id of the alarm
    received_at_us  BIGINT NOT NULL,
    meaning_sha256  TEXT NOT NULL, -- of the alarm as it was understood: the same id with another meaning is refused
    sighting        TEXT NOT NULL UNIQUE, -- triage::id::SightingId
    media           TEXT NOT NULL, -- content type of the original
    original        BYTEA NOT NULL, -- as it came, pictures written inside it replaced by their names
    PRIMARY KEY (system, id)
);
CREATE INDEX alarm_received_at ON alarm (received_at_us);
-- The log is the outbox: what a receiver has not been told lies behind its cursor.
CREATE TABLE webhook (
    name            TEXT NOT NULL PRIMARY KEY, -- config::WebhookConfig
    cursor          BIGINT NOT NULL, -- told up to this event
    leased_until_us BIGINT NOT NULL DEFAULT 0 -- until then one process tells it
);
