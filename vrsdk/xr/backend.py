"""What the frame loop asks of a runtime, in OpenXR's words: each method is the xr function of its name.

A backend holds one instance and one session. Times are seconds on the backend's own clock (`now`), for an XrTime is
a count of nanoseconds; poses are in STAGE space, views those of PRIMARY_STEREO. Errors are `vrsdk.XrError` with
OpenXR's code as `.result`, and say the session's name and the frame's number:

    CallOrderError   the call can't be made now, or not with this time
    SessionLost      the session or the instance is gone

`vrsdk.xr.check_backend` asks a backend whether it keeps these promises.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, Protocol

from vrsdk.xr.pose import View


class SessionState(Enum):
    """XrSessionState."""

    UNKNOWN = "UNKNOWN"
    IDLE = "IDLE"
    READY = "READY"
    SYNCHRONIZED = "SYNCHRONIZED"
    VISIBLE = "VISIBLE"
    FOCUSED = "FOCUSED"
    STOPPING = "STOPPING"
    LOSS_PENDING = "LOSS_PENDING"
    EXITING = "EXITING"


class SessionStateChanged(NamedTuple):
    """XrEventDataSessionStateChanged."""

    state: SessionState
    time: float


class FrameState(NamedTuple):
    """XrFrameState: seconds."""

    predicted_display_time: float
    predicted_display_period: float
    should_render: bool


class ViewState(NamedTuple):
    """XrViewStateFlags. Where a flag is False, that part of the views' poses means nothing."""

    orientation_valid: bool
    position_valid: bool


class Backend(Protocol):
    @property
    def app_name(self) -> str:
        """XrApplicationInfo's applicationName; the session's name in errors."""

    def now(self) -> float: ...

    def poll_event(self, timeout: float = 0.0) -> SessionStateChanged | None:
        """The oldest event not yet polled. OpenXR never waits here; a backend may, for `timeout` seconds at most."""

    def begin_session(self) -> None: ...

    def end_session(self) -> None: ...

    def request_exit_session(self) -> None: ...

    def wait_frame(self) -> FrameState:
        """Block until the next frame should start. Other Python threads run meanwhile."""

    def begin_frame(self) -> bool:
        """True where OpenXR says XR_FRAME_DISCARDED: the frame begun before was never ended."""

    def end_frame(self, display_time: float) -> None: ...

    def locate_views(self, display_time: float) -> tuple[ViewState, tuple[View, View]]:
        """The left eye and the right as they will be at `display_time`."""

    def close(self) -> None:
        """xrDestroySession and xrDestroyInstance: in any state, and again without harm."""
