"""The time that a character may take, and the time that a frame grants."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, fields

from vrsdk.errors import UsageError

Clock = Callable[[], float]  # seconds; time.monotonic, or a test's own


@dataclass(frozen=True)
class LatencyBudget:
    """Seconds. Past `first_token` the reply gives a Thinking event; past `total` it ends with what it has."""

    first_token: float = 0.25  # a guess; above 4 s the experience suffers (arXiv:2507.22352)
    total: float = 8.0
    per_frame: float = 0.006  # of a frame at most: a token takes 3.3 ms (bench/results/speed.json) and the wake-up 1

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (isinstance(value, int | float) and math.isfinite(value) and value > 0):
                raise UsageError(f"LatencyBudget({field.name}={value!r}): a budget is seconds, more than 0.")


FREE_AFTER = 0.5  # seconds without a grant after which no frame loop is assumed: a guess, some 45 frames
STARVED = 0.1  # seconds without a pass after which one may overrun its grant: a guess, every ninth frame at 90 Hz


class FrameBudget:
    """What frames grant and the inference thread uses. Free while no frame loop grants."""

    def __init__(self, clock: Clock, per_frame: float) -> None:
        self._clock, self._per_frame = clock, per_frame
        self._granted = threading.Condition()
        self._deadline = 0.0  # when the present grant ends
        self._last_grant = -math.inf
        self._last_pass = -math.inf

    def grant(self, seconds: float) -> None:
        """From the frame loop: the model may run for `seconds` from now on. Takes microseconds, never waits."""
        seconds = seconds if math.isfinite(seconds) else 0.0
        with self._granted:
            self._last_grant = self._clock()
            self._deadline = self._last_grant + max(0.0, min(seconds, self._per_frame))
            self._granted.notify()

    def take(self, cost: float) -> bool:
        """Whether a pass that takes `cost` seconds may run now.

        Where no grant is ever long enough, one pass in STARVED seconds runs all the same: a frame may then be late, but
        the character answers.
        """
        with self._granted:
            now = self._clock()
            free = now - self._last_grant > FREE_AFTER
            starved = now < self._deadline and now - self._last_pass > STARVED
            if free or starved or now + cost <= self._deadline:
                self._last_pass = now
                return True
            return False

    def room(self) -> float:
        """Seconds that a pass may take now; endless while no frame loop grants."""
        with self._granted:
            now = self._clock()
            return math.inf if now - self._last_grant > FREE_AFTER else self._deadline - now

    def wait(self) -> None:
        """Until the next grant, or until none is due any more."""
        with self._granted:
            self._granted.wait(FREE_AFTER)
