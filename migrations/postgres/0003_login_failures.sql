-- Wrong passwords, counted under a keyed digest of the name, of the address, or of both: nothing here
-- can be read, and people type passwords where the name belongs. A row is worthless a day after
-- `until`.
CREATE TABLE login_failures (
    bucket   BYTEA   NOT NULL PRIMARY KEY,
    failures BIGINT  NOT NULL,
    delay    BIGINT  NOT NULL,
    until    BIGINT  NOT NULL
);
CREATE INDEX login_failures_by_until ON login_failures (until);
