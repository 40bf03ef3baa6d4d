-- Times are microseconds since the Unix epoch, ids are UUIDv7 in 16 bytes, addresses are 16 bytes
-- (IPv4 mapped into IPv6). No row holds a token, a password or a usable key.

CREATE TABLE users (
    id                  BLOB    NOT NULL PRIMARY KEY,
    username            TEXT    NOT NULL,
    username_key        TEXT    NOT NULL UNIQUE,
    email               TEXT,
    email_key           TEXT    UNIQUE,
    password_hash       TEXT    NOT NULL,
    role                TEXT    NOT NULL CHECK (role IN ('USER', 'ADMIN')),
    created_at          INTEGER NOT NULL,
    last_login_at       INTEGER,
    password_changed_at INTEGER,
    deactivated_at      INTEGER
) STRICT;

-- One row a login. It alone says which refresh token is good and what the others mean.
CREATE TABLE sessions (
    id                  BLOB    NOT NULL PRIMARY KEY,
    user_id             BLOB    NOT NULL REFERENCES users (id),
    name                TEXT,
    user_agent          TEXT,
    ip                  BLOB,
    last_ip             BLOB,
    created_at          INTEGER NOT NULL,
    last_used_at        INTEGER NOT NULL,
    token_id            BLOB    NOT NULL,
    token_issued_at     INTEGER NOT NULL,
    token_expires_at    INTEGER NOT NULL,
    previous_token_id   BLOB,
    rotated_at          INTEGER,
    attempt_hash        BLOB,
    generation          INTEGER NOT NULL,
    access_expires_at   INTEGER NOT NULL,
    absolute_expires_at INTEGER,
    ended_at            INTEGER,
    end_reason          TEXT,
    ended_by            BLOB
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id, id);
CREATE INDEX sessions_by_expiry ON sessions (token_expires_at);

-- History for people to read; that a token is refused follows from its session's row.
CREATE TABLE blacklist_entries (
    token_id       BLOB    NOT NULL PRIMARY KEY,
    session_id     BLOB    NOT NULL REFERENCES sessions (id),
    user_id        BLOB    NOT NULL,
    generation     INTEGER NOT NULL,
    reason         TEXT    NOT NULL,
    issued_at      INTEGER NOT NULL,
    blacklisted_at INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    actor_id       BLOB,
    ip             BLOB,
    user_agent     TEXT
) STRICT;
CREATE INDEX blacklist_entries_by_time ON blacklist_entries (blacklisted_at, token_id);
CREATE INDEX blacklist_entries_by_user ON blacklist_entries (user_id, blacklisted_at, token_id);
CREATE INDEX blacklist_entries_by_session
    ON blacklist_entries (session_id, blacklisted_at, token_id);
CREATE INDEX blacklist_entries_by_expiry ON blacklist_entries (expires_at);

-- What every running process must learn. A row is needed until the last access token of the session
-- is dead. AUTOINCREMENT, so that a purge never frees a number that a reader has passed.
CREATE TABLE session_ends (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id BLOB    NOT NULL UNIQUE,
    user_id    BLOB    NOT NULL,
    reason     TEXT    NOT NULL,
    actor_id   BLOB,
    ended_at   INTEGER NOT NULL,
    until      INTEGER NOT NULL
) STRICT;
CREATE INDEX session_ends_by_until ON session_ends (until);

-- The private part is sealed with the master secret.
CREATE TABLE signing_keys (
    id             BLOB    NOT NULL PRIMARY KEY,
    kid            TEXT    NOT NULL UNIQUE,
    algorithm      TEXT    NOT NULL,
    sealed_private BLOB    NOT NULL,
    created_at     INTEGER NOT NULL,
    activates_at   INTEGER NOT NULL,
    retired_at     INTEGER
) STRICT;

CREATE TABLE audit_events (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    kind        TEXT    NOT NULL,
    occurred_at INTEGER NOT NULL,
    user_id     BLOB,
    actor_id    BLOB,
    session_id  BLOB,
    ip          BLOB,
    user_agent  TEXT,
    detail      TEXT
) STRICT;
CREATE INDEX audit_events_by_user ON audit_events (user_id, id);
CREATE INDEX audit_events_by_time ON audit_events (occurred_at);
