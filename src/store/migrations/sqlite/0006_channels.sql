-- When a channel's gateway last took a text; looked up every few seconds.
CREATE INDEX message_sent ON message (channel, sent_at_us);
