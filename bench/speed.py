"""How fast does the engine read and speak, against a bare float32 loop of the same weights in the same run?

The two take turns, so that what else the machine does hits both. Medians; one thread each.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import vrsdk
from vrsdk.runtime.bundle import Bundle
from vrsdk.runtime.engine import Engine
from vrsdk.runtime.runtime import load_engine

PROMPT = list(range(300, 428))  # 128 tokens
ROUNDS = 15
COLD = """
import time; began = time.monotonic()
import vrsdk, sys
card = vrsdk.NpcCard("Mira", "innkeeper", "the Goose", "warm", facts=(vrsdk.Fact("A room costs three silver."),))
with vrsdk.Runtime(sys.argv[1], budget=vrsdk.LatencyBudget(total=60)) as runtime:
    next(iter(runtime.npc(card).say("How much is a room?")))
    print(time.monotonic() - began)
"""


def run(args: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    engines = {"int8": load_engine(Bundle.open(args.bundle), slots=8)}
    float32 = args.float32 or float32_bundle(args.bundle, scratch / "float32")
    engines["float32"] = load_engine(Bundle.open(float32), slots=8)
    measured: dict[str, dict[str, list[float]]] = {name: {} for name in engines}
    for _ in range(ROUNDS):
        for name, engine in engines.items():
            for what, seconds in once(engine).items():
                measured[name].setdefault(what, []).append(seconds)
    figures: dict[str, Any] = {
        name: {what: statistics.median(values) for what, values in times.items()} for name, times in measured.items()
    }
    figures["float32_over_int8"] = {what: figures["float32"][what] / figures["int8"][what] for what in figures["int8"]}
    figures["tokens_per_second"] = {"one": 1 / figures["int8"]["step_1_s"], "eight": 8 / figures["int8"]["step_8_s"]}
    figures["import_s"] = import_time()
    figures["cold_first_token_s"] = statistics.median(cold(args.bundle) for _ in range(5))
    figures["warm_first_token_s"] = warm(args.bundle)
    figures["bundle_mb"] = sum(f["bytes"] for f in Bundle.open(args.bundle).files.values()) / 1e6
    return figures


def once(engine: Engine) -> dict[str, float]:
    """Seconds of a 128-token prefill, and of one step of one and of eight sequences behind it."""
    for slot in range(8):
        engine.rewind(slot, 0)
    found = {"prefill_128_s": timed(lambda: engine.prefill(0, PROMPT))}
    for slot in range(1, 8):
        engine.prefill(slot, PROMPT[:32])
    found["step_1_s"] = timed(lambda: engine.step([0], [300]), 20)
    found["step_8_s"] = timed(lambda: engine.step(range(8), [300] * 8), 10)
    return found


def timed(call: Callable[[], object], times: int = 1) -> float:
    began = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - began) / times


def cold(bundle: Path) -> float:
    """Seconds from the first line of a fresh process to the first word."""
    return float(
        subprocess.run([sys.executable, "-c", COLD, str(bundle)], capture_output=True, text=True, check=True).stdout
    )


def import_time() -> float:
    code = "import time; b = time.perf_counter(); import vrsdk; print(time.perf_counter() - b)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(5)]
    return statistics.median(float(run.stdout) for run in runs)


def warm(bundle: Path) -> float:
    """Seconds from `say` to the first word, the card being warm; no history but the last turn."""
    firsts = []
    card = vrsdk.NpcCard.load("demos/cards/mira.toml")
    with vrsdk.Runtime(bundle, budget=vrsdk.LatencyBudget(total=60)) as runtime:
        runtime.wait()
        for line in ("Hello!", "How much is a room?", "And breakfast?", "Is the wood safe?", "Where are the baths?"):
            npc = runtime.npc(card)
            time.sleep(0.3)  # the card is being read
            reply = npc.say(line)
            while not reply.done:
                for event in reply.poll():
                    if isinstance(event, vrsdk.Done) and event.timing.first_token:
                        firsts.append(event.timing.first_token)
                time.sleep(0.001)
    return statistics.median(firsts)


def float32_bundle(bundle: Path, folder: Path) -> Path:
    """The same weights as float32, which is what the bare loop multiplies."""
    import json
    import shutil

    from vrsdk.distill.export import export
    from vrsdk.distill.train import from_bundle
    from vrsdk.runtime import bundle as bundles

    folder.mkdir()
    shutil.copyfile(bundle / "tokenizer.json", folder / "tokenizer.json")
    model, context = from_bundle(bundle), Bundle.open(bundle).architecture["context"]
    export(model.state_dict(), model.shape, context, folder / "model.onnx", int8=False)
    manifest = json.loads((bundle / "manifest.json").read_text("utf-8"))
    bundles.write(folder, **{k: v for k, v in manifest.items() if k not in ("format", "files")})
    return folder
