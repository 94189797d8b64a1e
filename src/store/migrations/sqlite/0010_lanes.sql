-- What goes out together does so for good: a repeat is the same texts under the same key.
ALTER TABLE message ADD COLUMN batch TEXT;         -- id of the first message of its batch; null = never handed over
ALTER TABLE message ADD COLUMN tried_at_us INTEGER; -- when it was last handed over; null = never
ALTER TABLE message ADD COLUMN again INTEGER NOT NULL DEFAULT 0; -- 1 = failed, and tried on while its incident is open
-- Until now what went out together shared its time, and nothing else did.
UPDATE message SET tried_at_us = sent_at_us, batch = (SELECT MIN(one.id) FROM message AS one
    WHERE one.channel = message.channel AND one.sent_at_us = message.sent_at_us) WHERE sent_at_us IS NOT NULL;
-- What was tried and not taken is repeated alone, as its key was its own.
UPDATE message SET batch = id WHERE batch IS NULL AND attempts > 0;
CREATE INDEX message_batch ON message (batch);
CREATE INDEX message_tried ON message (channel, tried_at_us);
DROP INDEX message_due;
CREATE INDEX message_due ON message (channel, next_try_at_us) WHERE status = 'queued' OR again = 1;
