-- The audit's lists go by time: of everybody, of one user, of one kind. They replace indexes that
-- their first columns serve as well.
CREATE INDEX audit_events_in_order ON audit_events (occurred_at, id);
CREATE INDEX audit_events_of_user ON audit_events (user_id, occurred_at, id);
CREATE INDEX audit_events_of_kind ON audit_events (kind, occurred_at, id);
DROP INDEX audit_events_by_user;
DROP INDEX audit_events_by_time;
-- Only what has an address or a client is looked at when these are to go.
CREATE INDEX audit_events_with_metadata ON audit_events (occurred_at)
    WHERE ip IS NOT NULL OR user_agent IS NOT NULL;
