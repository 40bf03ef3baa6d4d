-- Second factors: authenticator apps, recovery codes, passkeys, trusted devices.

-- What the user showed in a session: the methods of the claim amr as bits, the strength (1 to 3) of the claim
-- acr, the time of the last second factor, and of the last one that was no recovery code. Null: written by a
-- version that does not know second factors.
ALTER TABLE sessions ADD COLUMN methods INTEGER;
ALTER TABLE sessions ADD COLUMN assurance INTEGER;
ALTER TABLE sessions ADD COLUMN second_factor_at INTEGER;
ALTER TABLE sessions ADD COLUMN strong_factor_at INTEGER;

-- Digest of the state of the account's second factors when the challenge was stored. The challenge is worthless
-- if they were changed since. Null: the account had none.
ALTER TABLE challenges ADD COLUMN factors_mark BLOB;

-- Random key that seals the secrets of accounts, sealed by the master secret. One row.
CREATE TABLE data_keys (
    id     INTEGER PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT;

-- Accounts that have or had second factors.
CREATE TABLE second_factors (
    user_id  BLOB PRIMARY KEY NOT NULL REFERENCES users (id),
    -- Random, and another one after each change of the account's factors.
    mark     BLOB NOT NULL,
    -- When an administrator removed all factors. The next login by password needs a code by mail then, if the
    -- address is verified. Null: not, or logged in since.
    reset_at INTEGER
) STRICT;

-- Authenticator apps, one of an account.
CREATE TABLE totp (
    user_id       BLOB PRIMARY KEY NOT NULL REFERENCES users (id),
    -- Sealed by the data key.
    sealed_secret BLOB NOT NULL,
    -- The latest step whose code was accepted. No code of it or an earlier one is accepted again.
    last_step     INTEGER NOT NULL,
    confirmed_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE recovery_codes (
    user_id    BLOB NOT NULL REFERENCES users (id),
    -- SHA-256 of the code, whose 80 random bits need no key.
    code_hash  BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, code_hash)
) STRICT;

-- Tokens and WebAuthn challenges that were used before they expired. Unused ones leave no row.
CREATE TABLE spent_tokens (
    digest     BLOB PRIMARY KEY NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX spent_tokens_by_expiry ON spent_tokens (expires_at);

-- Passkeys (WebAuthn credentials) of accounts.
CREATE TABLE passkeys (
    id                 BLOB PRIMARY KEY NOT NULL,
    user_id            BLOB NOT NULL REFERENCES users (id),
    credential_id      BLOB NOT NULL UNIQUE,
    -- The user handle that the authenticator stored with it.
    user_handle        BLOB NOT NULL,
    -- COSE_Key (RFC 9052, section 7).
    public_key         BLOB NOT NULL,
    -- COSE identifier (RFC 9053).
    algorithm          INTEGER NOT NULL,
    sign_count         INTEGER NOT NULL,
    -- Whether it may be, and is, synchronized between devices.
    is_backup_eligible INTEGER NOT NULL,
    is_backed_up       INTEGER NOT NULL,
    -- Model of the authenticator.
    aaguid             BLOB NOT NULL,
    -- Words of WebAuthn, separated by spaces.
    transports         TEXT NOT NULL,
    name               TEXT NOT NULL,
    created_at         INTEGER NOT NULL,
    last_used_at       INTEGER
) STRICT;
CREATE INDEX passkeys_by_user ON passkeys (user_id);

-- The user handle of each account that began to register a passkey: 32 random bytes, which are no account ID.
CREATE TABLE passkey_handles (
    user_id BLOB PRIMARY KEY NOT NULL REFERENCES users (id),
    handle  BLOB NOT NULL UNIQUE
) STRICT;

-- Devices on which a login needs no second factor.
CREATE TABLE trusted_devices (
    id            BLOB PRIMARY KEY NOT NULL,
    user_id       BLOB NOT NULL REFERENCES users (id),
    token_hash    BLOB NOT NULL UNIQUE,
    name          TEXT,
    -- What the password and the factors were when it was trusted. It is worthless once they are others.
    password_mark BLOB,
    factors_mark  BLOB NOT NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX trusted_devices_by_user ON trusted_devices (user_id);
CREATE INDEX trusted_devices_by_expiry ON trusted_devices (expires_at);

-- A version that does not know second factors would log these accounts in by one proof alone, also those whose
-- factors an administrator removed and which have to prove their address. It writes no methods, so its transaction fails here: while replicas of both versions run, and after a roll-back.
CREATE TRIGGER sessions_need_second_factor BEFORE INSERT ON sessions
WHEN NEW.methods IS NULL AND (
    EXISTS (SELECT 1 FROM totp WHERE totp.user_id = NEW.user_id)
    OR EXISTS (SELECT 1 FROM passkeys WHERE passkeys.user_id = NEW.user_id)
    OR EXISTS (SELECT 1 FROM second_factors JOIN users ON users.id = second_factors.user_id
        WHERE second_factors.user_id = NEW.user_id AND reset_at IS NOT NULL
        AND email_verified_at IS NOT NULL)
)
BEGIN
    SELECT RAISE(ABORT, 'the account has a second factor');
END;
