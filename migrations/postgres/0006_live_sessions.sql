-- Who logs out everywhere, or may have so many sessions, has few that are live, and any number that
-- ended: those need not be read to find the others.
CREATE INDEX sessions_live_of_user ON sessions (user_id, id) WHERE ended_at IS NULL;

-- What of a user ended a moment ago, among all that ever did.
CREATE INDEX session_ends_of_user ON session_ends (user_id, ended_at);
