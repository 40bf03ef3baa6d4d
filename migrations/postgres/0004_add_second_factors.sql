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

-- Passkeys (WebAuthn credentials) of accounts.
CREATE TABLE passkeys (
    id                 UUID PRIMARY KEY NOT NULL,
    user_id            UUID NOT NULL REFERENCES users (id),
    credential_id      BYTEA NOT NULL UNIQUE,
    -- The user handle that the authenticator stored with it.
    user_handle        BYTEA NOT NULL,
    -- COSE_Key (RFC 9052, section 7).
    public_key         BYTEA NOT NULL,
    -- COSE identifier (RFC 9053).
    algorithm          INTEGER NOT NULL,
    sign_count         BIGINT NOT NULL,
    -- Whether it may be, and is, synchronized between devices.
    is_backup_eligible BOOLEAN NOT NULL,
    is_backed_up       BOOLEAN NOT NULL,
    -- Model of the authenticator.
    aaguid             UUID NOT NULL,
    -- Words of WebAuthn, separated by spaces.
    transports         TEXT NOT NULL,
    name               TEXT NOT NULL,
    created_at         BIGINT NOT NULL,
    last_used_at       BIGINT
);
CREATE INDEX passkeys_by_user ON passkeys (user_id);

-- The user handle of each account that began to register a passkey: 32 random bytes, which are no account ID.
CREATE TABLE passkey_handles (
    user_id UUID PRIMARY KEY NOT NULL REFERENCES users (id),
    handle  BYTEA NOT NULL UNIQUE
);

-- Devices on which a login needs no second factor.
CREATE TABLE trusted_devices (
    id            UUID PRIMARY KEY NOT NULL,
    user_id       UUID NOT NULL REFERENCES users (id),
    token_hash    BYTEA NOT NULL UNIQUE,
    name          TEXT,
    -- What the password and the factors were when it was trusted. It is worthless once they are others.
    password_mark BYTEA,
    factors_mark  BYTEA NOT NULL,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL
);
CREATE INDEX trusted_devices_by_user ON trusted_devices (user_id);
CREATE INDEX trusted_devices_by_expiry ON trusted_devices (expires_at);

-- A version that does not know second factors would log these accounts in by one proof alone, also those whose
-- factors an administrator removed and which have to prove their address. It writes no methods, so its transaction fails here: while replicas of both versions run, and after a roll-back.
CREATE FUNCTION refuse_single_factor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM totp WHERE totp.user_id = NEW.user_id)
        OR EXISTS (SELECT 1 FROM passkeys WHERE passkeys.user_id = NEW.user_id)
        OR EXISTS (SELECT 1 FROM second_factors JOIN users ON users.id = second_factors.user_id
            WHERE second_factors.user_id = NEW.user_id AND reset_at IS NOT NULL
            AND email_verified_at IS NOT NULL) THEN
        RAISE EXCEPTION 'the account has a second factor';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER sessions_need_second_factor BEFORE INSERT ON sessions
FOR EACH ROW WHEN (NEW.methods IS NULL) EXECUTE FUNCTION refuse_single_factor();
