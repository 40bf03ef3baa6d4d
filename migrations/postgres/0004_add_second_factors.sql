-- Second factors: authenticator apps, recovery codes, passkeys, trusted devices.

-- What the user showed in a session: the methods of the claim amr as bits, the strength (1 to 3) of the claim
-- acr, the time of the last second factor, and of the last one that was no recovery code. Null: written by a
-- version that does not know second factors.
ALTER TABLE sessions ADD COLUMN methods INTEGER;
ALTER TABLE sessions ADD COLUMN assurance SMALLINT;
ALTER TABLE sessions ADD COLUMN second_factor_at BIGINT;
ALTER TABLE sessions ADD COLUMN strong_factor_at BIGINT;

-- Digest of the state of the account's second factors when the challenge was stored. The challenge is worthless
-- if they were changed since. Null: the account had none.
ALTER TABLE challenges ADD COLUMN factors_mark BYTEA;

-- Random key that seals the secrets of accounts, sealed by the master secret. One row.
CREATE TABLE data_keys (
    id     INTEGER PRIMARY KEY,
    sealed BYTEA NOT NULL
);

-- Accounts that have or had second factors.
CREATE TABLE second_factors (
    user_id  UUID PRIMARY KEY NOT NULL REFERENCES users (id),
    -- Random, and another one after each change of the account's factors.
    mark     BYTEA NOT NULL,
    -- When an administrator removed all factors. The next login by password needs a code by mail then, if the
    -- address is verified. Null: not, or logged in since.
    reset_at BIGINT
);

-- Authenticator apps, one of an account.
CREATE TABLE totp (
    user_id       UUID PRIMARY KEY NOT NULL REFERENCES users (id),
    -- Sealed by the data key.
    sealed_secret BYTEA NOT NULL,
    -- The latest step whose code was accepted. No code of it or an earlier one is accepted again.
    last_step     BIGINT NOT NULL,
    confirmed_at  BIGINT NOT NULL
);

CREATE TABLE recovery_codes (
    user_id    UUID NOT NULL REFERENCES users (id),
    -- SHA-256 of the code, whose 80 random bits need no key.
    code_hash  BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, code_hash)
);

-- Tokens and WebAuthn challenges that were used before they expired. Unused ones leave no row.
CREATE TABLE spent_tokens (
    digest     BYTEA PRIMARY KEY NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX spent_tokens_by_expiry ON spent_tokens (expires_at);
