from __future__ import annotations

import subprocess
import sys

import vrsdk


def test_import_loads_neither_onnxruntime_nor_pyopenxr() -> None:
    code = (
        "import sys, vrsdk; print([m for m in ('onnxruntime', 'numpy', 'xr', 'torch', 'pyglet') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"


def test_every_exported_name_is_there() -> None:
    assert sorted(vrsdk.__all__) == vrsdk.__all__
    assert all(getattr(vrsdk, name) is not None for name in vrsdk.__all__)
