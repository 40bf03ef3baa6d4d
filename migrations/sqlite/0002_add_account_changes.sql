-- Changes of accounts: usernames and e-mail addresses that change, deletion, and renewed proof of the user.

-- When the e-mail address was verified. Null: not verified.
ALTER TABLE users ADD COLUMN email_verified_at INTEGER;
-- Language tag (BCP 47) that the user chose. Null: none.
ALTER TABLE users ADD COLUMN locale TEXT;
-- Null: not deleted. A deleted account stays as a row that audit events refer to. It has no e-mail address
-- and a generic username; username_key, username_skeleton and email_key reserve the former names for 30
-- days, and are then replaced or emptied. A version that does not know this column sees a deactivated user.
ALTER TABLE users ADD COLUMN deleted_at INTEGER;

-- Deletions that still have something to do: client metadata to remove, names to free. Not columns of users:
-- an index on that table would block logins while it is built.
CREATE TABLE deleted_users (
    user_id    BLOB    PRIMARY KEY NOT NULL REFERENCES users (id),
    deleted_at INTEGER NOT NULL,
    -- When the last IP address and user agent of the user were removed. Null: not yet.
    erased_at  INTEGER
) STRICT;
CREATE INDEX deleted_users_by_time ON deleted_users (deleted_at);

-- Former usernames, which nobody else may take until `reserved_until`.
CREATE TABLE former_usernames (
    user_id           BLOB    NOT NULL REFERENCES users (id),
    username_key      TEXT    NOT NULL,
    username_skeleton TEXT    NOT NULL,
    reserved_until    INTEGER NOT NULL,
    PRIMARY KEY (user_id, username_key)
) STRICT;
CREATE INDEX former_usernames_by_key ON former_usernames (username_key);
CREATE INDEX former_usernames_by_skeleton ON former_usernames (username_skeleton);
CREATE INDEX former_usernames_by_end ON former_usernames (reserved_until);

-- When the user last proved to be the user, the claim auth_time. Null: at the creation of the session.
ALTER TABLE sessions ADD COLUMN authenticated_at INTEGER;

-- Keyed digest of the username or e-mail address alone, by which an administrator resets all counters of an
-- account. Null: the counter belongs to no account, or a version that does not know the column wrote it.
ALTER TABLE login_failures ADD COLUMN account BLOB;
CREATE INDEX login_failures_of_account ON login_failures (account) WHERE account IS NOT NULL;
