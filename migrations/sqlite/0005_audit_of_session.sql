-- What happened in one session, in order.
CREATE INDEX audit_events_of_session ON audit_events (session_id, occurred_at, id)
    WHERE session_id IS NOT NULL;
