-- Conventions: times are microseconds since the Unix epoch; ids are UUIDv7 in 16 bytes; IP addresses are
-- 16 bytes, IPv4 mapped into IPv6. No row holds a token, a password or an unencrypted key.
--
-- Columns of words (role, reason, kind, scheme) have no CHECK: a newer version may write words that this
-- one does not know.

CREATE TABLE users (
    id                BLOB    NOT NULL PRIMARY KEY,
    username          TEXT    NOT NULL,
    -- Canonical form, for lookups.
    username_key      TEXT    NOT NULL UNIQUE,
    -- Confusable form (skeleton of UTS 39): no two accounts have names that look alike.
    username_skeleton TEXT    NOT NULL UNIQUE,
    email             TEXT,
    email_key         TEXT    UNIQUE,
    role              TEXT    NOT NULL,
    created_at        INTEGER NOT NULL,
    last_login_at     INTEGER,
    deactivated_at    INTEGER
) STRICT;

-- Passwords, apart from accounts: an account may have no password, and other kinds of credentials have
-- tables of their own. A version that does not know a scheme treats the account as one without a
-- password.
CREATE TABLE password_credentials (
    user_id    BLOB    NOT NULL PRIMARY KEY REFERENCES users (id),
    scheme     TEXT    NOT NULL,
    hash       TEXT    NOT NULL,
    -- Null: not changed since the account was created.
    changed_at INTEGER
) STRICT;

-- One row per login. It alone decides which refresh token is valid and what any other one means.
CREATE TABLE sessions (
    id                  BLOB    NOT NULL PRIMARY KEY,
    user_id             BLOB    NOT NULL REFERENCES users (id),
    name                TEXT,
    user_agent          TEXT,
    ip                  BLOB,
    last_ip             BLOB,
    created_at          INTEGER NOT NULL,
    last_used_at        INTEGER NOT NULL,
    -- The outstanding refresh token.
    token_id            BLOB    NOT NULL,
    token_issued_at     INTEGER NOT NULL,
    token_expires_at    INTEGER NOT NULL,
    -- The last rotation.
    previous_token_id   BLOB,
    rotated_at          INTEGER,
    attempt_hash        BLOB,
    generation          INTEGER NOT NULL,
    -- The latest expiry of all its access tokens.
    access_expires_at   INTEGER NOT NULL,
    absolute_expires_at INTEGER,
    -- When the rate limit on refreshes is fully available again; null: never refreshed.
    refresh_limit_until INTEGER,
    -- The retries of the last refresh that are in the audit: 0 none, 1 by the client that refreshed, 2 by
    -- another client.
    logged_retries      INTEGER NOT NULL DEFAULT 0,
    ended_at            INTEGER,
    end_reason          TEXT,
    ended_by            BLOB
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id, id);
CREATE INDEX sessions_by_expiry ON sessions (token_expires_at);
-- A user has few live sessions and any number of ended ones, which a logout need not read.
CREATE INDEX sessions_live_of_user ON sessions (user_id, id) WHERE ended_at IS NULL;
-- Recent ends, for a process that starts. Refreshes do not change it.
CREATE INDEX sessions_by_end ON sessions (ended_at) WHERE ended_at IS NOT NULL;

-- History for people. Whether a token is refused is decided by its session's row.
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

-- The feed of ended sessions, which every process reads. A row is deleted once the last access token of
-- the session has expired. AUTOINCREMENT, so that a purge never frees a number that a reader has
-- passed.
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
-- Recent ends of one user.
CREATE INDEX session_ends_of_user ON session_ends (user_id, ended_at);

-- A bulk end of sessions: those of one account, or of all if user_id is null, whose ids are lower than
-- `below`. Access is refused from the commit of this row on. The sessions' own rows are ended later in
-- batches, up to `reached`, by the process that holds the lease. Once all are, `done_at` is set, and
-- `until` is the time at which their last access token has expired.
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

CREATE TABLE signing_keys (
    id             BLOB    NOT NULL PRIMARY KEY,
    kid            TEXT    NOT NULL UNIQUE,
    algorithm      TEXT    NOT NULL,
    -- Encrypted with the master secret; empty once the private key was destroyed.
    sealed_private BLOB    NOT NULL,
    created_at     INTEGER NOT NULL,
    activates_at   INTEGER NOT NULL,
    retired_at     INTEGER,
    -- The longest lifetime of a token of this key, from any process, in microseconds.
    token_lifetime INTEGER NOT NULL
) STRICT;
-- At most one key has no successor: of two concurrent rotations one finds a conflict.
CREATE UNIQUE INDEX signing_keys_without_successor ON signing_keys ((retired_at IS NULL))
    WHERE retired_at IS NULL;

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
-- For the removal of client metadata: only rows that have any.
CREATE INDEX audit_events_with_metadata ON audit_events (occurred_at)
    WHERE ip IS NOT NULL OR user_agent IS NOT NULL;

-- Counters of failed logins, by a keyed digest of the name, of the address, or of both: people type
-- passwords where the name belongs, so no name is stored. A row is deleted a day after `until`.
CREATE TABLE login_failures (
    bucket   BLOB    NOT NULL PRIMARY KEY,
    failures INTEGER NOT NULL,
    delay    INTEGER NOT NULL,
    until    INTEGER NOT NULL
) STRICT;
CREATE INDEX login_failures_by_until ON login_failures (until);
