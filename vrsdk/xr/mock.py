"""A runtime without a headset: it keeps OpenXR's rules, paces frames, and its player moves as scripted.

Frames start a whole period before their deadline, which is the predicted display time; a real compositor takes its
own milliseconds off both ends. It belongs to one thread: where a real runtime would block until another thread calls
begin_frame, it raises.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Never

from vrsdk.errors import CallOrderError, SessionLost, UsageError
from vrsdk.xr.backend import FrameState, SessionState, SessionStateChanged, ViewState
from vrsdk.xr.clock import Clock
from vrsdk.xr.pose import Fov, Pose, Vector3, View
from vrsdk.xr.session import EXITING, FOCUSED, LOSS_PENDING, NEXT, READY, STOPPING, SYNCHRONIZED, VISIBLE


def standing(time: float) -> Pose:
    """A player who stands still, eyes at 1.6 m."""
    return Pose(position=Vector3(0.0, 1.6, 0.0))


def worn(time: float) -> SessionState:
    """The headset is on the player's head all the time."""
    return FOCUSED


LEFT_EYE = Fov(-0.94, 0.79, 0.84, -0.91)  # a guess: some 50° each way, wider outwards than towards the nose


@dataclass(frozen=True)
class MockHeadset:
    """The headset and its player. Scripts are functions of seconds since the session was opened.

    A script that leaves the headset off for ever leaves `frames()` waiting for ever, as a real player does.
    """

    refresh_rate: float = 90.0  # Hz
    head: Callable[[float], Pose | None] = standing  # None: the tracking is lost
    wanted_state: Callable[[float], SessionState] = worn  # to which the runtime leads the session, by OpenXR's ways
    eye_distance: float = 0.063  # metres; the mean of adults, and Monado's
    fov: Fov = LEFT_EYE  # mirrored for the right eye

    def __post_init__(self) -> None:
        if not (math.isfinite(self.refresh_rate) and self.refresh_rate > 0):
            raise UsageError(f"MockHeadset(refresh_rate={self.refresh_rate!r}): a rate is in hertz, more than 0.")


class Order(Enum):
    """Where the application is in a frame."""

    READY_TO_WAIT = "ready to wait"
    WAITED = "waited"
    BEGUN = "begun"
    BEGUN_AND_WAITED = "begun, and waited for the next"


# The frame calls and what each leads to: OpenXR 1.1, "Frame Submission". What is not here is out of order.
FRAME_ORDER: dict[tuple[Order, str], Order] = {
    (Order.READY_TO_WAIT, "wait_frame"): Order.WAITED,
    (Order.WAITED, "begin_frame"): Order.BEGUN,
    (Order.BEGUN, "end_frame"): Order.READY_TO_WAIT,
    (Order.BEGUN, "wait_frame"): Order.BEGUN_AND_WAITED,
    (Order.BEGUN_AND_WAITED, "end_frame"): Order.WAITED,
    (Order.BEGUN_AND_WAITED, "begin_frame"): Order.BEGUN,  # the frame begun before is discarded
}
OUT_OF_ORDER = {
    "wait_frame": "wait_frame again before begin_frame",
    "begin_frame": "begin_frame before wait_frame",
    "end_frame": "end_frame before begin_frame",
}


class MockBackend:
    """A `Backend` on `clock`, real or virtual."""

    def __init__(self, app_name: str, clock: Clock, headset: MockHeadset | None = None) -> None:
        self.app_name = app_name
        self._clock, self._headset = clock, headset or MockHeadset()
        self._opened = clock.now()
        self._state = SessionState.UNKNOWN
        self._running = self._exit_requested = self._closed = False
        self._order = Order.READY_TO_WAIT
        self._synced = False  # a frame was ended since begin_session
        self._frame_number = 0
        self._compositor = _Compositor(1 / self._headset.refresh_rate)

    def now(self) -> float:
        return self._clock.now() - self._opened

    def close(self) -> None:
        self._closed = True

    def poll_event(self, timeout: float = 0.0) -> SessionStateChanged | None:
        """The session's state moves here and nowhere else, one step towards the wanted state at a time."""
        self._need_open("poll_event")
        step = self._next_state()
        if step is None and timeout > 0:
            self._clock.sleep_until(self._clock.now() + timeout)
            step = self._next_state()
        if step is None:
            return None
        self._state = step
        return SessionStateChanged(step, self.now())

    def begin_session(self) -> None:
        self._need_session("begin_session")
        if self._running:
            self._refuse("XR_ERROR_SESSION_RUNNING", "begin_session while the session runs")
        if self._state is not READY:
            self._refuse("XR_ERROR_SESSION_NOT_READY", f"begin_session in state {self._state.name}, not READY")
        self._running, self._synced, self._order = True, False, Order.READY_TO_WAIT

    def end_session(self) -> None:
        self._need_running("end_session")
        if self._state is not STOPPING:
            self._refuse("XR_ERROR_SESSION_NOT_STOPPING", f"end_session in state {self._state.name}, not STOPPING")
        self._running = False

    def request_exit_session(self) -> None:
        self._need_running("request_exit_session")
        self._exit_requested = True

    def wait_frame(self) -> FrameState:
        self._order = self._need_order("wait_frame")
        self._frame_number += 1
        start, display_time = self._compositor.next_frame(self.now())
        self._clock.sleep_until(self._opened + start)
        return FrameState(display_time, self._compositor.period, self._state in (VISIBLE, FOCUSED))

    def begin_frame(self) -> bool:
        discarded = self._order is Order.BEGUN_AND_WAITED
        self._order = self._need_order("begin_frame")
        self._compositor.begin()
        return discarded

    def end_frame(self, display_time: float) -> None:
        order = self._need_order("end_frame")
        self._need_time("end_frame", display_time)
        self._order = order
        self._synced = True
        self._compositor.end(self.now())

    def locate_views(self, display_time: float) -> tuple[ViewState, tuple[View, View]]:
        self._need_session("locate_views")
        self._need_time("locate_views", display_time)
        head = self._headset.head(display_time)
        known = head is not None
        head = head or Pose()
        left = self._headset.fov
        right = left._replace(angle_left=-left.angle_right, angle_right=-left.angle_left)
        aside = self._headset.eye_distance / 2
        eyes = View(head.moved(Vector3(-aside)), left), View(head.moved(Vector3(aside)), right)
        return ViewState(known, known), eyes

    def _next_state(self) -> SessionState | None:
        target = EXITING if self._exit_requested else self._headset.wanted_state(self.now())
        step = _step(self._state, target)
        if self._state is READY and step is SYNCHRONIZED and not (self._running and self._synced):
            return None  # only frames of the application's lead out of READY
        if self._state is STOPPING and self._running and step is not LOSS_PENDING:
            return None  # only its end_session leads out of STOPPING
        return step

    def _need_order(self, call: str) -> Order:
        """Where `call` leads."""
        self._need_running(call)
        if (self._order, call) not in FRAME_ORDER:
            self._refuse("XR_ERROR_CALL_ORDER_INVALID", OUT_OF_ORDER[call])
        return FRAME_ORDER[self._order, call]

    def _need_running(self, call: str) -> None:
        self._need_session(call)
        if not self._running:
            self._refuse("XR_ERROR_SESSION_NOT_RUNNING", f"{call} while the session doesn't run")

    def _need_session(self, call: str) -> None:
        self._need_open(call)
        if self._state is LOSS_PENDING:
            raise SessionLost("XR_ERROR_SESSION_LOST", f"{call} on a lost session ({self._where()}). Open a new one.")

    def _need_open(self, call: str) -> None:
        if self._closed:
            self._refuse("XR_ERROR_HANDLE_INVALID", f"{call} on a closed session")

    def _need_time(self, call: str, display_time: float) -> None:
        if not (math.isfinite(display_time) and display_time > 0):
            problem = f"{call} at display time {display_time!r} ({self._where()})"
            raise CallOrderError("XR_ERROR_TIME_INVALID", f"{problem}. Use the frame's predicted_display_time.")

    def _refuse(self, result: str, problem: str) -> Never:
        remedy = "Loop over session.frames(), which makes these calls in order."
        raise CallOrderError(result, f"{problem} ({self._where()}). {remedy}")

    def _where(self) -> str:
        return f'session "{self.app_name}", frame {self._frame_number}'


class _Compositor:
    """Paces frames as the compositor of a display with a fixed period does. Refresh k is at k * period."""

    def __init__(self, period: float) -> None:
        self.period = period
        self._waited = self._begun = 0  # the refreshes that these frames aim at
        self._late = False

    def next_frame(self, now: float) -> tuple[float, float]:
        """When the next frame starts, and when it is shown.

        A frame that ended late is shown at the next refresh, and the frame after it starts there: xrWaitFrame blocks
        "until that frame is consumed". So too where the application asks only after the next frame's deadline.
        """
        aim = self._waited + 1
        if self._late or now >= self._at(aim):
            # Rounded to a millionth of a period: a refresh that is just now has not passed by a rounding error.
            aim = max(aim, math.ceil(now / self.period - 1e-6) + 1)
        self._waited, self._late = aim, False
        return self._at(aim - 1), self._at(aim)

    def begin(self) -> None:
        self._begun = self._waited

    def end(self, now: float) -> None:
        self._late = now > self._at(self._begun)

    def _at(self, refresh: int) -> float:
        return refresh * self.period


@cache
def _step(state: SessionState, target: SessionState) -> SessionState | None:
    """The first step of the shortest way from `state` to `target`; None where one is there, or no way leads there."""
    if state is target:
        return None
    ways = [[step] for step in sorted(NEXT[state], key=lambda step: step.name)]
    for way in ways:  # grows while it is read: breadth first
        if way[-1] is target:
            return way[0]
        ways += [[*way, step] for step in NEXT[way[-1]] if step not in way]
    return None
