ALTER TABLE analysis ADD COLUMN has_past BOOLEAN NOT NULL DEFAULT TRUE; -- the model had an earlier picture to compare with
