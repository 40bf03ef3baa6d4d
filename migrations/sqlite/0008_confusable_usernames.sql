-- What a username looks like: its skeleton by UTS 39, whatever the case. No two accounts have names
-- that look alike. Names of ASCII stand for themselves; of others that were there before, nothing is
-- known, and they stay as they are.
ALTER TABLE users ADD COLUMN username_skeleton TEXT;
UPDATE users SET username_skeleton = username_key WHERE length(CAST(username AS BLOB)) = length(username);
CREATE UNIQUE INDEX users_by_skeleton ON users (username_skeleton);
