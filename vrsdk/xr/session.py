"""A session with an OpenXR runtime: its states, and the frame loop that they lead.

In a game:

    with xr.open_session("tavern") as session:
        for frame in session.frames():
            runtime.grant(frame.slack)
            for view in frame.views:
                scene.draw(view)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from types import TracebackType
from typing import Self

from vrsdk.errors import CallOrderError, SessionLost, XrError
from vrsdk.xr.backend import Backend, FrameState, SessionState, ViewState
from vrsdk.xr.pose import View

UNKNOWN, IDLE, READY = SessionState.UNKNOWN, SessionState.IDLE, SessionState.READY
SYNCHRONIZED, VISIBLE, FOCUSED = SessionState.SYNCHRONIZED, SessionState.VISIBLE, SessionState.FOCUSED
STOPPING, LOSS_PENDING, EXITING = SessionState.STOPPING, SessionState.LOSS_PENDING, SessionState.EXITING

# Who may follow whom: OpenXR 1.1, "Session Lifecycle".
NEXT: dict[SessionState, set[SessionState]] = {
    UNKNOWN: {IDLE, LOSS_PENDING},
    IDLE: {READY, EXITING, LOSS_PENDING},
    READY: {SYNCHRONIZED, LOSS_PENDING},
    SYNCHRONIZED: {VISIBLE, STOPPING, LOSS_PENDING},
    VISIBLE: {FOCUSED, SYNCHRONIZED, LOSS_PENDING},
    FOCUSED: {VISIBLE, LOSS_PENDING},
    STOPPING: {IDLE, LOSS_PENDING},
    LOSS_PENDING: set(),
    EXITING: {LOSS_PENDING},
}
RUNNING = {READY, SYNCHRONIZED, VISIBLE, FOCUSED}  # in which the application owes the runtime frames

IDLE_WAIT = 0.01  # seconds between two looks for an event while no session runs, as OpenXR's samples do
MARGIN = 0.001  # seconds of a frame kept from the model, one decode step (DESIGN.md, section 6): it may overrun by that


class Frame:
    """One frame, from its begin to its end; valid while the loop is on it."""

    def __init__(self, backend: Backend, number: int, state: FrameState, started: float, margin: float) -> None:
        self._backend, self._state = backend, state
        self.number = number  # from 1, over the whole session
        # A runtime that pipelines predicts several periods ahead, but the next frame starts one period from now.
        self._model_until = min(state.predicted_display_time, started + state.predicted_display_period) - margin

    @property
    def predicted_display_time(self) -> float:
        """When this frame's light reaches the eye: seconds on the session's clock. Animate to this time."""
        return self._state.predicted_display_time

    @property
    def predicted_display_period(self) -> float:
        """Seconds from one refresh of the display to the next."""
        return self._state.predicted_display_period

    @property
    def should_render(self) -> bool:
        """False while nobody sees the application: skip the drawing, go on looping."""
        return self._state.should_render

    @property
    def slack(self) -> float:
        """Seconds, from now, that a dialogue model may use beside this frame's own work.

        From the moment of reading to the frame's deadline, less the session's margin; never below 0. The deadline is
        the predicted display time, or the start of the next frame where the runtime predicts further ahead. Read
        first thing in a frame, it is the time in which the model's thread may run while the game draws; read after
        drawing, what the drawing left.
        """
        return max(0.0, self._model_until - self._backend.now())

    @property
    def views(self) -> tuple[View, View]:
        """The left eye and the right, at the predicted display time; located once, when first read."""
        return self._located[1]

    @property
    def tracked(self) -> bool:
        """False where the runtime doesn't know where the head is: the poses of `views` then mean nothing."""
        flags = self._located[0]
        return flags.orientation_valid and flags.position_valid

    @cached_property
    def _located(self) -> tuple[ViewState, tuple[View, View]]:
        return self._backend.locate_views(self.predicted_display_time)


class Session:
    """One application's session on a backend. `open_session` makes one; so can you, on a backend of your own."""

    def __init__(self, backend: Backend, margin: float = MARGIN) -> None:
        self.backend = backend
        self.state = UNKNOWN
        self.missed = 0
        """Refreshes of the display that should have shown a new frame and had none: see `_Refreshes`."""
        self._margin = margin
        self._frame_number = 0
        self._refreshes = _Refreshes()
        self._looping = self._closed = False

    @property
    def name(self) -> str:
        return self.backend.app_name

    def frames(self) -> Iterator[Frame]:
        """The frames, each waited for and begun when it comes out, and ended when the loop asks for the next.

        Leaving the loop ends the frame it was on. While the runtime wants no frames (the headset is off) it waits; it
        stops when the runtime says so, after `request_exit` or on the player's wish, and when the session is closed.
        Raises SessionLost if the runtime goes away: open a new session then.
        """
        if self._looping:
            raise self._error(CallOrderError, "XR_ERROR_CALL_ORDER_INVALID", "frames() inside frames()", "Use one loop")
        self._looping = True
        try:
            while self._follow():
                if self.state in RUNNING:
                    yield from self._one_frame()
        finally:
            self._looping = False

    def request_exit(self) -> None:
        """Ask the runtime to end the session: `frames()` goes on for the frames it still wants, then stops."""
        self.backend.request_exit_session()

    def close(self) -> None:
        """Destroy the session at once; its loop, if it is in one, ends."""
        self._closed = True
        self.backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _follow(self) -> bool:
        """Enter the states that the runtime has announced; whether the loop goes on."""
        if self._closed:
            return False
        event = self.backend.poll_event(0.0 if self.state in RUNNING else IDLE_WAIT)
        while event is not None:
            self._enter(event.state)
            event = self.backend.poll_event()
        if self.state is LOSS_PENDING:
            raise self._error(SessionLost, "XR_SESSION_LOSS_PENDING", "the runtime is going away", "Open a new session")
        return self.state is not EXITING

    def _enter(self, state: SessionState) -> None:
        if state is self.state:  # Monado says SYNCHRONIZED twice on the way out of a headless session
            return
        if state not in NEXT[self.state]:
            change = f"the runtime went from {self.state.name} to {state.name}, which OpenXR doesn't allow"
            raise self._error(XrError, "XR_ERROR_RUNTIME_FAILURE", change, "Report it to the runtime's makers")
        self.state = state
        if state is READY:
            self.backend.begin_session()
        elif state is STOPPING:
            self.backend.end_session()

    def _one_frame(self) -> Iterator[Frame]:
        state = self.backend.wait_frame()
        self.missed += self._refreshes.until(state)
        self.backend.begin_frame()
        self._frame_number += 1
        try:
            yield Frame(self.backend, self._frame_number, state, self.backend.now(), self._margin)
        except GeneratorExit:  # the game left the loop: that the session is lost is no news to it any more
            with suppress(SessionLost):
                self._end_frame(state)
            raise
        self._end_frame(state)

    def _end_frame(self, state: FrameState) -> None:
        if not self._closed:
            self.backend.end_frame(state.predicted_display_time)
            self.missed += self._refreshes.ended(state, self.backend.now())

    def _error(self, kind: type[XrError], result: str, problem: str, remedy: str) -> XrError:
        return kind(result, f'{problem} (session "{self.name}", frame {self._frame_number}). {remedy}.')


class _Refreshes:
    """Counts the refreshes that showed an old frame again, from what every runtime tells an application.

    Each refresh between two predicted display times went by without a new frame, and so did each that passed before a
    frame was ended. Only frames that the runtime wanted rendered count: nobody sees the others. A runtime that takes
    late frames without moving the next predicted display time hides its losses from this, and from any application.
    """

    def __init__(self) -> None:
        self._accounted: float | None = None  # the display time up to which each refresh is counted or was met

    def until(self, state: FrameState) -> int:
        """How many were lost between the last frame and the one that `state` predicts."""
        last, self._accounted = self._accounted, state.predicted_display_time
        if last is None or not state.should_render:
            return 0
        return max(0, round((state.predicted_display_time - last) / state.predicted_display_period) - 1)

    def ended(self, state: FrameState, now: float) -> int:
        """How many were lost while that frame was made."""
        if not state.should_render:
            self._accounted = None
            return 0
        # Rounded to a millionth of a period: a frame that ends on its deadline is not late by a rounding error.
        periods_late = (now - state.predicted_display_time) / state.predicted_display_period
        lost = max(0, math.ceil(periods_late - 1e-6))
        self._accounted = state.predicted_display_time + lost * state.predicted_display_period
        return lost
