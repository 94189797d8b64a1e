-- How a camera was proved where it stands: what outlives the program, a few rows a day.
CREATE TABLE watched ( -- time in which a camera was looked at as often as asked
    camera   TEXT NOT NULL,   -- triage::id::CameraId
    day      BIGINT NOT NULL, -- of UTC, counted from 1970-01-01
    seconds  BIGINT NOT NULL, -- cadences with a look
    PRIMARY KEY (camera, day)
);
CREATE TABLE self_test ( -- which rendered plumes the model found in a camera's picture
    camera   TEXT NOT NULL,   -- triage::id::CameraId
    at_us    BIGINT NOT NULL, -- when the picture was taken
    scale    TEXT NOT NULL,   -- triage::proof::Scale
    light    TEXT NOT NULL,   -- triage::proof::Light
    smallest DOUBLE PRECISION,  -- width of the smallest plume found at most places, share of the picture's; null = none was
    PRIMARY KEY (camera, at_us, scale)
);
CREATE INDEX self_test_at ON self_test (at_us);
