-- The move from another system: its accounts, their ids there, and its refresh tokens.

-- Id of the account in the system that it was imported from, the claim user_id. Null: not imported.
ALTER TABLE users ADD COLUMN external_id TEXT;
-- Names of the user's roles as a JSON array of texts. Null: none.
ALTER TABLE users ADD COLUMN roles TEXT;

-- Password hashes of other systems, which a login replaces. Building the index reads the table once and finds
-- none, and a write of a password waits for that long at most.
CREATE INDEX password_credentials_of_others ON password_credentials (user_id) WHERE scheme <> 'ARGON2ID';

-- Systems that accounts were imported from.
CREATE TABLE import_sources (
    source          TEXT   PRIMARY KEY NOT NULL,
    imported_at     INTEGER NOT NULL,
    -- What the last import said of the other system's settings: a JSON object.
    settings        TEXT   NOT NULL,
    -- When the sessions of all users were ended: refresh tokens of before are refused. Null: never.
    tokens_ended_at INTEGER,
    -- The import that runs, and until when it is believed to. Null: none.
    worker          BLOB,
    leased_until    INTEGER,
    -- Whether the ids there are in users.external_id. They are those of one source: two may have the same ids.
    gives_ids       INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Imported accounts.
CREATE TABLE external_accounts (
    source               TEXT   NOT NULL,
    external_id          TEXT   NOT NULL,
    user_id              BLOB   NOT NULL UNIQUE REFERENCES users (id),
    -- Digests of the fields in the file, and of what was written of them here: whether a field was changed
    -- since, there and here.
    imported             BLOB  NOT NULL,
    written              BLOB  NOT NULL,
    imported_at          INTEGER NOT NULL,
    -- MD5 of the password hash in the other system, which its tokens may contain. Null: it had none.
    password_fingerprint BLOB,
    -- Whether the last import left it with a password: one that is missing was removed here.
    has_password         INTEGER NOT NULL DEFAULT 0,
    -- When all sessions of the user were ended: refresh tokens of before are refused. Null: never.
    tokens_ended_at      INTEGER,
    PRIMARY KEY (source, external_id)
) STRICT;

-- Refresh tokens of other systems, by their claim jti: which were issued, which are blacklisted, and which were
-- exchanged for a session. No row holds a token.
CREATE TABLE foreign_tokens (
    source         TEXT   NOT NULL,
    jti            TEXT   NOT NULL,
    -- Whose it is. Null: the import names only its end.
    external_id    TEXT,
    created_at     INTEGER,
    expires_at     INTEGER NOT NULL,
    blacklisted_at INTEGER,
    -- The session that it was exchanged for. Null: it was not.
    session_id     BLOB,
    exchanged_at   INTEGER,
    PRIMARY KEY (source, jti)
) STRICT;
CREATE INDEX foreign_tokens_by_expiry ON foreign_tokens (expires_at);
CREATE INDEX foreign_tokens_by_session ON foreign_tokens (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX foreign_tokens_exchanged ON foreign_tokens (source, exchanged_at)
    WHERE exchanged_at IS NOT NULL;
