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
