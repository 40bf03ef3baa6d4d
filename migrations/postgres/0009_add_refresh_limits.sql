-- How fast a session may be refreshed: from when on it is as if it had not been. Null: never refreshed
-- by a version that counts.
ALTER TABLE sessions ADD COLUMN refresh_limit_until BIGINT;

-- Which repeats of the last refresh are in the audit: 0 none, 1 one by the client that refreshed, 2 one
-- by another client. A version that does not know it leaves it as it is.
ALTER TABLE sessions ADD COLUMN repeat_noted INTEGER NOT NULL DEFAULT 0;
