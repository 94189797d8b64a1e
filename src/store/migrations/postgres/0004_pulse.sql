-- Changed to prove that the database still takes what is written: a full disk answers every question.
CREATE TABLE pulse (
    one   INTEGER PRIMARY KEY CHECK (one = 1), -- there is exactly one row
    beats BIGINT NOT NULL
);
INSERT INTO pulse (one, beats) VALUES (1, 0);
