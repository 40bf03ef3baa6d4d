-- Conventions: times are microseconds since the Unix epoch; ids are UUIDv7; IP addresses are
-- 16 bytes, IPv4 mapped into IPv6. No row holds a token, a password or an unencrypted key.
--
-- Columns of words (role, reason, kind, scheme) have no CHECK: a newer version may write words that this
-- one does not know.

-- Sort keys have COLLATE "C": byte order, as in SQLite, whatever the locale of the server.
CREATE TABLE users (
    id                UUID   NOT NULL PRIMARY KEY,
    username          TEXT   NOT NULL,
    -- Canonical form, for lookups.
    username_key      TEXT   COLLATE "C" NOT NULL UNIQUE,
    -- Confusable form (skeleton of UTS 39): no two accounts have names that look alike.
    username_skeleton TEXT   COLLATE "C" NOT NULL UNIQUE,
    email             TEXT,
    email_key         TEXT   COLLATE "C" UNIQUE,
    role              TEXT   NOT NULL,
    created_at        BIGINT NOT NULL,
    last_login_at     BIGINT,
    deactivated_at    BIGINT
);

-- Passwords, apart from accounts: an account may have no password, and other kinds of credentials have
-- tables of their own. A version that does not know a scheme treats the account as one without a
-- password.
CREATE TABLE password_credentials (
    user_id    UUID   NOT NULL PRIMARY KEY REFERENCES users (id),
    scheme     TEXT   NOT NULL,
    hash       TEXT   NOT NULL,
    -- Null: not changed since the account was created.
    changed_at BIGINT
);

-- One row per login. It alone decides which refresh token is valid and what any other one means. A rotation
-- changes no indexed column but the expiry; the free space keeps the new row version on the same page.
CREATE TABLE sessions (
    id                  UUID    NOT NULL PRIMARY KEY,
    user_id             UUID    NOT NULL REFERENCES users (id),
    name                TEXT,
    user_agent          TEXT,
    ip                  BYTEA,
    last_ip             BYTEA,
    created_at          BIGINT  NOT NULL,
    last_used_at        BIGINT  NOT NULL,
    -- The outstanding refresh token.
    token_id            UUID    NOT NULL,
    token_issued_at     BIGINT  NOT NULL,
    token_expires_at    BIGINT  NOT NULL,
    -- The last rotation.
    previous_token_id   UUID,
    rotated_at          BIGINT,
    attempt_hash        BYTEA,
    generation          INTEGER NOT NULL,
    -- The latest expiry of all its access tokens.
    access_expires_at   BIGINT  NOT NULL,
    absolute_expires_at BIGINT,
    -- When the rate limit on refreshes is fully available again; null: never refreshed.
    refresh_limit_until BIGINT,
    -- The retries of the last refresh that are in the audit: 0 none, 1 by the client that refreshed, 2 by
    -- another client.
    logged_retries      INTEGER NOT NULL DEFAULT 0,
    ended_at            BIGINT,
    end_reason          TEXT,
    ended_by            UUID
) WITH (fillfactor = 70);
CREATE INDEX sessions_by_user ON sessions (user_id, id);
CREATE INDEX sessions_by_expiry ON sessions (token_expires_at);
-- A user has few live sessions and any number of ended ones, which a logout need not read.
CREATE INDEX sessions_live_of_user ON sessions (user_id, id) WHERE ended_at IS NULL;
-- Recent ends, for a process that starts. Refreshes do not change it.
CREATE INDEX sessions_by_end ON sessions (ended_at) WHERE ended_at IS NOT NULL;

-- History for people. Whether a token is refused is decided by its session's row.
CREATE TABLE blacklist_entries (
    token_id       UUID    NOT NULL PRIMARY KEY,
    session_id     UUID    NOT NULL REFERENCES sessions (id),
    user_id        UUID    NOT NULL,
    generation     INTEGER NOT NULL,
    reason         TEXT    NOT NULL,
    issued_at      BIGINT  NOT NULL,
    blacklisted_at BIGINT  NOT NULL,
    expires_at     BIGINT  NOT NULL,
    actor_id       UUID,
    ip             BYTEA,
    user_agent     TEXT
);
CREATE INDEX blacklist_entries_by_time ON blacklist_entries (blacklisted_at, token_id);
CREATE INDEX blacklist_entries_by_user ON blacklist_entries (user_id, blacklisted_at, token_id);
CREATE INDEX blacklist_entries_by_session
    ON blacklist_entries (session_id, blacklisted_at, token_id);
CREATE INDEX blacklist_entries_by_expiry ON blacklist_entries (expires_at);

-- The feed of ended sessions, which every process reads. A row is deleted once the last access token of
-- the session has expired. Readers remember the transaction, not the sequence number: PostgreSQL
-- assigns numbers before the commit, so a reader that remembers a number would miss a row that commits
-- late.
CREATE TABLE session_ends (
    seq        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id UUID   NOT NULL UNIQUE,
    user_id    UUID   NOT NULL,
    reason     TEXT   NOT NULL,
    actor_id   UUID,
    ended_at   BIGINT NOT NULL,
    until      BIGINT NOT NULL,
    xid        XID8   NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX session_ends_by_transaction ON session_ends (xid);
CREATE INDEX session_ends_by_until ON session_ends (until);
-- Recent ends of one user.
CREATE INDEX session_ends_of_user ON session_ends (user_id, ended_at);

-- A bulk end of sessions: those of one account, or of all if user_id is null, whose ids are lower than
-- `below`. Access is refused from the commit of this row on. The sessions' own rows are ended later in
-- batches, up to `reached`, by the process that holds the lease. Once all are, `done_at` is set, and
-- `until` is the time at which their last access token has expired.
CREATE TABLE session_floors (
    id             BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id        UUID,
    below          UUID   NOT NULL,
    except_session UUID,
    reason         TEXT   NOT NULL,
    actor_id       UUID,
    ended_at       BIGINT NOT NULL,
    ip             BYTEA,
    user_agent     TEXT,
    note           TEXT,
    reached        UUID   NOT NULL,
    worker         UUID,
    leased_until   BIGINT NOT NULL,
    done_at        BIGINT,
    until          BIGINT
);

CREATE TABLE signing_keys (
    id             UUID   NOT NULL PRIMARY KEY,
    kid            TEXT   NOT NULL UNIQUE,
    algorithm      TEXT   NOT NULL,
    -- Encrypted with the master secret; empty once the private key was destroyed.
    sealed_private BYTEA  NOT NULL,
    created_at     BIGINT NOT NULL,
    activates_at   BIGINT NOT NULL,
    retired_at     BIGINT,
    -- The longest lifetime of a token of this key, from any process, in microseconds.
    token_lifetime BIGINT NOT NULL
);
-- At most one key has no successor: of two concurrent rotations one finds a conflict.
CREATE UNIQUE INDEX signing_keys_without_successor ON signing_keys ((retired_at IS NULL))
    WHERE retired_at IS NULL;

CREATE TABLE audit_events (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        TEXT   NOT NULL,
    occurred_at BIGINT NOT NULL,
    user_id     UUID,
    actor_id    UUID,
    session_id  UUID,
    ip          BYTEA,
    user_agent  TEXT,
    detail      TEXT
);
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
    bucket   BYTEA  NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    delay    BIGINT NOT NULL,
    until    BIGINT NOT NULL
);
CREATE INDEX login_failures_by_until ON login_failures (until);
