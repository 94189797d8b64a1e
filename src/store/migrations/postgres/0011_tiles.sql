ALTER TABLE analysis ADD COLUMN tiles BYTEA; -- triage::detection::Tile, four bytes each; null = none
