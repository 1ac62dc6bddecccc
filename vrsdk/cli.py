"""The command `vrsdk`: chat, demo, eval, bundle, doctor.

Exit codes: 0 done, 1 an error that the message explains, 2 a wrong command line, 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import vrsdk
from vrsdk.errors import VrsdkError
from vrsdk.runtime.reply import Action, Done, Emotion, Event, Reply, Text, Thinking

EXAMPLES = """examples:
  vrsdk chat demos/cards/mira.toml               talk to a character; an empty line or Ctrl-D ends it
  echo "Hello" | vrsdk chat CARD --json          one line in, one JSON event a line out
  vrsdk demo tavern --lang zh                    the tavern, in Chinese
  vrsdk eval items.jsonl --replies out.jsonl     a model's replies to an evaluation set
  vrsdk bundle inspect models/pocket             what a bundle holds, and whether it is whole
  vrsdk doctor                                   what is installed, and how fast this machine runs it
"""
DEMOS = ("tavern",)


def main(arguments: Sequence[str] | None = None) -> int:
    parser, rest = _parser(), list(sys.argv[1:] if arguments is None else arguments)
    if rest[:1] == ["demo"] and rest[1:2] and rest[1] in DEMOS:
        return _demo(rest[1], rest[2:])  # a demo has its own options
    args = parser.parse_args(rest)
    try:
        code: int = args.run(args)
        return code
    except VrsdkError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"vrsdk: {error.filename or ''}: {error.strerror}. Check the path.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vrsdk", description=vrsdk.__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"vrsdk {vrsdk.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    chat = commands.add_parser("chat", help="talk to a character in the terminal")
    chat.add_argument("card", help="the character's TOML card")
    chat.add_argument("--session", help="go on from this file, and keep the talk in it")
    chat.add_argument("--json", action="store_true", help="read a line an input, write a JSON event a line")
    _model_options(chat)
    chat.set_defaults(run=_chat)

    demo = commands.add_parser("demo", help="show a scene; `vrsdk demo tavern --help` tells its options")
    demo.add_argument("scene", choices=DEMOS)
    demo.set_defaults(run=lambda args: _demo(args.scene, []))

    evaluate = commands.add_parser("eval", help="answer an evaluation set, for a scorer to judge")
    evaluate.add_argument("items", type=Path, help="JSON lines: id, card, history, say")
    evaluate.add_argument("--replies", type=Path, required=True, help="the file to write")
    _model_options(evaluate)
    evaluate.set_defaults(run=_eval)

    bundle = commands.add_parser("bundle", help="look at a model on disk")
    bundle.add_argument("action", choices=["inspect"])
    bundle.add_argument("folder", type=Path)
    bundle.set_defaults(run=_inspect)

    doctor = commands.add_parser("doctor", help="what is installed, and how fast this machine runs it")
    doctor.add_argument("--bundle", type=Path, help="a bundle's folder; else the one that comes with vrsdk")
    doctor.set_defaults(run=_doctor)
    return parser


def _model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bundle", type=Path, help="a bundle's folder; else the one that comes with vrsdk")
    parser.add_argument("--temperature", type=float, default=0.0, help="0 (default) always takes the likeliest word")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same replies")


def _sampling(args: argparse.Namespace) -> vrsdk.Sampling:
    return vrsdk.Sampling(temperature=args.temperature, seed=args.seed)


# ---- chat -------------------------------------------------------------------------------------------


def _chat(args: argparse.Namespace) -> int:
    with vrsdk.Runtime(args.bundle, sampling=_sampling(args)) as runtime:
        known = args.session if args.session and Path(args.session).exists() else None
        npc = runtime.npc(args.card, session=known)
        talk = _chat_json if args.json else _chat_shown
        try:
            talk(npc)
        finally:
            if args.session:
                npc.save(args.session)
    return 0


def _chat_json(npc: vrsdk.Npc) -> None:
    for line in sys.stdin:
        for event in _events(npc.say(line.rstrip("\n"))):
            print(json.dumps({"event": type(event).__name__.lower(), **asdict(event)}, ensure_ascii=False), flush=True)


def _chat_shown(npc: vrsdk.Npc) -> None:
    print(f"{npc.name}, {npc.card.role}, {npc.card.place}. An empty line ends the talk.")
    if npc.greeting:
        print(f"{npc.name}: {npc.greeting}")
    while True:
        try:
            line = input("> ")
        except EOFError:
            print()
            return
        if not line.strip():
            return
        mood = ""
        print(f"{npc.name}: ", end="", flush=True)
        for event in _events(npc.say(line)):
            match event:
                case Emotion(name):
                    mood = name
                case Text(piece):
                    print(_printable(piece), end="", flush=True)
                case Action(name):
                    print(f" *{name}*", end="")
                case Thinking(said) if said:
                    print(f"({said}) ", end="", flush=True)
                case Done(source, timing):
                    first = f", first word {1000 * timing.first_token:.0f} ms" if timing.first_token else ""
                    print(f"  [{mood}, {source}{first}]")


def _printable(text: str) -> str:
    """A model or a card's text must not steer the terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def _events(reply: Reply) -> Iterator[Event]:
    """The events of a reply, waited for."""
    while not reply.done:
        yield from reply.poll()
        time.sleep(0.005)


# ---- eval, bundle, doctor ---------------------------------------------------------------------------


def _eval(args: argparse.Namespace) -> int:
    from vrsdk.distill import evaluate
    from vrsdk.runtime import bundle as bundles

    opened = bundles.Bundle.open(args.bundle or bundles.default_path())
    opened.verify()
    items = evaluate.read_items(args.items)
    new = args.replies.with_name(args.replies.name + ".new")
    began = time.monotonic()
    with open(new, "w", encoding="utf-8") as file:
        for number, row in enumerate(evaluate.replies(opened, items, _sampling(args)), 1):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            _progress(number, len(items), began)
    os.replace(new, args.replies)
    print(f"{len(items)} replies in {args.replies}")
    return 0


def _progress(number: int, of: int, began: float) -> None:
    if sys.stderr.isatty() or number == of or number % 50 == 0:
        left = (time.monotonic() - began) / number * (of - number)
        end = "\n" if number == of or not sys.stderr.isatty() else "\r"
        print(f"{number}/{of}, {left:.0f} s left ", end=end, file=sys.stderr, flush=True)


def _inspect(args: argparse.Namespace) -> int:
    from vrsdk.runtime import bundle as bundles

    opened = bundles.Bundle.open(args.folder)
    opened.verify()
    print(json.dumps(bundles.describe(opened), indent=2, ensure_ascii=False))
    return 0


def _doctor(args: argparse.Namespace) -> int:
    print(
        f"vrsdk {vrsdk.__version__}, Python {platform.python_version()}, {platform.platform()}, {os.cpu_count()} cores"
    )
    for package in ("onnxruntime", "numpy", "tokenizers", "httpx"):
        print(f"  {package:12} {_version(package)}")
    for extra, package in (("demos", "pyglet"), ("xr", "pyopenxr"), ("distill", "torch")):
        found = _version(package)
        print(f"  {package:12} {found or f'not installed: pip install vrsdk[{extra}]'}")
    print(f"OpenXR: {_openxr()}")
    return _speed(args.bundle)


def _speed(folder: Path | None) -> int:
    from vrsdk.runtime import bundle as bundles
    from vrsdk.runtime.runtime import load_engine

    opened = bundles.Bundle.open(folder or bundles.default_path())
    opened.verify()
    size = sum(f["bytes"] for f in opened.files.values()) / 1e6
    print(f"bundle {opened.name}: {opened.path}, {size:.0f} MB, {', '.join(opened.languages)}")
    began = time.monotonic()
    engine = load_engine(opened, slots=1)
    print(f"  loaded in {time.monotonic() - began:.2f} s")
    prompt = list(range(300, 428))
    engine.prefill(0, prompt)
    engine.rewind(0, 0)
    began = time.monotonic()
    engine.prefill(0, prompt)
    print(f"  reads {len(prompt)} tokens in {1000 * (time.monotonic() - began):.0f} ms")
    began = time.monotonic()
    for _ in range(50):
        engine.step([0], [300])
    step = (time.monotonic() - began) / 50
    verdict = (
        "fits a 90 Hz frame"
        if step < 0.005
        else "longer than the default 6 ms a frame allow: raise LatencyBudget(per_frame=...)"
    )
    print(f"  a token in {1000 * step:.1f} ms, {1 / step:.0f} a second: {verdict}")
    return 0


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _openxr() -> str:
    """Which runtime the OpenXR loader would take: its rules for Linux, then what this version can do with it."""
    homes = [os.environ.get("XDG_CONFIG_HOME") or "~/.config", "/etc/xdg", "/etc"]
    places = [os.environ.get("XR_RUNTIME_JSON", ""), *(f"{home}/openxr/1/active_runtime.json" for home in homes)]
    for place in filter(None, places):
        path = Path(place).expanduser()
        if path.exists():
            return f"a runtime is registered in {path}; this version of vrsdk drives the mock only"
    return "no runtime is registered (XR_RUNTIME_JSON is not set, no active_runtime.json); demos run on the mock"


def _demo(scene: str, rest: list[str]) -> int:
    if importlib.util.find_spec("pyglet") is None:
        print("The demos need pyglet: pip install 'vrsdk[demos]'", file=sys.stderr)
        return 1
    module = importlib.import_module(f"demos.{scene}")
    try:
        code: int = module.main(rest)
        return code
    except VrsdkError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
