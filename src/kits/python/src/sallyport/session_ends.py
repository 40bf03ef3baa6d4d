"""Follower of the subscription `sessionEnds`, by server-sent events in a thread of its own.

A stream proves that it is alive only when it begins: the service then knows which sessions have ended, and sends
what ended after the cursor. So a stream is replaced by the next one, at its last cursor, after half of the
staleness bound. The time at which the last one was requested is the age of what is known here.
"""

import logging
import random
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from .account import AccountToken
from .ended_sessions import EndedSessions
from .process import call_after_fork, monotonic
from .transport import EventStream, Refused, Service, TransportError, data_of

_log = logging.getLogger("sallyport")

_ENDS = """subscription($after: String!) {
  sessionEnds(after: $after) { session { sid } endedAt cursor }
}"""

# Seconds. Sessions that ended before the first stream come first, and no message marks the last of them. The
# service gives up a database query after two seconds, so a longer silence marks it.
SILENCE = 2.5
# A refused subscription is answered by a stream, too, whose error follows at once.
REFUSAL = 0.2
# Pauses after a failure: they double from the first to the last.
FIRST_PAUSE, LAST_PAUSE = 0.1, 2.0
# After a refused login, so that the account is not locked by attempts.
REFUSED_PAUSE = 30.0


class SessionEnds:
    """What this process knows about ended sessions, and since when.

    `staleness`: seconds without a word from the service after which nothing is known.
    """

    def __init__(
        self, service: Service, token: Callable[[], str], ended: EndedSessions, staleness: float = 5.0
    ) -> None:
        if not staleness >= 2:
            raise ValueError("staleness is at least 2 seconds")
        self._service = service
        self._token = token
        self._ended = ended
        self._staleness = staleness
        # Empty: all ends that the service still keeps come first.
        self._cursor = ""
        self._thread: threading.Thread | None = None
        self._stream: EventStream | None = None
        self._reset()
        call_after_fork(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._started_at = float("inf")
        # When the last stream that began was requested, and the same of one that may still be refused, with the
        # time of its first byte.
        self._heard_at = float("-inf")
        self._beginning: tuple[float, float] | None = None
        self._is_complete = False
        self._silent_since: float | None = None
        self._complete_after = float("inf")

    def after_fork(self) -> None:
        """The thread is the parent's. What it knew stays, and is continued at its cursor."""
        self._thread = None
        stream, self._stream = self._stream, None
        self._reset()
        if stream is not None:
            stream.abandon()
        if isinstance(self._token, AccountToken):
            self._token.after_fork()

    def start(self) -> None:
        """Starts the thread of this process, unless it runs."""
        if self._thread is not None:
            return
        with self._lock:
            if self._thread is None and not self._closing.is_set():
                self._started_at = monotonic()
                self._thread = threading.Thread(target=self._run, name="sallyport-ends", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Stops the thread, and logs out. From then on nothing is known."""
        self._closing.set()
        thread, stream = self._thread, self._stream
        if stream is not None:
            stream.interrupt()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=5)
            if isinstance(self._token, AccountToken) and not thread.is_alive():
                self._token.log_out()
        self._heard_at, self._beginning = float("-inf"), None

    @property
    def is_ready(self) -> bool:
        """Whether all ends are known, up to the staleness bound."""
        now = monotonic()
        if now - self._heard(now) >= self._staleness:
            return False
        silent_since = self._silent_since
        return self._is_complete or (silent_since is not None and now - silent_since >= SILENCE)

    def wait(self, seconds: float) -> bool:
        """Waits until it is ready, for so many seconds after the thread began."""
        while not self.is_ready:
            left = self._started_at + seconds - monotonic()
            if left <= 0 or self._closing.wait(min(left, 0.02)):
                return self.is_ready
        return True

    def _heard(self, now: float) -> float:
        beginning = self._beginning
        if beginning is not None and now - beginning[1] >= REFUSAL:
            return beginning[0]
        return self._heard_at

    def _run(self) -> None:
        pause = FIRST_PAUSE
        is_lost = False
        while not self._closing.is_set():
            try:
                self._follow()
            except Exception as error:  # noqa: BLE001: a thread that ends would leave the service unavailable.
                if self._closing.is_set():
                    return
                if not is_lost:
                    _log.warning("The ends of sessions are not followed: %s: %s", type(error).__name__, error)
                is_lost = True
                self._closing.wait(_pause(error, pause))
                pause = min(2 * pause, LAST_PAUSE)
            else:
                if is_lost:
                    _log.info("The ends of sessions are followed again.")
                is_lost = False
                pause = FIRST_PAUSE

    def _follow(self) -> None:
        """Follows one stream for its time. An error ends it earlier."""
        token = self._token()
        requested_at = monotonic()
        try:
            with self._service.subscribe(_ENDS, {"after": self._cursor}, token) as stream:
                self._stream = stream
                self._read(stream, requested_at)
        except TransportError as error:
            self._break_off()
            if isinstance(error, Refused) and error.code == "UNAUTHENTICATED" and isinstance(self._token, AccountToken):
                self._token.reject()
            raise
        finally:
            self._stream = None
            self._ended.forget()

    def _read(self, stream: EventStream, requested_at: float) -> None:
        until = requested_at + self._staleness / 2
        while not self._closing.is_set():
            event = stream.read(until - monotonic())
            if event is None:
                break
            if event.name == "comment":
                if self._beginning is None:
                    self._begin(stream, requested_at)
            elif event.name == "next":
                self._take(data_of(event.data))
            elif event.name == "complete":
                raise TransportError("the session of the follower has ended")
            if monotonic() >= until:
                break
        self._settle()

    def _begin(self, stream: EventStream, requested_at: float) -> None:
        now = monotonic()
        if requested_at - self._heard_at >= self._staleness:
            self._is_complete, self._silent_since = False, None
        if not self._is_complete and self._silent_since is None:
            self._silent_since = now
            at = stream.service_time
            self._complete_after = float("inf") if at is None else at + SILENCE
        self._beginning = (requested_at, now)

    def _take(self, data: dict[str, Any]) -> None:
        event: Any = data.get("sessionEnds")
        try:
            session_id, cursor = event["session"]["sid"], event["cursor"]
            ended_at = datetime.fromisoformat(event["endedAt"].replace("Z", "+00:00")).timestamp()
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise TransportError("an event without its fields") from error
        if not isinstance(session_id, str) or not isinstance(cursor, str):
            raise TransportError("an event without its fields")
        # In this order: whoever continues at the cursor has the session.
        self._ended.add(session_id, ended_at)
        self._cursor = cursor
        if not self._is_complete:
            self._silent_since = monotonic()
            # Where sessions end all the time there is no silence, but an end that is newer than the stream.
            self._is_complete = ended_at > self._complete_after

    def _settle(self) -> None:
        """A stream has had its time."""
        if self._beginning is None:
            raise TransportError("the stream did not begin")
        now = monotonic()
        self._heard_at, self._beginning = self._heard(now), None
        if self._silent_since is not None and now - self._silent_since >= SILENCE:
            self._is_complete = True

    def _break_off(self) -> None:
        """A stream broke off, or was refused. What had begun before is known; what it still had to send is not."""
        now = monotonic()
        self._heard_at, self._beginning = self._heard(now), None
        if not self._is_complete:
            self._silent_since = None


def _pause(error: Exception, usual: float) -> float:
    if isinstance(error, Refused):
        if error.retry_after:
            return error.retry_after
        if error.code in ("INVALID_CREDENTIALS", "SECOND_STEP_REQUIRED", "FORBIDDEN"):
            return REFUSED_PAUSE
    # Many processes notice a failure at the same time.
    return usual * random.uniform(0.5, 1.5)
