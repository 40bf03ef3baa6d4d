-- Very many sessions of one account, or of everybody, end at once: those whose ids are lower than
-- `below`, save one. Access is refused from the commit of this row on; the sessions' own rows are ended
-- after it in batches, up to `reached`, by whichever process holds the lease. `done_at` is set once all
-- of them are, and `until` is the last moment at which an access token of them may be alive.
CREATE TABLE session_floors (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id        BLOB,
    below          BLOB    NOT NULL,
    except_session BLOB,
    reason         TEXT    NOT NULL,
    actor_id       BLOB,
    ended_at       INTEGER NOT NULL,
    ip             BLOB,
    user_agent     TEXT,
    note           TEXT,
    reached        BLOB    NOT NULL,
    worker         BLOB,
    leased_until   INTEGER NOT NULL,
    done_at        INTEGER,
    until          INTEGER
) STRICT;
