"""Does a talking character cost a frame? A 90 Hz mock loop with 5 ms of render work, with and without one.

The work is a busy loop in Python, which holds the interpreter lock as a game's own code does.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import vrsdk
from vrsdk import xr

RENDER = 0.005  # seconds of work a frame
LINES = ("How much is a room?", "And breakfast?", "Who are you?", "Is the wood safe at night?", "Tell me of the mill.")


def run(args: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    sys.setswitchinterval(0.0005)  # as the docs advise: it cuts the frame loop's worst wake-up
    silent = loop(args.seconds, None)
    with vrsdk.Runtime(args.bundle, budget=vrsdk.LatencyBudget(total=60)) as runtime:
        runtime.wait()
        talking = loop(args.seconds, runtime)
    return {"silent": silent, "talking": talking}


def loop(seconds: float, runtime: vrsdk.Runtime | None) -> dict[str, float]:
    """`seconds` of frames; with a runtime, a character answers line after line."""
    npc = runtime.npc("demos/cards/mira.toml") if runtime else None
    reply, turns, tokens, firsts = None, 0, 0, []
    late: list[float] = []
    with xr.open_session("bench") as session:
        began = time.monotonic()
        for frame in session.frames():
            woke = time.monotonic()
            if runtime and npc:
                runtime.grant(frame.slack - RENDER)
                if reply is None:
                    reply = npc.say(LINES[turns % len(LINES)])
                for event in reply.poll():
                    if isinstance(event, vrsdk.Done):
                        turns, tokens, reply = turns + 1, tokens + event.timing.tokens, None
                        firsts.append(event.timing.first_token or 0.0)
            while time.monotonic() - woke < RENDER:
                pass
            late.append(time.monotonic() - woke)
            if time.monotonic() - began > seconds:
                session.request_exit()
        missed, count = session.missed, frame.number
    late.sort()
    figures = {
        "frames": count,
        "missed": missed,
        "work_p99_ms": 1000 * late[int(0.99 * len(late))],
        "work_worst_ms": 1000 * late[-1],
    }
    if turns:
        firsts.sort()
        figures |= {
            "turns": turns,
            "tokens_per_second": tokens / seconds,
            "first_token_p50_s": firsts[len(firsts) // 2],
        }
    return figures
