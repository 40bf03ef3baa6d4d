"""The set of ended sessions."""

import time

from sallyport.ended_sessions import EndedSessions


def test_an_end_is_forgotten_when_its_tokens_have_expired() -> None:
    ended, now = EndedSessions(keep=900, leeway=2), time.time()
    ended.add("old", now - 901)
    ended.add("recent", now - 899)
    ended.forget()
    assert not ended.includes("old", now - 950)
    assert ended.includes("recent", now - 950)
    assert len(ended) == 1


def test_beyond_its_capacity_older_tokens_count_as_ended() -> None:
    ended, now = EndedSessions(keep=900, leeway=2, capacity=3), time.time()
    for n in range(5):
        ended.add(f"session {n}", now + 10 * n)
        assert len(ended) <= 3
    # Sessions 0 and 1 were dropped.
    assert ended.includes("session 0", now - 10) and ended.includes("session 1", now)
    assert ended.includes("an active one", now + 10)
    assert not ended.includes("an active one, refreshed", now + 14)
    assert ended.includes("session 4", now + 14)
