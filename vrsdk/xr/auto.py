"""Choose a backend by name and open a session on it."""

from __future__ import annotations

from typing import Literal

from vrsdk.errors import UsageError, XrError
from vrsdk.xr.clock import Clock, RealClock
from vrsdk.xr.mock import MockBackend, MockHeadset
from vrsdk.xr.session import MARGIN, Session

NAME_BYTES = 127  # XR_MAX_APPLICATION_NAME_SIZE, less the final zero


def open_session(
    app_name: str,
    backend: Literal["auto", "openxr", "mock"] = "auto",
    *,
    headset: MockHeadset | None = None,
    clock: Clock | None = None,
    margin: float = MARGIN,
) -> Session:
    """A session to loop over; use it in a `with`.

    `backend`: "mock" is a headset in memory; "openxr", a real runtime, is not in this version and raises XrError;
    "auto" takes a real runtime where one answers and the mock elsewhere, so in this version always the mock.
    `headset` and `clock` are the mock's: by default 90 Hz, a player who stands still, real time.
    `margin`: seconds of each frame that `frame.slack` keeps from the model.
    """
    if not app_name or len(app_name.encode()) > NAME_BYTES:
        raise XrError("XR_ERROR_NAME_INVALID", f"app_name {app_name!r}: OpenXR takes 1 to {NAME_BYTES} bytes of UTF-8.")
    match backend:
        case "auto" | "mock":
            return Session(MockBackend(app_name, clock or RealClock(), headset), margin)
        case "openxr":
            problem = f'backend "openxr" is not in this version (session "{app_name}")'
            raise XrError("XR_ERROR_RUNTIME_UNAVAILABLE", f'{problem}. Use backend="auto" or "mock".')
    raise UsageError(f'backend={backend!r} (session "{app_name}") is no backend. Use "auto", "openxr" or "mock".')
