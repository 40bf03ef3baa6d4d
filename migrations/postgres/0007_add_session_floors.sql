-- Very many sessions of one account, or of everybody, end at once: those whose ids are lower than
-- `below`, save one. Access is refused from the commit of this row on; the sessions' own rows are ended
-- after it in batches, up to `reached`, by whichever process holds the lease. `done_at` is set once all
-- of them are, and `until` is the last moment at which an access token of them may be alive.
CREATE TABLE session_floors (
    id             BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id        UUID,
    below          UUID    NOT NULL,
    except_session UUID,
    reason         TEXT    NOT NULL,
    actor_id       UUID,
    ended_at       BIGINT  NOT NULL,
    ip             BYTEA,
    user_agent     TEXT,
    note           TEXT,
    reached        UUID    NOT NULL,
    worker         UUID,
    leased_until   BIGINT  NOT NULL,
    done_at        BIGINT,
    until          BIGINT
);
