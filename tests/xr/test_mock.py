from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrsdk import UsageError, xr
from vrsdk.xr.session import FOCUSED, NEXT, UNKNOWN


@pytest.fixture
def clock() -> xr.VirtualClock:
    return xr.VirtualClock()


@pytest.fixture
def backend(clock: xr.VirtualClock) -> xr.MockBackend:
    """A session that runs, before its first frame."""
    backend = xr.MockBackend("tavern", clock, xr.MockHeadset(refresh_rate=100))
    while backend.poll_event():
        pass
    backend.begin_session()
    return backend


def frame(backend: xr.MockBackend) -> xr.FrameState:
    state = backend.wait_frame()
    backend.begin_frame()
    backend.end_frame(state.predicted_display_time)
    return state


@pytest.mark.parametrize("call", ["wait_frame", "begin_frame", "end_session", "request_exit_session"])
def test_before_begin_session__is_session_not_running(call: str, clock: xr.VirtualClock) -> None:
    with pytest.raises(xr.CallOrderError, match=f'{call}.*session "tavern", frame 0') as refused:
        getattr(xr.MockBackend("tavern", clock), call)()
    assert refused.value.result == "XR_ERROR_SESSION_NOT_RUNNING"


def test_begin_session__before_ready__is_session_not_ready(clock: xr.VirtualClock) -> None:
    with pytest.raises(xr.CallOrderError, match="UNKNOWN, not READY") as refused:
        xr.MockBackend("tavern", clock).begin_session()
    assert refused.value.result == "XR_ERROR_SESSION_NOT_READY"


def test_begin_frame__before_wait_frame__says_where_and_what_to_do(backend: xr.MockBackend) -> None:
    for _ in range(3):
        frame(backend)
    message = r'begin_frame before wait_frame \(session "tavern", frame 3\)\. Loop over session\.frames\(\)'
    with pytest.raises(xr.CallOrderError, match=message):
        backend.begin_frame()


def test_wait_frame__twice__is_refused_where_a_real_runtime_would_block_for_ever(backend: xr.MockBackend) -> None:
    backend.wait_frame()
    with pytest.raises(xr.CallOrderError, match="again before begin_frame") as refused:
        backend.wait_frame()
    assert refused.value.result == "XR_ERROR_CALL_ORDER_INVALID"


@pytest.mark.parametrize("time", [0.0, -1.0, float("nan"), float("inf")])
def test_locate_views__no_time__is_time_invalid(backend: xr.MockBackend, time: float) -> None:
    with pytest.raises(xr.CallOrderError, match="predicted_display_time") as refused:
        backend.locate_views(time)
    assert refused.value.result == "XR_ERROR_TIME_INVALID"


def test_locate_views__head_turned_left__eyes_one_behind_the_other(clock: xr.VirtualClock) -> None:
    turned = xr.Pose(xr.Quaternion.looking(yaw=1.5707963), xr.Vector3(0, 1.6, 0))
    backend = xr.MockBackend("tavern", clock, xr.MockHeadset(head=lambda time: turned, eye_distance=0.06))
    _, (left, right) = backend.locate_views(1.0)
    assert left.pose.position == pytest.approx((0, 1.6, 0.03), abs=1e-6)
    assert right.pose.position == pytest.approx((0, 1.6, -0.03), abs=1e-6)
    assert (left.fov.angle_left, left.fov.angle_right) == (-right.fov.angle_right, -right.fov.angle_left)


def test_wait_frame__virtual_clock__starts_a_period_before_the_display_time(
    backend: xr.MockBackend, clock: xr.VirtualClock
) -> None:
    for number in range(1, 6):
        state = frame(backend)
        assert state.predicted_display_time == pytest.approx(number * 0.01)
        assert clock.now() == pytest.approx((number - 1) * 0.01)


def test_wait_frame__after_a_pause__takes_the_next_whole_period(
    backend: xr.MockBackend, clock: xr.VirtualClock
) -> None:
    frame(backend)
    clock.advance(0.123)
    assert frame(backend).predicted_display_time == pytest.approx(0.14)


def test_wait_frame__in_time_but_after_the_frames_start__keeps_the_frame(
    backend: xr.MockBackend, clock: xr.VirtualClock
) -> None:
    for _ in range(5):
        frame(backend)
    clock.advance(0.018)
    assert clock.now() == pytest.approx(0.058), "past the start of frame 6, before its deadline"
    assert frame(backend).predicted_display_time == pytest.approx(0.06)


def test_begin_session__again__resets_the_frame_order(clock: xr.VirtualClock) -> None:
    wanted = [FOCUSED]
    backend = xr.MockBackend("tavern", clock, xr.MockHeadset(wanted_state=lambda time: wanted[0]))
    while backend.poll_event():
        pass
    backend.begin_session()
    frame(backend)
    backend.wait_frame()
    wanted[0] = xr.SessionState.IDLE
    while backend.poll_event():
        pass
    backend.end_session()
    wanted[0] = FOCUSED
    while backend.poll_event():
        pass
    backend.begin_session()
    assert backend.poll_event() is None, "READY until a frame of this run is ended"
    frame(backend)


def test_wait_frame__visible_without_focus__should_render(clock: xr.VirtualClock) -> None:
    backend = xr.MockBackend("tavern", clock, xr.MockHeadset(wanted_state=lambda time: xr.SessionState.VISIBLE))
    frames = xr.Session(backend).frames()
    assert [next(frames).should_render for _ in range(3)] == [False, True, True]


def test_every_call_on_a_lost_session_is_session_lost(clock: xr.VirtualClock) -> None:
    headset = xr.MockHeadset(wanted_state=lambda time: xr.SessionState.LOSS_PENDING)
    backend = xr.MockBackend("tavern", clock, headset)
    backend.poll_event()
    for call in (backend.begin_session, backend.wait_frame, lambda: backend.locate_views(1.0)):
        with pytest.raises(xr.SessionLost, match='session "tavern"') as lost:
            call()
        assert lost.value.result == "XR_ERROR_SESSION_LOST"


def test_every_call_on_a_closed_session_is_handle_invalid(backend: xr.MockBackend) -> None:
    backend.close()
    for call in (backend.wait_frame, backend.poll_event, backend.end_session):
        with pytest.raises(xr.CallOrderError, match="closed") as refused:
            call()
        assert refused.value.result == "XR_ERROR_HANDLE_INVALID"


@pytest.mark.parametrize("rate", [0, -90, float("nan"), float("inf")])
def test_a_refresh_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(UsageError, match="hertz"):
        xr.MockHeadset(refresh_rate=rate)


CALLS: dict[str, Callable[[xr.MockBackend], object]] = {
    "begin_session": xr.MockBackend.begin_session,
    "end_session": xr.MockBackend.end_session,
    "request_exit_session": xr.MockBackend.request_exit_session,
    "wait_frame": xr.MockBackend.wait_frame,
    "begin_frame": xr.MockBackend.begin_frame,
    "end_frame": lambda backend: backend.end_frame(backend.now() + 1),
    "end_frame at 0": lambda backend: backend.end_frame(0.0),
    "locate_views": lambda backend: backend.locate_views(backend.now() + 1),
    "poll_event": xr.MockBackend.poll_event,
}


def outcome(backend: xr.MockBackend, call: str) -> object:
    try:
        return CALLS[call](backend)
    except xr.CallOrderError as error:
        return error


@given(walk=st.lists(st.sampled_from(sorted(CALLS)), max_size=60))
def test_any_walk_through_the_calls_is_refused_by_code_and_a_refused_call_changes_nothing(walk: list[str]) -> None:
    """The walk without the calls that were refused gives what the whole walk gave."""
    whole = xr.MockBackend("walk", xr.VirtualClock())
    outcomes = [(call, outcome(whole, call)) for call in walk]
    refused = [error for _, error in outcomes if isinstance(error, xr.CallOrderError)]
    assert all(error.result.startswith("XR_ERROR_") and 'session "walk", frame ' in str(error) for error in refused)
    taken = [(call, result) for call, result in outcomes if not isinstance(result, xr.CallOrderError)]

    again = xr.MockBackend("walk", xr.VirtualClock())
    assert [(call, outcome(again, call)) for call, _ in taken] == taken

    states = [UNKNOWN, *(result.state for _, result in taken if isinstance(result, xr.SessionStateChanged))]
    assert all(later in NEXT[state] for state, later in pairwise(states))
    times = [result.predicted_display_time for _, result in taken if isinstance(result, xr.FrameState)]
    assert times == sorted(set(times))
