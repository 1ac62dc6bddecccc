from __future__ import annotations

import subprocess
import sys

import pytest

from vrsdk import UsageError, xr


@pytest.mark.parametrize("backend", ["auto", "mock"])
def test_a_session_opens_on_the_mock(backend: str) -> None:
    with xr.open_session("tavern", backend=backend, clock=xr.VirtualClock()) as session:
        for frame in session.frames():
            if frame.number == 10:
                session.request_exit()
    assert (session.name, frame.number, session.missed) == ("tavern", 10, 0)


def test_a_session_runs_on_real_time_by_default() -> None:
    with xr.open_session("tavern", headset=xr.MockHeadset(refresh_rate=1000)) as session:
        times = [frame.predicted_display_time for frame, _ in zip(session.frames(), range(5), strict=False)]
    assert times == sorted(set(times))


def test_openxr_is_not_in_this_version_and_the_error_says_what_to_use() -> None:
    with pytest.raises(xr.XrError, match=r'not in this version.*"tavern".*backend="auto" or "mock"') as refused:
        xr.open_session("tavern", backend="openxr")
    assert refused.value.result == "XR_ERROR_RUNTIME_UNAVAILABLE"


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(UsageError, match=r'steamvr.*"tavern".*"auto"'):
        xr.open_session("tavern", backend="steamvr")


@pytest.mark.parametrize("name", ["", "x" * 128, "馆" * 43])
def test_a_name_that_openxr_does_not_take_is_name_invalid(name: str) -> None:
    with pytest.raises(xr.XrError, match="127 bytes") as refused:
        xr.open_session(name)
    assert refused.value.result == "XR_ERROR_NAME_INVALID"


def test_every_exported_name_is_there_and_nothing_heavy_is_loaded() -> None:
    code = (
        "import sys; from vrsdk import xr; [getattr(xr, name) for name in xr.__all__];"
        "heavy = {'xr', 'pyglet', 'onnxruntime', 'numpy', 'vrsdk.runtime'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
