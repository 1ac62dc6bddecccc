from __future__ import annotations

import gc
import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrsdk import xr
from vrsdk.xr.session import EXITING, FOCUSED, IDLE, LOSS_PENDING, NEXT, READY, STOPPING, SYNCHRONIZED, UNKNOWN, VISIBLE

WAY_UP = [UNKNOWN, IDLE, READY, SYNCHRONIZED, VISIBLE, FOCUSED]
PERIOD = 0.01  # seconds: a headset of 100 Hz


class Recorded(xr.MockBackend):
    """A mock that writes down what the session was told and what it called."""

    def __init__(self, headset: xr.MockHeadset | None = None) -> None:
        self.clock = xr.VirtualClock(start=1000.0)
        self.states = [UNKNOWN]
        self.calls: list[str] = []
        self.ended: list[tuple[float, float]] = []  # of each frame: its display time, and when it was ended
        super().__init__("tavern", self.clock, headset or xr.MockHeadset(refresh_rate=1 / PERIOD))

    def poll_event(self, timeout: float = 0.0) -> xr.SessionStateChanged | None:
        event = super().poll_event(timeout)
        if event:
            self.states.append(event.state)
        return event

    def wait_frame(self) -> xr.FrameState:
        self.calls.append("wait")
        return super().wait_frame()

    def begin_frame(self) -> bool:
        self.calls.append("begin")
        return super().begin_frame()

    def end_frame(self, display_time: float) -> None:
        self.calls.append("end")
        self.ended.append((display_time, self.now()))
        super().end_frame(display_time)


def play(backend: Recorded, work: list[float]) -> xr.Session:
    """Loop with `work[n]` seconds of work in each frame the player sees, then ask to leave."""
    left = iter(work)
    with xr.Session(backend) as session:
        for frame in session.frames():
            if frame.should_render and (seconds := next(left, None)) is not None:
                backend.clock.advance(seconds)
            elif frame.should_render:
                session.request_exit()
    return session


def refreshes_without_a_new_frame(backend: Recorded) -> int:
    """What someone at the display counts: the refreshes, from the first frame seen to the last, with an old image."""
    refresh = [round(display_time / PERIOD) for display_time, _ in backend.ended]
    ready = [math.ceil(when / PERIOD - 1e-6) for _, when in backend.ended]
    shown = {max(aim, done) for aim, done in zip(refresh, ready, strict=True)}
    return len(set(range(min(refresh), max(shown) + 1)) - shown)


def test_the_loop_leads_the_session_up_and_after_request_exit_down_again() -> None:
    backend = Recorded()
    assert play(backend, [0.005] * 5).state is EXITING
    assert backend.states == [*WAY_UP, VISIBLE, SYNCHRONIZED, STOPPING, IDLE, EXITING]


def test_each_frame_is_waited_for_begun_and_ended_in_openxrs_order() -> None:
    backend = Recorded()
    play(backend, [0.005] * 5)
    assert backend.calls == ["wait", "begin", "end"] * (len(backend.calls) // 3)


def test_a_loop_that_has_ended_gives_no_more_frames() -> None:
    backend = Recorded()
    session = xr.Session(backend)
    for _ in session.frames():
        session.request_exit()
    assert list(session.frames()) == []


def test_leaving_the_loop_ends_its_frame_and_the_next_loop_goes_on() -> None:
    backend = Recorded()
    session = xr.Session(backend)
    for frame in session.frames():
        if frame.number == 3:
            break
    assert backend.calls[-1] == "end"
    assert next(session.frames()).number == 4


def test_closing_the_session_in_a_frame_ends_the_loop() -> None:
    backend = Recorded()
    session = xr.Session(backend)
    for frame in session.frames():
        if frame.number == 3:
            session.close()
    assert frame.number == 3


def test_only_frames_that_someone_sees_are_to_be_rendered() -> None:
    backend = Recorded()
    seen = []
    with xr.Session(backend) as session:
        for frame in session.frames():
            seen.append((session.state, frame.should_render))
            if frame.number == 3:
                session.request_exit()
    assert seen == [(READY, False), (FOCUSED, True), (FOCUSED, True)]


def test_the_headset_off_stops_the_frames_and_on_starts_them_again() -> None:
    def off_from_1_to_3_seconds(time: float) -> xr.SessionState:
        return IDLE if 1 <= time < 3 else EXITING if time > 4 else FOCUSED

    backend = Recorded(xr.MockHeadset(refresh_rate=100, wanted_state=off_from_1_to_3_seconds))
    with xr.Session(backend) as session:
        times = [frame.predicted_display_time for frame in session.frames()]
    assert not [time for time in times if 1.05 < time < 3]
    assert [time for time in times if time > 3.05]
    assert session.missed == 0, "nobody saw the refreshes in between"


def test_a_session_that_is_lost_says_so_each_time() -> None:
    backend = Recorded(xr.MockHeadset(wanted_state=lambda time: LOSS_PENDING if time > 0.1 else FOCUSED))
    session = xr.Session(backend)
    for _ in range(2):
        with pytest.raises(xr.SessionLost, match=r'session "tavern", frame 10.*new session') as lost:
            list(session.frames())
        assert lost.value.result == "XR_SESSION_LOSS_PENDING"


def test_leaving_the_loop_of_a_lost_session_is_quiet() -> None:
    backend = Recorded(xr.MockHeadset(wanted_state=lambda time: LOSS_PENDING if time > 0.1 else FOCUSED))
    session = xr.Session(backend)
    for _ in session.frames():
        backend.clock.advance(0.2)
        while backend.poll_event():
            pass
        break
    gc.collect()  # an error in the loop's end would be reported here, and pytest would fail the test
    assert backend.states[-1] is LOSS_PENDING


def test_a_loop_inside_the_loop_is_refused() -> None:
    session = xr.Session(Recorded())
    for _ in session.frames():
        with pytest.raises(xr.CallOrderError, match=r'frames\(\) inside frames\(\).*"tavern", frame 1') as refused:
            next(session.frames())
        break
    assert refused.value.result == "XR_ERROR_CALL_ORDER_INVALID"


def test_request_exit_before_the_first_frame_is_not_running() -> None:
    with pytest.raises(xr.CallOrderError, match="tavern") as refused:
        xr.Session(Recorded()).request_exit()
    assert refused.value.result == "XR_ERROR_SESSION_NOT_RUNNING"


def test_a_state_that_is_said_twice_is_entered_once() -> None:
    class Stammering(Recorded):
        said: xr.SessionStateChanged | None = None

        def poll_event(self, timeout: float = 0.0) -> xr.SessionStateChanged | None:
            again, self.said = self.said, None
            if again is None:
                self.said = super().poll_event(timeout)
            return again or self.said

    assert play(Stammering(), [0.0] * 3).state is EXITING


def test_a_runtime_that_breaks_the_lifecycle_is_named() -> None:
    class Leaping(Recorded):
        def poll_event(self, timeout: float = 0.0) -> xr.SessionStateChanged | None:
            return xr.SessionStateChanged(FOCUSED, 0.0)

    with pytest.raises(xr.XrError, match="from UNKNOWN to FOCUSED"):
        next(xr.Session(Leaping()).frames())


@pytest.mark.parametrize(
    ("work", "missed"),
    [
        ([0.5, 0.5, 0.5], 0),
        ([1.0, 1.0, 1.0], 0),  # on the deadline is in time
        ([0.5, 1.1, 0.5], 1),
        ([0.5, 2.0, 0.5], 1),
        ([0.5, 3.5, 0.5, 1.5], 4),
        ([0.5, 0.5, 1.5], 1),  # the last frame counts too
    ],
    ids=str,
)
def test_missed_counts_the_refreshes_that_showed_an_old_frame(work: list[float], missed: int) -> None:
    backend = Recorded()
    assert play(backend, [periods * PERIOD for periods in work]).missed == missed


@pytest.mark.parametrize("rate", [72.0, 90.0, 144.0])
def test_a_loop_of_exactly_two_periods_misses_every_other_refresh(rate: float) -> None:
    """Whatever the clock's roundings: its seconds don't divide by the period."""
    backend = Recorded(xr.MockHeadset(refresh_rate=rate))
    assert play(backend, [2 / rate] * 300).missed == 300


def test_missed_counts_a_late_frame_though_none_follows() -> None:
    backend = Recorded()
    session = xr.Session(backend)
    for frame in session.frames():
        if frame.number == 5:
            backend.clock.advance(2.5 * PERIOD)
            break
    assert session.missed == 2


def test_missed_counts_what_was_lost_between_two_frames() -> None:
    class Slow(Recorded):
        def wait_frame(self) -> xr.FrameState:
            if self.calls.count("wait") == 10:
                self.clock.advance(3.5 * PERIOD)  # the machine is busy elsewhere
            return super().wait_frame()

    backend = Slow()
    session = play(backend, [0.0] * 20)
    del backend.ended[0]
    assert session.missed == refreshes_without_a_new_frame(backend) > 0


def test_loading_before_anyone_looks_is_not_missed() -> None:
    backend = Recorded()
    with xr.Session(backend) as session:
        for frame in session.frames():
            if not frame.should_render:
                backend.clock.advance(0.5)
            elif frame.number == 5:
                session.request_exit()
    assert session.missed == 0


@given(work=st.lists(st.floats(0, 6 * PERIOD), min_size=1, max_size=60))
def test_missed_is_what_someone_at_the_display_counts(work: list[float]) -> None:
    backend = Recorded()
    session = play(backend, work)
    del backend.ended[0]  # made before the session was visible
    assert session.missed == refreshes_without_a_new_frame(backend)


def test_a_frame_that_was_late_is_followed_by_the_next_whole_period() -> None:
    backend = Recorded()
    with xr.Session(backend) as session:
        for frame in session.frames():
            if frame.number == 5:
                late_for = frame.predicted_display_time
                backend.clock.advance(1.2 * PERIOD)
            if frame.number == 6:
                break
    assert frame.predicted_display_time == pytest.approx(late_for + 2 * PERIOD)
    assert frame.slack == pytest.approx(PERIOD - 0.001)


def test_slack_is_the_time_to_the_deadline_less_the_margin_and_never_negative() -> None:
    backend = Recorded()
    frame = next(xr.Session(backend, margin=0.002).frames())
    assert frame.slack == pytest.approx(0.008)
    backend.clock.advance(0.005)
    assert frame.slack == pytest.approx(0.003)
    backend.clock.advance(1.0)
    assert frame.slack == 0.0


def test_slack_ends_where_the_next_frame_starts_though_the_runtime_predicts_further_ahead() -> None:
    class Pipelined(Recorded):
        def wait_frame(self) -> xr.FrameState:
            state = super().wait_frame()
            return state._replace(predicted_display_time=state.predicted_display_time + 2 * PERIOD)

    assert next(xr.Session(Pipelined(), margin=0.001).frames()).slack == pytest.approx(PERIOD - 0.001)


def test_views_are_where_the_script_says_at_the_display_time_and_stay_within_the_frame() -> None:
    headset = xr.MockHeadset(head=lambda time: xr.Pose(position=xr.Vector3(z=-time)), eye_distance=0.06)
    frame = next(xr.Session(Recorded(headset)).frames())
    left, right = frame.views
    assert left.pose.position == pytest.approx((-0.03, 0.0, -frame.predicted_display_time))
    assert right.pose.position == pytest.approx((0.03, 0.0, -frame.predicted_display_time))
    assert frame.views is frame.views


def test_lost_tracking_is_said() -> None:
    assert next(xr.Session(Recorded()).frames()).tracked
    assert not next(xr.Session(Recorded(xr.MockHeadset(head=lambda time: None))).frames()).tracked


@st.composite
def players(draw: st.DrawFn) -> tuple[xr.MockHeadset, list[float]]:
    """A headset whose wearer does anything for half a second, then leaves; and the work of each frame."""
    wishes = draw(st.lists(st.sampled_from([IDLE, READY, SYNCHRONIZED, VISIBLE, FOCUSED, STOPPING]), max_size=10))
    script = [*wishes, draw(st.sampled_from([EXITING, LOSS_PENDING]))]

    def wanted_state(time: float) -> xr.SessionState:
        return script[min(int(time / 0.05), len(wishes))]

    rate = draw(st.sampled_from([24.0, 72.0, 90.0, 120.0, 144.0]))
    return xr.MockHeadset(refresh_rate=rate, wanted_state=wanted_state), draw(st.lists(st.floats(0, 0.03), max_size=20))


@given(players())
def test_whatever_the_player_does_the_loop_keeps_the_lifecycle_and_comes_to_an_end(
    player: tuple[xr.MockHeadset, list[float]],
) -> None:
    headset, work = player
    backend = Recorded(headset)
    left = iter(work)
    session = xr.Session(backend)
    display_times = []
    try:
        for frame in session.frames():
            display_times.append(frame.predicted_display_time)
            backend.clock.advance(next(left, 0.0))
    except xr.SessionLost:
        assert session.state is LOSS_PENDING
    else:
        assert session.state is EXITING
    assert all(later in NEXT[state] for state, later in pairwise(backend.states))
    assert backend.calls == ["wait", "begin", "end"] * len(display_times)
    assert display_times == sorted(set(display_times))
