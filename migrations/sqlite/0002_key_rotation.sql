-- The longest that a token can be alive after the key signed it, whatever process did, in
-- microseconds. Of the keys that are there nobody noted it: a day is longer than they sign for.
-- A private part of no bytes is one that was destroyed.
ALTER TABLE signing_keys ADD COLUMN token_lifetime INTEGER NOT NULL DEFAULT 0;
UPDATE signing_keys SET token_lifetime = 86400000000;

-- One key at most has no successor: it signs, or will. Of two rotations at once one finds it.
UPDATE signing_keys SET retired_at = (SELECT max(activates_at) FROM signing_keys)
    WHERE retired_at IS NULL
    AND id <> (SELECT id FROM signing_keys ORDER BY activates_at DESC, id DESC LIMIT 1);
CREATE UNIQUE INDEX signing_keys_without_successor ON signing_keys ((retired_at IS NULL))
    WHERE retired_at IS NULL;
