from __future__ import annotations

import pytest

from vrsdk import xr
from vrsdk.xr.session import FOCUSED


@pytest.mark.parametrize("rate", [30.0, 72.0, 90.0, 120.0])
def test_the_mock_keeps_openxrs_promises(rate: float) -> None:
    xr.check_backend(lambda: xr.MockBackend("check", xr.VirtualClock(), xr.MockHeadset(refresh_rate=rate)))


class Leaps(xr.MockBackend):
    def poll_event(self, timeout: float = 0.0) -> xr.SessionStateChanged | None:
        event = super().poll_event(timeout)
        return event and event._replace(state=FOCUSED)


class Sleeps(xr.MockBackend):
    def poll_event(self, timeout: float = 0.0) -> xr.SessionStateChanged | None:
        return None


class TakesAnyOrder(xr.MockBackend):
    def begin_frame(self) -> bool:
        try:
            return super().begin_frame()
        except xr.CallOrderError:
            return False


class HidesDiscards(xr.MockBackend):
    def begin_frame(self) -> bool:
        super().begin_frame()
        return False


class TakesAnyTime(xr.MockBackend):
    def end_frame(self, display_time: float) -> None:
        super().end_frame(max(display_time, 1e-9))


class PredictsThePast(xr.MockBackend):
    def wait_frame(self) -> xr.FrameState:
        return super().wait_frame()._replace(predicted_display_time=max(self.now() / 2, 1e-6))


class RefusesLawfulCalls(xr.MockBackend):
    def end_frame(self, display_time: float) -> None:
        super().end_frame(0.0)


class RendersAlways(xr.MockBackend):
    def wait_frame(self) -> xr.FrameState:
        return super().wait_frame()._replace(should_render=True)


class SwapsEyes(xr.MockBackend):
    def locate_views(self, display_time: float) -> tuple[xr.ViewState, tuple[xr.View, xr.View]]:
        flags, (left, right) = super().locate_views(display_time)
        return flags, (right, left)


class Outlives(xr.MockBackend):
    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("broken", "promise"),
    [
        (Leaps, "UNKNOWN → FOCUSED is no change of state"),
        (Sleeps, "READY did not come"),
        (TakesAnyOrder, "xrBeginFrame.* must give"),
        (HidesDiscards, "XR_FRAME_DISCARDED"),
        (TakesAnyTime, "XR_ERROR_TIME_INVALID"),
        (PredictsThePast, "predictedDisplayTime is in the future"),
        (RefusesLawfulCalls, "lawful call was refused.*display time 0.0"),
        (RendersAlways, "shouldRender is false in state READY"),
        (SwapsEyes, "view 0 is the left eye"),
        (Outlives, "after xrDestroySession"),
    ],
)
def test_a_broken_promise_is_found_and_named(broken: type[xr.MockBackend], promise: str) -> None:
    with pytest.raises(AssertionError, match=promise):
        xr.check_backend(lambda: broken("check", xr.VirtualClock()))
