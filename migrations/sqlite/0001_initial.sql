-- Conventions: times are microseconds since the Unix epoch; ids are UUIDv7 in 16 bytes; IP addresses are
-- 16 bytes, IPv4 mapped into IPv6. No row holds a token, a password or an unencrypted key.
--
-- Enumerated columns (role, reason, kind, scheme) have no CHECK constraint: a newer version may write
-- values that this version does not know.

-- Users.
CREATE TABLE users (
    id                BLOB    NOT NULL PRIMARY KEY,
    username          TEXT    NOT NULL,
    -- Canonical form of the username, for lookups.
    username_key      TEXT    NOT NULL UNIQUE,
    -- Skeleton (UTS 39) of the username. UNIQUE prevents usernames that look alike.
    username_skeleton TEXT    NOT NULL UNIQUE,
    email             TEXT,
    -- Canonical form of the e-mail address, for lookups.
    email_key         TEXT    UNIQUE,
    role              TEXT    NOT NULL,
    created_at        INTEGER NOT NULL,
    last_login_at     INTEGER,
    -- Null: the user is active.
    deactivated_at    INTEGER
) STRICT;

-- Password hashes. A separate table, because a user may have no password, and other kinds of credentials
-- have their own tables. A version that does not know a scheme treats the user as one without a password.
CREATE TABLE password_credentials (
    user_id    BLOB    NOT NULL PRIMARY KEY REFERENCES users (id),
    scheme     TEXT    NOT NULL,
    hash       TEXT    NOT NULL,
    -- Null: not changed since the user was created.
    changed_at INTEGER
) STRICT;

-- Sessions, one row per login. The row alone decides which refresh token is valid, and whether any other
-- refresh token of the session is a retry or a reuse.
CREATE TABLE sessions (
    id                  BLOB    NOT NULL PRIMARY KEY,
    user_id             BLOB    NOT NULL REFERENCES users (id),
    name                TEXT,
    user_agent          TEXT,
    ip                  BLOB,
    last_ip             BLOB,
    created_at          INTEGER NOT NULL,
    last_used_at        INTEGER NOT NULL,
    -- The current refresh token; the token itself is not stored.
    token_id            BLOB    NOT NULL,
    token_issued_at     INTEGER NOT NULL,
    token_expires_at    INTEGER NOT NULL,
    -- The last rotation: the refresh token that it replaced, its time, and the hash of its attempt ID.
    previous_token_id   BLOB,
    rotated_at          INTEGER,
    attempt_hash        BLOB,
    -- Number of rotations.
    generation          INTEGER NOT NULL,
    -- Latest expiry of all access tokens of the session.
    access_expires_at   INTEGER NOT NULL,
    absolute_expires_at INTEGER,
    -- When the rate limit of refreshes is fully available again. Null: never refreshed.
    refresh_limit_until INTEGER,
    -- Retries of the last refresh that have an audit event: 0 none, 1 by the client that refreshed, 2 by
    -- another client.
    logged_retries      INTEGER NOT NULL DEFAULT 0,
    -- Null: the session has not ended. An expired session is not an ended one.
    ended_at            INTEGER,
    end_reason          TEXT,
    ended_by            BLOB
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id, id);
CREATE INDEX sessions_by_expiry ON sessions (token_expires_at);
-- A logout reads this index only: a user has few sessions that have not ended, and many that have.
CREATE INDEX sessions_live_of_user ON sessions (user_id, id) WHERE ended_at IS NULL;
-- Recently ended sessions, which a process reads at start. Refreshes do not change this index.
CREATE INDEX sessions_by_end ON sessions (ended_at) WHERE ended_at IS NOT NULL;

-- Blacklisted refresh tokens, for display. The row of the session decides whether a token is refused.
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

-- Feed of ended sessions, which every process reads. A row is deleted after `until`, when the last access
-- token of the session has expired. AUTOINCREMENT: a sequence number is never reused after its row is
-- deleted, because readers store their position as a sequence number.
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
-- Recently ended sessions of one user.
CREATE INDEX session_ends_of_user ON session_ends (user_id, ended_at);

-- Bulk ends of sessions. A row ends the sessions of one user, or of all users if user_id is null, whose
-- IDs are lower than `below`, except `except_session`. Their tokens are refused from the commit of this
-- row on. The process that holds the lease (`worker`, `leased_until`) ends the rows of the sessions later,
-- in batches; `reached` is its progress. When all rows are ended, `done_at` is set, and `until` is the
-- time at which the last access token of these sessions has expired.
CREATE TABLE session_floors (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id        BLOB,
    below          BLOB    NOT NULL,
    except_session BLOB,
    reason         TEXT    NOT NULL,
    actor_id       BLOB,
    ended_at       INTEGER NOT NULL,
    ip             BLOB,
    user_agent     TEXT,
    note           TEXT,
    reached        BLOB    NOT NULL,
    worker         BLOB,
    leased_until   INTEGER NOT NULL,
    done_at        INTEGER,
    until          INTEGER
) STRICT;

-- Signing keys of access tokens.
CREATE TABLE signing_keys (
    id             BLOB    NOT NULL PRIMARY KEY,
    kid            TEXT    NOT NULL UNIQUE,
    algorithm      TEXT    NOT NULL,
    -- Private key, encrypted with the master secret. Empty: the private key was destroyed.
    sealed_private BLOB    NOT NULL,
    created_at     INTEGER NOT NULL,
    activates_at   INTEGER NOT NULL,
    -- When its successor starts to sign. Null: there is no successor.
    retired_at     INTEGER,
    -- Longest lifetime, in microseconds, of the tokens that any process has signed with this key.
    token_lifetime INTEGER NOT NULL
) STRICT;
-- At most one key has no successor. Of two concurrent rotations, one fails with a conflict.
CREATE UNIQUE INDEX signing_keys_without_successor ON signing_keys ((retired_at IS NULL))
    WHERE retired_at IS NULL;

-- Audit events. `detail` is a value such as the end reason, with the note of the administrator.
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
CREATE INDEX audit_events_in_order ON audit_events (occurred_at, id);
CREATE INDEX audit_events_of_user ON audit_events (user_id, occurred_at, id);
CREATE INDEX audit_events_of_kind ON audit_events (kind, occurred_at, id);
CREATE INDEX audit_events_of_session ON audit_events (session_id, occurred_at, id)
    WHERE session_id IS NOT NULL;
-- For the deletion of client metadata by age: only the rows that have metadata.
CREATE INDEX audit_events_with_metadata ON audit_events (occurred_at)
    WHERE ip IS NOT NULL OR user_agent IS NOT NULL;

-- Counters of failed logins. `bucket` is a keyed digest of the username, of the IP address, or of both:
-- the username is not stored, because users sometimes type their password into its field. A row is
-- deleted one day after `until`.
CREATE TABLE login_failures (
    bucket   BLOB    NOT NULL PRIMARY KEY,
    failures INTEGER NOT NULL,
    delay    INTEGER NOT NULL,
    until    INTEGER NOT NULL
) STRICT;
CREATE INDEX login_failures_by_until ON login_failures (until);
