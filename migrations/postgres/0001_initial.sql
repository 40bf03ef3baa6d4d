-- Times are microseconds since the Unix epoch, ids are UUIDv7, addresses are 16 bytes (IPv4 mapped
-- into IPv6). No row holds a token, a password or a usable key.

-- Keys that lists are ordered by compare bytewise, as SQLite does, whatever the cluster's locale.
CREATE TABLE users (
    id                  UUID    NOT NULL PRIMARY KEY,
    username            TEXT    NOT NULL,
    username_key        TEXT    COLLATE "C" NOT NULL UNIQUE,
    email               TEXT,
    email_key           TEXT    COLLATE "C" UNIQUE,
    password_hash       TEXT    NOT NULL,
    role                TEXT    NOT NULL CHECK (role IN ('USER', 'ADMIN')),
    created_at          BIGINT  NOT NULL,
    last_login_at       BIGINT,
    password_changed_at BIGINT,
    deactivated_at      BIGINT
);

-- One row a login. It alone says which refresh token is good and what the others mean. A rotation
-- changes no indexed column but the expiry; the free space keeps its new version on the same page.
CREATE TABLE sessions (
    id                  UUID    NOT NULL PRIMARY KEY,
    user_id             UUID    NOT NULL REFERENCES users (id),
    name                TEXT,
    user_agent          TEXT,
    ip                  BYTEA,
    last_ip             BYTEA,
    created_at          BIGINT  NOT NULL,
    last_used_at        BIGINT  NOT NULL,
    token_id            UUID    NOT NULL,
    token_issued_at     BIGINT  NOT NULL,
    token_expires_at    BIGINT  NOT NULL,
    previous_token_id   UUID,
    rotated_at          BIGINT,
    attempt_hash        BYTEA,
    generation          INTEGER NOT NULL,
    access_expires_at   BIGINT  NOT NULL,
    absolute_expires_at BIGINT,
    ended_at            BIGINT,
    end_reason          TEXT,
    ended_by            UUID
) WITH (fillfactor = 70);
CREATE INDEX sessions_by_user ON sessions (user_id, id);
CREATE INDEX sessions_by_expiry ON sessions (token_expires_at);

-- History for people to read; that a token is refused follows from its session's row.
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

-- What every running process must learn. A row is needed until the last access token of the session
-- is dead. Readers follow the transaction, not the number: numbers are taken before the commit, so
-- a reader that follows them misses a row that commits late.
CREATE TABLE session_ends (
    seq        BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id UUID    NOT NULL UNIQUE,
    user_id    UUID    NOT NULL,
    reason     TEXT    NOT NULL,
    actor_id   UUID,
    ended_at   BIGINT  NOT NULL,
    until      BIGINT  NOT NULL,
    xid        XID8    NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX session_ends_by_transaction ON session_ends (xid);
CREATE INDEX session_ends_by_until ON session_ends (until);

-- The private part is sealed with the master secret.
CREATE TABLE signing_keys (
    id             UUID    NOT NULL PRIMARY KEY,
    kid            TEXT    NOT NULL UNIQUE,
    algorithm      TEXT    NOT NULL,
    sealed_private BYTEA   NOT NULL,
    created_at     BIGINT  NOT NULL,
    activates_at   BIGINT  NOT NULL,
    retired_at     BIGINT
);

CREATE TABLE audit_events (
    id          BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        TEXT    NOT NULL,
    occurred_at BIGINT  NOT NULL,
    user_id     UUID,
    actor_id    UUID,
    session_id  UUID,
    ip          BYTEA,
    user_agent  TEXT,
    detail      TEXT
);
CREATE INDEX audit_events_by_user ON audit_events (user_id, id);
CREATE INDEX audit_events_by_time ON audit_events (occurred_at);
