-- Changes of the registers are lines of the log (table event, incident = 'registers', version = number of the change).
-- Addresses with a login are kept here and shown as stars there: the log is never rewritten, and a password must be.
CREATE TABLE register_secret (
    register    TEXT NOT NULL, -- register::Register::file_name
    key         TEXT NOT NULL, -- which entry
    column_name TEXT NOT NULL, -- which cell
    shown       TEXT NOT NULL, -- as it stands in the log
    cell        TEXT NOT NULL, -- as the office wrote it
    PRIMARY KEY (register, key, column_name)
) STRICT;
