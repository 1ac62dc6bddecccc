"""OpenXR sessions for Python: the frame loop, its states and its time."""

from vrsdk.errors import CallOrderError, SessionLost, XrError
from vrsdk.xr.auto import open_session
from vrsdk.xr.backend import Backend, FrameState, SessionState, SessionStateChanged, ViewState
from vrsdk.xr.clock import Clock, RealClock, VirtualClock
from vrsdk.xr.conformance import check_backend
from vrsdk.xr.mock import MockBackend, MockHeadset
from vrsdk.xr.pose import Fov, Pose, Quaternion, Vector3, View
from vrsdk.xr.session import Frame, Session

__all__ = [
    "Backend", "CallOrderError", "Clock", "Fov", "Frame", "FrameState", "MockBackend", "MockHeadset", "Pose",
    "Quaternion", "RealClock", "Session", "SessionLost", "SessionState", "SessionStateChanged", "Vector3", "View",
    "ViewState", "VirtualClock", "XrError", "check_backend", "open_session",
]  # fmt: skip
