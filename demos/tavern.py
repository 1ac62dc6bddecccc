"""The tavern: talk to the innkeeper. `python -m demos.tavern --help`, or `vrsdk demo tavern`.

Exit codes: 0 done, 1 an error that the message explains, 3 the transcript was played but there was nothing to draw on.
"""

from __future__ import annotations

import argparse
import importlib
import math
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import vrsdk
from vrsdk import Action, Done, Emotion, Npc, Reply, Runtime, Text, Thinking, xr

if TYPE_CHECKING:
    from pyglet.window import Window

CARDS = Path(__file__).parent / "cards"
LINES = {
    "en": ("How much is a room?", "And breakfast, when is that?"),
    "zh": ("你好，我需要你的帮助。", "住一晚多少钱？"),
}
HINT = {
    "en": "Type and press Enter to speak    F1 figures    Esc leave",
    "zh": "打字，按回车说话    F1 数据    Esc 离开",
}
SIZE = (1280, 720)
STANDING = xr.Vector3(-0.15, 1.58, 0.55)  # where the player's head is, metres
PACKAGES = "apt-get install libegl1 libgl1 libgl1-mesa-dri"


def main(arguments: Sequence[str] | None = None) -> int:
    args = _parse(arguments)
    card = CARDS / ("mira.zh.toml" if args.lang == "zh" else "mira.toml")
    with Runtime(args.bundle) as runtime:
        npc = runtime.npc(card)
        if args.headless or not _screen():
            return _headless(runtime, npc, args)
        return _windowed(runtime, npc, args)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="vrsdk demo tavern", description="Talk to the innkeeper of the Gilded Goose.")
    parser.add_argument("--lang", choices=["en", "zh"], default="en")
    parser.add_argument(
        "--headless", action="store_true", help="no window: say the lines, print the talk, save a picture"
    )
    parser.add_argument("--say", action="append", metavar="LINE", help="a line to say, headless; may be repeated")
    parser.add_argument(
        "--screenshot", type=Path, default=Path("tavern.png"), help="the picture, headless (tavern.png)"
    )
    parser.add_argument("--transcript", type=Path, help="write the talk there too, headless")
    parser.add_argument("--stereo", action="store_true", help="both eyes, side by side")
    parser.add_argument("--seconds", type=float, default=math.inf, help="leave after so long, in a window")
    parser.add_argument("--bundle", type=Path, help="a model's folder; else the one that comes with vrsdk")
    return parser.parse_args(arguments)


def _screen() -> bool:
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY"))


class Talk:
    """The player's and the innkeeper's side of the conversation, as the scene shows it."""

    def __init__(self, npc: Npc) -> None:
        self.npc, self.mood, self.words = npc, "joy", npc.greeting
        self.act = ""  # one that has just arrived; the scene takes it
        self.figures: list[str] = []
        self._filler = False  # what is shown is a thinking line, which the answer replaces
        self._reply: Reply | None = None

    @property
    def speaking(self) -> bool:
        return self._reply is not None

    def say(self, line: str) -> None:
        self.words, self._filler = "", False
        self._reply = self.npc.say(line)

    def update(self) -> Done | None:
        """Take in what has arrived since the last frame; the Done when the reply has ended."""
        if self._reply is None:
            return None
        for event in self._reply.poll():
            match event:
                case Emotion(name):
                    self.mood = name
                case Text(piece):
                    self.words = piece if self._filler else self.words + piece
                    self._filler = False
                case Action(name):
                    self.act = name
                case Thinking(line):
                    self.words, self._filler = line, True
                case Done(source, timing):
                    first = "-" if timing.first_token is None else f"{1000 * timing.first_token:.0f} ms"
                    self.figures = [
                        f"answer     {source}",
                        f"first word {first}",
                        f"whole      {timing.total:.2f} s, {timing.tokens} tokens",
                    ]
                    self._reply = None
                    return event
        return None


# ---- with a window ----------------------------------------------------------------------------------


def _headset() -> xr.MockHeadset:
    """The player stands before the bar and sways a little, as people do."""

    def head(seconds: float) -> xr.Pose:
        sway = 0.012 * math.sin(0.8 * seconds)
        at = xr.Vector3(STANDING.x + sway, STANDING.y + 0.004 * math.sin(1.7 * seconds), STANDING.z)
        return xr.Pose(xr.Quaternion.looking(-0.03 + 0.02 * math.sin(0.31 * seconds), -0.04), at)

    return xr.MockHeadset(head=head)


def _windowed(runtime: Runtime, npc: Npc, args: argparse.Namespace) -> int:
    from pyglet.window import Window, key

    window = Window(*SIZE, caption="vrsdk: the Gilded Goose", resizable=True, vsync=False)
    scene, talk = Scene(window, npc, args), Talk(npc)
    typed = ""

    def on_text(text: str) -> None:
        nonlocal typed
        typed += "".join(c for c in text if c.isprintable())

    def on_key_press(symbol: int, _: int) -> None:
        nonlocal typed
        if symbol == key.BACKSPACE:
            typed = typed[:-1]
        elif symbol in (key.ENTER, key.RETURN, key.NUM_ENTER) and typed.strip():
            talk.say(typed)
            typed = ""
        elif symbol == key.F1:
            scene.overlay.panel_shown = not scene.overlay.panel_shown

    window.push_handlers(on_text=on_text, on_key_press=on_key_press)
    with xr.open_session("tavern", headset=_headset()) as session:
        began = time.monotonic()
        for frame in session.frames():
            runtime.grant(frame.slack)
            window.dispatch_events()
            now = time.monotonic() - began
            if window.has_exit or now > args.seconds:
                session.request_exit()
                continue
            talk.update()
            scene.draw(talk, frame.views, now, typed, [f"frames     {frame.number}, {session.missed} missed"])
            window.flip()
    window.close()
    return 0


# ---- without one ------------------------------------------------------------------------------------


def _headless(runtime: Runtime, npc: Npc, args: argparse.Namespace) -> int:
    """The same talk beside the same 90 Hz loop; the picture is drawn once, at its end."""
    talk, shown = Talk(npc), [f"{npc.name}: {npc.greeting}"]
    lines = iter(args.say or LINES[args.lang])
    with xr.open_session("tavern", headset=_headset()) as session:
        for frame in session.frames():
            runtime.grant(frame.slack)
            done = talk.update()
            if done:
                act = f", {talk.act}" if talk.act else ""
                first = f"{1000 * done.timing.first_token:.0f} ms" if done.timing.first_token else "none"
                why = f", {done.timing.why}" if done.timing.why else ""
                shown.append(f"{npc.name}: {talk.words}  [{talk.mood}{act}; {done.source}, first word {first}{why}]")
            if not talk.speaking:
                line = next(lines, None)
                if line is None:
                    session.request_exit()
                    continue
                talk.act = ""
                shown.append(f"> {line}")
                talk.say(line)
        views, frames = frame.views, f"{frame.number} frames at 90 Hz, {session.missed} missed"
    text = "\n".join([*shown, frames])
    print(text)
    if args.transcript:
        args.transcript.write_text(text + "\n", "utf-8")
    with _offscreen() as window:
        if window is None:
            print(f"There is nothing to draw on: no screen and no EGL. For the picture: {PACKAGES}", file=sys.stderr)
            return 3
        scene = Scene(window, npc, args)
        scene.character.settle_on(talk.mood)
        scene.draw(talk, views, 1.25, "", [frames])
        scene.stage.picture(args.screenshot)
    print(f"picture: {args.screenshot}")
    return 0


@contextmanager
def _offscreen() -> Iterator[Window | None]:
    """A window that no screen shows, by EGL and a software renderer; None where there is no EGL."""
    import pyglet

    pyglet.options["headless"] = True
    try:
        window = importlib.import_module("pyglet.window").Window(*SIZE, visible=False)
    except Exception:  # pyglet raises ImportError, its own and EGL's errors, by what is missing
        yield None
        return
    yield window
    window.close()


# ---- the scene --------------------------------------------------------------------------------------


class Scene:
    """Room, innkeeper and overlay in one window."""

    def __init__(self, window: Window, npc: Npc, args: argparse.Namespace) -> None:
        from pyglet.math import Vec3

        from demos.kit.character import Innkeeper
        from demos.kit.overlay import Overlay
        from demos.kit.render import Stage
        from demos.kit.taproom import FIRE, HEARTH, flame, taproom

        self.window, self.stereo = window, args.stereo
        self.stage = Stage(window)
        self.overlay = Overlay(window, npc.name, HINT[args.lang])
        self.character = Innkeeper(self.stage, Vec3(0.05, 0.0, -1.95))
        self._room, self._hearth = self.stage.load(taproom()), Vec3(*HEARTH)
        self._flames = [self.stage.load(flame(colour)) for colour in FIRE]

    def draw(self, talk: Talk, views: Sequence[xr.View], now: float, typed: str, figures: Sequence[str]) -> None:
        """`now` in seconds. Both views in stereo, else one between the eyes."""
        from pyglet import gl

        self.character.mood, self.character.talking = talk.mood, talk.speaking and bool(talk.words)
        if talk.act:
            self.character.act(talk.act, now if talk.speaking else now - 0.9)
            talk.act = ""
        gl.glClearColor(0.03, 0.02, 0.025, 1)
        self.window.clear()
        width, height = self.window.get_framebuffer_size()
        shown = list(views) if self.stereo else [_between(views, width / height)]
        for i, view in enumerate(shown):
            part = width // len(shown)
            gl.glViewport(i * part, 0, part, height)
            anchor = self._world(view, now)
        gl.glViewport(0, 0, width, height)
        self.overlay.draw(
            talk.words,
            (anchor[0] * self.window.width, anchor[1] * self.window.height),
            typed,
            [*talk.figures, *figures],
        )

    def _world(self, view: xr.View, now: float) -> tuple[float, float]:
        """Draw one eye's picture; where the innkeeper's cheek is in it, each axis from 0 to 1."""
        from pyglet.math import Vec3, Vec4

        from demos.kit.render import seen_by

        seen, eye = seen_by(view)
        flicker = 1 + 0.12 * math.sin(9.1 * now) + 0.08 * math.sin(23 * now)
        self.stage.begin(seen, eye, self._hearth + Vec3(0, 0.05 * math.sin(7 * now), 0.25), flicker)
        self.stage.draw(self._room)
        self._fire(now)
        self.character.draw(self.stage, eye, now)
        self.stage.end()
        cheek = seen @ Vec4(*(self.character.at + Vec3(0.16, 1.55, 0)), 1)
        return 0.5 + 0.5 * cheek.x / cheek.w, 0.5 + 0.5 * cheek.y / cheek.w

    def _fire(self, now: float) -> None:
        """Five tongues, each of three colours, the hotter ones smaller and nearer."""
        from pyglet.math import Mat4, Vec3

        for layer, part in enumerate(self._flames):
            for i in range(5):
                high = (0.62 + 0.16 * math.sin(6 * now + 2.1 * i) - 0.10 * abs(i - 2)) * (1 - 0.27 * layer)
                place = self._hearth + Vec3(0.12 * (i - 2), -0.42, 0.05 * (i % 2) + 0.06 * layer)
                wide = 0.75 - 0.18 * layer
                self.stage.draw(part, Mat4.from_translation(place) @ Mat4.from_scale(Vec3(wide, high, 0.4)))


def _between(views: Sequence[xr.View], aspect: float) -> xr.View:
    """One view from between the eyes, 40 degrees high."""
    left, right = (view.pose.position for view in views)
    middle = xr.Vector3(*((a + b) / 2 for a, b in zip(left, right, strict=True)))
    up = math.radians(20)
    side = math.atan(math.tan(up) * aspect)
    return xr.View(xr.Pose(views[0].pose.orientation, middle), xr.Fov(-side, side, up, -up))


def _main(arguments: Any = None) -> int:
    try:
        return main(arguments)
    except vrsdk.VrsdkError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(_main())
