"""`python -m bench speed | frames`: figures of this machine, as JSON in bench/results; see docs/bench.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnxruntime

from bench import frames, speed

RESULTS = Path(__file__).parent / "results"
QUESTIONS: dict[str, Callable[[argparse.Namespace, Path], dict[str, Any]]] = {"speed": speed.run, "frames": frames.run}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("question", choices=QUESTIONS)
    parser.add_argument("--bundle", type=Path, default=Path("models/pocket"))
    parser.add_argument("--seconds", type=float, default=60.0, help="of the frame loop")
    parser.add_argument("--float32", type=Path, help="a float32 bundle of the same weights, to compare with (speed)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        figures = QUESTIONS[args.question](args, Path(scratch))
    result = {
        "command": "python -m bench " + " ".join(sys.argv[1:]),
        "machine": {"cpu": cpu(), "cores": os.cpu_count(), "system": platform.platform()},
        "versions": {"python": platform.python_version(), "onnxruntime": onnxruntime.__version__},
        "figures": figures | {"resident_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024},
    }
    text = json.dumps(result, indent=2)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{args.question}.json").write_text(text + "\n", "utf-8")
    print(text)


def cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())


if __name__ == "__main__":
    main()
