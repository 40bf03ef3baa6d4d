-- What ended lately, for a process that starts. No refresh changes it.
CREATE INDEX sessions_by_end ON sessions (ended_at) WHERE ended_at IS NOT NULL;
