-- What the model said about every analysed frame: a partition a day from now on, so that an old day is dropped in one stroke. Rows from
-- before go: nobody's record, a month of tuning history.
DROP TABLE analysis;
CREATE TABLE analysis (
    camera         TEXT NOT NULL,   -- triage::id::CameraId
    pose           TEXT NOT NULL,   -- triage::id::PoseId
    captured_at_us BIGINT NOT NULL, -- when the frame was taken
    smoke          REAL NOT NULL,   -- frame score, 0..1
    fire           REAL NOT NULL,   -- frame score, 0..1
    detections     TEXT,            -- [triage::detection::Detection]; null = none
    model_name     TEXT NOT NULL,   -- which weights said so
    model_version  TEXT NOT NULL,   -- and which release of them
    is_main        BOOLEAN NOT NULL, -- of the stream fetched on suspicion
    PRIMARY KEY (camera, captured_at_us, pose)
) PARTITION BY RANGE (captured_at_us);
