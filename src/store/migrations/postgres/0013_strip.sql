-- 过程图: pictures around an alarm. Supporting material beside the record: no event names them.
CREATE TABLE strip (
    sighting       TEXT NOT NULL,    -- whose strip; written down by its own lane, perhaps later
    captured_at_us BIGINT NOT NULL, -- when it was taken
    stream         TEXT NOT NULL,    -- triage::detection::Stream
    score          DOUBLE PRECISION,             -- what the model saw in the sighting's place, 0..1; null = nothing
    bbox           TEXT,             -- and where: [x, y, w, h], 0..1 of the frame
    picture        TEXT NOT NULL,    -- triage::id::PictureId; the file lies beside those of the evidence
    PRIMARY KEY (sighting, picture)
);
CREATE INDEX strip_picture ON strip (picture);
