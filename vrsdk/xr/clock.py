"""Time as an object: real, or moved by hand, so that the same frames can run twice with the same result."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

COARSE = 0.0005  # seconds before the deadline at which the one long sleep ends: a guess, some 5 times Linux's lateness
FINE = 0.00005  # seconds of a short sleep; Linux makes 0.1 ms of it (timer slack, 50 µs)


class Clock(Protocol):
    """Seconds, from any start."""

    def now(self) -> float: ...

    def sleep_until(self, deadline: float) -> None:
        """Return at `deadline`, at once if it has passed."""


class RealClock:
    """The machine's time. Every wait is a sleep, so other Python threads run meanwhile."""

    def __init__(
        self, now: Callable[[], float] = time.perf_counter, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.now, self._sleep = now, sleep

    def sleep_until(self, deadline: float) -> None:
        while (left := deadline - self.now()) > 0:
            self._sleep(left - COARSE if left > COARSE + FINE else min(left, FINE))


class VirtualClock:
    """Stands still until `advance` or a wait moves it: a minute of frames takes a moment, the same each time."""

    def __init__(self, start: float = 0.0) -> None:
        self._now = start

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Let `seconds` of work pass."""
        if not seconds >= 0:
            raise ValueError(f"advance({seconds!r}): time goes forwards, in seconds.")
        self._now += seconds

    def sleep_until(self, deadline: float) -> None:
        self._now = max(self._now, deadline)
