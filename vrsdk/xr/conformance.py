"""What OpenXR promises of every runtime, asked of a backend: ours, a real runtime's, your own.

In your tests:

    xr.check_backend(lambda: MyBackend("check"))
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from vrsdk.errors import CallOrderError, XrError
from vrsdk.xr.backend import Backend, FrameState, SessionState
from vrsdk.xr.pose import Vector3
from vrsdk.xr.session import EXITING, FOCUSED, IDLE, LOSS_PENDING, NEXT, READY, STOPPING, UNKNOWN, VISIBLE

PATIENCE = 200  # polls or frames within which a runtime reaches the next state; Monado needs 3, the rest is a guess
POLL_WAIT = 0.01  # seconds a poll waits where no frame paces the loop


def check_backend(open_backend: Callable[[], Backend]) -> None:
    """Open backends and ask of each what OpenXR promises. Raises AssertionError that names the broken promise.

    Each must be new and lead its session to FOCUSED by itself, as a headset does that is worn.
    """
    for check in CHECKS:
        with closing(open_backend()) as backend:
            try:
                check(_Application(backend))
            except XrError as error:
                raise AssertionError(f"{check.__name__.strip('_')}: a lawful call was refused: {error}") from error


class _Application:
    """The least that leads a session through its states; each change is held against `NEXT`."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.states = [UNKNOWN]

    def poll(self, timeout: float = 0.0) -> None:
        event = self.backend.poll_event(timeout)
        if event is None or event.state is self.states[-1]:
            return
        change = f"{self.states[-1].name} → {event.state.name}"
        _demand(event.state in NEXT[self.states[-1]], f"Session Lifecycle: {change} is no change of state")
        self.states.append(event.state)

    def frame(self) -> FrameState:
        state = self.backend.wait_frame()
        self.backend.begin_frame()
        self.backend.end_frame(state.predicted_display_time)
        return state

    def idle_until(self, wanted: SessionState) -> None:
        """Poll, without a frame, until the session is in state `wanted`."""
        self._reach(wanted, lambda: self.poll(POLL_WAIT))

    def loop_until(self, wanted: SessionState) -> None:
        """Make frames until the session is in state `wanted`."""

        def step() -> None:
            self.frame()
            self.poll()

        self._reach(wanted, step)

    def run(self) -> None:
        self.idle_until(READY)
        self.backend.begin_session()

    def _reach(self, wanted: SessionState, step: Callable[[], None]) -> None:
        for _ in range(PATIENCE):
            if self.states[-1] is wanted:
                return
            step()
        way = ", ".join(state.name for state in self.states)
        raise AssertionError(f"Session Lifecycle: {wanted.name} did not come; the states were {way}")


def _states_go_up_and_down(app: _Application) -> None:
    app.run()
    for _ in range(3):
        app.poll()
    _demand(app.states == [UNKNOWN, IDLE, READY], "xrBeginSession: no state follows READY before a frame is ended")
    app.loop_until(FOCUSED)
    app.backend.request_exit_session()
    app.loop_until(STOPPING)
    app.backend.end_session()
    app.idle_until(EXITING)
    _demand(app.states.count(VISIBLE) == 2, "xrRequestExitSession: the way down leads through the states of the way up")


def _a_session_that_does_not_run_takes_no_frames(app: _Application) -> None:
    backend = app.backend
    app.idle_until(READY)
    for call in (backend.wait_frame, backend.begin_frame, backend.request_exit_session, backend.end_session):
        with _refused("XR_ERROR_SESSION_NOT_RUNNING", f"xr{_camel(call.__name__)} before xrBeginSession"):
            call()
    with _refused("XR_ERROR_SESSION_NOT_RUNNING", "xrEndFrame before xrBeginSession"):
        backend.end_frame(1.0)


def _a_session_begins_once_and_ends_when_stopping(app: _Application) -> None:
    app.run()
    with _refused("XR_ERROR_SESSION_RUNNING", "xrBeginSession twice"):
        app.backend.begin_session()
    with _refused("XR_ERROR_SESSION_NOT_STOPPING", "xrEndSession before STOPPING"):
        app.backend.end_session()
    app.frame()


def _frame_calls_keep_their_order(app: _Application) -> None:
    backend = app.backend
    app.run()
    with _refused("XR_ERROR_CALL_ORDER_INVALID", "xrBeginFrame before xrWaitFrame"):
        backend.begin_frame()
    with _refused("XR_ERROR_CALL_ORDER_INVALID", "xrEndFrame before xrBeginFrame"):
        backend.end_frame(1.0)
    time = backend.wait_frame().predicted_display_time
    with _refused("XR_ERROR_CALL_ORDER_INVALID", "xrEndFrame after xrWaitFrame alone"):
        backend.end_frame(time)
    _demand(not backend.begin_frame(), "xrBeginFrame: the first frame discards none")
    with _refused("XR_ERROR_CALL_ORDER_INVALID", "xrBeginFrame twice after one xrWaitFrame"):
        backend.begin_frame()
    backend.wait_frame()
    _demand(backend.begin_frame(), "xrBeginFrame: a frame begun and never ended is XR_FRAME_DISCARDED")
    backend.end_frame(time)
    with _refused("XR_ERROR_CALL_ORDER_INVALID", "xrEndFrame twice"):
        backend.end_frame(time)


def _frames_may_be_pipelined(app: _Application) -> None:
    backend = app.backend
    app.run()
    first = backend.wait_frame()
    backend.begin_frame()
    second = backend.wait_frame()
    backend.end_frame(first.predicted_display_time)
    _demand(not backend.begin_frame(), "xrBeginFrame: a frame that was ended isn't discarded")
    backend.end_frame(second.predicted_display_time)


def _a_time_of_zero_is_invalid(app: _Application) -> None:
    backend = app.backend
    app.run()
    time = backend.wait_frame().predicted_display_time
    backend.begin_frame()
    for wrong in (0.0, -1.0):
        with _refused("XR_ERROR_TIME_INVALID", f"xrEndFrame at display time {wrong}"):
            backend.end_frame(wrong)
        with _refused("XR_ERROR_TIME_INVALID", f"xrLocateViews at display time {wrong}"):
            backend.locate_views(wrong)
    backend.end_frame(time)  # the refused calls have not ended it


def _display_times_are_ahead_and_go_forwards(app: _Application) -> None:
    app.run()
    last = -math.inf
    for _ in range(10):
        state = app.backend.wait_frame()
        _demand(state.predicted_display_period > 0, "XrFrameState: predictedDisplayPeriod is more than 0")
        _demand(state.predicted_display_time > last, "xrWaitFrame: predictedDisplayTime goes forwards")
        _demand(state.predicted_display_time > app.backend.now(), "xrWaitFrame: predictedDisplayTime is in the future")
        last = state.predicted_display_time
        app.backend.begin_frame()
        app.backend.end_frame(last)


def _frames_are_rendered_only_where_they_are_seen(app: _Application) -> None:
    app.run()
    _demand(not app.frame().should_render, "XrFrameState: shouldRender is false in state READY")
    app.loop_until(FOCUSED)
    _demand(any(app.frame().should_render for _ in range(PATIENCE)), "XrFrameState: shouldRender comes with FOCUSED")


def _views_are_two_eyes(app: _Application) -> None:
    app.run()
    app.loop_until(FOCUSED)
    flags, (left, right) = app.backend.locate_views(app.frame().predicted_display_time)
    _demand(flags.orientation_valid, "xrLocateViews: the orientation is known while the headset is worn")
    for view in (left, right):
        _demand(abs(math.hypot(*view.pose.orientation) - 1) < 1e-3, "XrPosef: an orientation is of length 1")
        _demand(view.fov.angle_left < view.fov.angle_right, "XrFovf: angleLeft is less than angleRight")
        _demand(view.fov.angle_down < view.fov.angle_up, "XrFovf: angleDown is less than angleUp")
        angles_are_real = all(abs(angle) < math.pi / 2 for angle in view.fov)
        _demand(angles_are_real, "XrFovf: an angle is between -π/2 and π/2")
    aside = left.pose.moved(Vector3(1.0)).position  # a metre to the left eye's right
    in_order = math.dist(aside, right.pose.position) < math.dist(aside, left.pose.position)
    _demand(in_order, "XrViewConfigurationType: view 0 is the left eye, view 1 the right")


def _an_ended_session_takes_no_frames(app: _Application) -> None:
    app.run()
    app.frame()
    app.backend.request_exit_session()
    app.loop_until(STOPPING)
    app.backend.end_session()
    with _refused("XR_ERROR_SESSION_NOT_RUNNING", "xrWaitFrame after xrEndSession"):
        app.backend.wait_frame()
    app.idle_until(EXITING)
    _demand(LOSS_PENDING not in app.states, "Session Lifecycle: an exit is no loss")


def _a_closed_backend_refuses_and_closes_again(app: _Application) -> None:
    app.run()
    app.frame()
    app.backend.close()
    with _refused(None, "xrWaitFrame after xrDestroySession"):
        app.backend.wait_frame()
    app.backend.close()


CHECKS = (
    _states_go_up_and_down,
    _a_session_that_does_not_run_takes_no_frames,
    _a_session_begins_once_and_ends_when_stopping,
    _frame_calls_keep_their_order,
    _frames_may_be_pipelined,
    _a_time_of_zero_is_invalid,
    _display_times_are_ahead_and_go_forwards,
    _frames_are_rendered_only_where_they_are_seen,
    _views_are_two_eyes,
    _an_ended_session_takes_no_frames,
    _a_closed_backend_refuses_and_closes_again,
)


def _demand(kept: bool, promise: str) -> None:
    if not kept:
        raise AssertionError(promise)


@contextmanager
def _refused(result: str | None, call: str) -> Iterator[None]:
    """The call in the block must be refused, with OpenXR's `result` where one is given."""
    try:
        yield
    except CallOrderError as error:
        _demand(result is None or error.result == result, f"{call} must give {result}, and gave {error.result}")
    except XrError as error:
        _demand(result is None, f"{call} must raise CallOrderError ({result}), and raised {error!r}")
    else:
        raise AssertionError(f"{call} must give {result or 'an error'}, and was taken")


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
