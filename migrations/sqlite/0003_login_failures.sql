-- Wrong passwords, counted under a keyed digest of the name, of the address, or of both: nothing here
-- can be read, and people type passwords where the name belongs. A row is worthless a day after
-- `until`.
CREATE TABLE login_failures (
    bucket   BLOB    NOT NULL PRIMARY KEY,
    failures INTEGER NOT NULL,
    delay    INTEGER NOT NULL,
    until    INTEGER NOT NULL
) STRICT;
CREATE INDEX login_failures_by_until ON login_failures (until);
