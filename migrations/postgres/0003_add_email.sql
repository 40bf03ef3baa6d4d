-- E-mail: challenges that a code or a link of a mail completes, the outbox, and limits on mails.

-- Logins, changes and proofs that wait for their next step. No row holds a token or a code. A row is used
-- once, and deleted after `expires_at`.
CREATE TABLE challenges (
    id              UUID    NOT NULL PRIMARY KEY,
    -- SHA-256 of the token that the client holds. Null: the client proves itself by its session, or the
    -- challenge has a link only.
    token_hash      BYTEA   UNIQUE,
    purpose         TEXT    NOT NULL,
    -- Null: the name that was entered has no account. Such a challenge is like any other, and no code fits.
    user_id         UUID,
    -- Keyed digest of the name that was entered, by which wrong codes are counted across challenges.
    account         BYTEA   NOT NULL,
    -- Session of the user who asked for it.
    session_id      UUID,
    -- Address that the code was sent to: canonical form, and as it was entered. For a change it is the new
    -- address, for its reversal the former one.
    email_key       TEXT,
    email           TEXT,
    -- Canonical form of the account's address when the challenge was stored. The challenge is worthless if
    -- the account has another one by now. Null: it had none.
    bound_email_key TEXT,
    -- Proofs that were shown before, separated by spaces.
    shown           TEXT    NOT NULL,
    -- SHA-256 of the password hash of the account. The challenge is worthless if the account has another
    -- one by now. Null: the account had no password.
    password_mark   BYTEA,
    session_name    TEXT,
    -- Keyed digest of the code. Null: no code was sent.
    code_mac        BYTEA,
    code_expires_at BIGINT,
    -- SHA-256 of the token in the link. Null: no link was sent.
    link_hash       BYTEA   UNIQUE,
    attempts_left   INTEGER NOT NULL,
    created_at      BIGINT  NOT NULL,
    expires_at      BIGINT  NOT NULL,
    used_at         BIGINT
);
CREATE INDEX challenges_by_expiry ON challenges (expires_at);
-- Former addresses of accounts that can still take their change back.
CREATE INDEX challenges_revertible ON challenges (email_key) WHERE purpose = 'REVERT';
CREATE INDEX challenges_of_user ON challenges (user_id, purpose, created_at);

-- Outbox: mails that wait to be sent. The row is inserted in the transaction of the change that the mail
-- is about.
CREATE TABLE emails (
    id              UUID    NOT NULL PRIMARY KEY,
    purpose         TEXT    NOT NULL,
    user_id         UUID,
    -- Null: a decoy, which is never sent. It makes requests for unknown names cost the same.
    address         TEXT,
    language        TEXT    NOT NULL,
    -- The values of the template as JSON; encrypted with the master secret if a code or a link with a token
    -- is among them. One of the two is not null.
    content         TEXT,
    sealed          BYTEA,
    -- PENDING, KEPT (there is no SMTP server, and the mail is shown to administrators) or FAILED.
    state           TEXT    NOT NULL,
    attempts        INTEGER NOT NULL,
    -- When a pending mail is sent next. Under way: when its lease ends.
    due_at          BIGINT  NOT NULL,
    -- After this time the mail is worthless, and is not sent.
    expires_at      BIGINT  NOT NULL,
    -- Of the latest attempt. Null: no attempt has failed, or one is under way.
    last_error      TEXT,
    created_at      BIGINT  NOT NULL
);
CREATE INDEX emails_due ON emails (due_at) WHERE state = 'PENDING';
CREATE INDEX emails_of_user ON emails (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX emails_by_time ON emails (created_at, id);

-- Mails that were caused by strangers, counted by recipient, by address and network of the sender, and in
-- total. `bucket` is a keyed digest.
CREATE TABLE email_limits (
    bucket          BYTEA   NOT NULL PRIMARY KEY,
    -- Times of the latest mails, newest first, each in 16 digits.
    times           TEXT    NOT NULL,
    -- The row may be deleted then.
    until           BIGINT  NOT NULL
);
CREATE INDEX email_limits_by_until ON email_limits (until);

-- Accounts that were registered where an address has to be verified first. One whose address another account
-- had was created without it, so that nothing tells that the address was taken. While it has none it gets no
-- session, and a row that is a day old takes the account with it. If the account has an address the row means
-- nothing: it is written so that both registrations write the same. Not columns of users: an index on that
-- table would block logins while it is built.
CREATE TABLE unproved_registrations (
    user_id       UUID    PRIMARY KEY NOT NULL REFERENCES users (id),
    -- The address as it is shown to the client, such as a***@example.com.
    sent_to       TEXT    NOT NULL,
    registered_at BIGINT  NOT NULL
);
CREATE INDEX unproved_registrations_by_time ON unproved_registrations (registered_at);
