"""What differs between processes: a clock that no one can set, and the state of a child after a fork."""

import os
import time
import weakref
from typing import Protocol

_BOOT_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", None)


def monotonic() -> float:
    """Seconds that also pass while the machine is suspended, where the system has such a clock."""
    return time.monotonic() if _BOOT_CLOCK is None else time.clock_gettime(_BOOT_CLOCK)


class _Forked(Protocol):
    def after_fork(self) -> None: ...


_objects: "weakref.WeakSet[_Forked]" = weakref.WeakSet()


def call_after_fork(one: _Forked) -> None:
    """Calls `after_fork` of the object in each child: threads are gone there, and their locks may be held."""
    _objects.add(one)


def _in_child() -> None:
    for one in list(_objects):
        one.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
