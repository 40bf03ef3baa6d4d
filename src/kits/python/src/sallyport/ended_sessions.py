"""Sessions that have ended, as long as a token of theirs could still be valid."""

import threading
import time
from collections import OrderedDict

from .process import call_after_fork


class EndedSessions:
    """A set of bounded size.

    `keep`: seconds after the end of a session for which its tokens may be valid. At `capacity` the oldest ends are
    replaced by one time: all tokens that were issued before it count as ended. Their clients refresh, and those
    whose session is active go on.
    """

    def __init__(self, keep: float, leeway: float, capacity: int = 1_000_000) -> None:
        self._keep = keep
        self._leeway = leeway
        self._capacity = capacity
        self._ends: OrderedDict[str, float] = OrderedDict()
        self._all_before = float("-inf")
        self._lock = threading.Lock()
        call_after_fork(self)

    def after_fork(self) -> None:
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._ends)

    def add(self, session_id: str, ended_at: float) -> None:
        """`ended_at` is in seconds since 1970."""
        with self._lock:
            self._ends[session_id] = ended_at
            while len(self._ends) > self._capacity:
                _, dropped = self._ends.popitem(last=False)
                self._all_before = max(self._all_before, dropped)

    def includes(self, session_id: str, issued_at: float) -> bool:
        """Whether a token of this session, issued at this time, is of an ended session."""
        # `iat` has whole seconds, and may be from a clock that is ahead.
        return session_id in self._ends or issued_at <= self._all_before + self._leeway + 1

    def forget(self) -> None:
        """Removes the ends whose tokens have all expired."""
        oldest = time.time() - self._keep
        with self._lock:
            # In the order of their arrival, which is about that of the ends.
            while self._ends and next(iter(self._ends.values())) < oldest:
                self._ends.popitem(last=False)
