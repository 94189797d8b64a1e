ALTER TABLE analysis ADD COLUMN stream TEXT NOT NULL DEFAULT 'screened'; -- or 'main': fetched on suspicion
