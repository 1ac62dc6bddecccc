"""An innkeeper of simple shapes, whose face, arms and breath show how she is."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pyglet.math import Mat4, Vec3

from demos.kit.mesh import Colour, Mesh
from demos.kit.render import Stage

SKIN: Colour = (0.80, 0.56, 0.43)
HAIR: Colour = (0.34, 0.15, 0.07)
DRESS: Colour = (0.20, 0.30, 0.27)
APRON: Colour = (0.78, 0.72, 0.60)
SHIRT: Colour = (0.72, 0.63, 0.48)
DARK: Colour = (0.07, 0.05, 0.05)
LIP: Colour = (0.55, 0.20, 0.18)


@dataclass(frozen=True)
class Mood:
    """The brows' tilt (radians, above 0: inner ends up) and lift (metres); the mouth's curve (above 0: a smile)."""

    tilt: float
    lift: float
    curve: float
    open: float
    lids: float  # 1 wide open, 0 shut


MOODS = {
    "neutral": Mood(0.05, 0.0, 0.25, 0.0, 0.85),
    "joy": Mood(0.10, 0.010, 1.0, 0.35, 0.70),
    "sadness": Mood(0.45, 0.002, -0.8, 0.0, 0.60),
    "anger": Mood(-0.50, -0.010, -0.7, 0.1, 0.75),
    "fear": Mood(0.50, 0.018, -0.4, 0.5, 1.15),
    "surprise": Mood(0.10, 0.028, 0.0, 1.0, 1.25),
    "disgust": Mood(-0.25, -0.006, -0.9, 0.15, 0.50),
    "affection": Mood(0.22, 0.008, 0.8, 0.0, 0.60),
}
# Where an act leads the right arm: raised at the shoulder and bent at the elbow, in radians, and how far it swings.
REST = (0.12, 0.25, 0.0)
ARMS = {
    "wave": (2.5, 0.5, 0.35), "point": (1.45, 0.05, 0.0), "give": (0.9, 0.7, 0.08), "show": (0.9, 0.5, 0.1),
    "take": (0.8, 0.9, 0.08), "laugh": (0.5, 1.5, 0.1), "open": (1.2, 0.6, 0.1), "teach": (1.1, 1.2, 0.15),
}  # fmt: skip
ACT_SECONDS = 2.5
SHOULDER, ELBOW = 1.30, 0.27  # metres: height of the shoulder, length of the upper arm
SEGMENTS = 9  # of the mouth


class Innkeeper:
    """Stands at `at` and faces the viewer. Set `mood`, call `act`; `talking` moves the mouth."""

    def __init__(self, stage: Stage, at: Vec3) -> None:
        self.at, self.mood, self.talking = at, "neutral", False
        self._face = MOODS["neutral"]
        self._act, self._acted = "", -math.inf
        self._parts = {name: stage.load(mesh) for name, mesh in _meshes().items()}

    def act(self, name: str, now: float) -> None:
        self._act, self._acted = name, now

    def draw(self, stage: Stage, eye: Vec3, now: float) -> None:
        self._ease()
        breath = 0.006 * math.sin(now * 1.9)
        since = now - self._acted
        strength = math.sin(math.pi * min(1.0, since / ACT_SECONDS)) if 0 <= since < ACT_SECONDS else 0.0
        bob = 0.02 * math.sin(9 * now) * strength if self._act == "laugh" else 0.0
        body = Mat4.from_translation(self.at + Vec3(0, breath + bob, 0))
        stage.draw(self._parts["body"], body)
        self._arms(stage, body, now, strength)
        self._head(stage, body, eye, now, strength)

    def _ease(self) -> None:
        """The face follows the mood in a few frames, not at once."""
        wanted, have = MOODS[self.mood], self._face
        self._face = Mood(
            *(h + 0.18 * (w - h) for h, w in zip(vars(have).values(), vars(wanted).values(), strict=True))
        )

    def settle_on(self, mood: str) -> None:
        """Take on `mood` at once, for a single picture."""
        self._face = MOODS[mood]

    def _arms(self, stage: Stage, body: Mat4, now: float, strength: float) -> None:
        raised, bent, swing = (
            rest + strength * (to - rest) for rest, to in zip(REST, ARMS.get(self._act, REST), strict=True)
        )
        for side in (-1, 1):
            lift, bend = (raised, bent + swing * math.sin(9 * now)) if side < 0 else REST[:2]
            shoulder = body @ Mat4.from_translation(Vec3(0.20 * side, SHOULDER, 0))
            upper = shoulder @ _turn(0.16 * side, Vec3(0, 0, 1)) @ _turn(-lift, Vec3(1, 0, 0))
            stage.draw(self._parts["upper_arm"], upper)
            stage.draw(
                self._parts["lower_arm"],
                upper @ Mat4.from_translation(Vec3(0, -ELBOW, 0)) @ _turn(-bend, Vec3(1, 0, 0)),
            )

    def _head(self, stage: Stage, body: Mat4, eye: Vec3, now: float, strength: float) -> None:
        way = eye - (self.at + Vec3(0, 1.55, 0))
        yaw = max(-0.7, min(0.7, math.atan2(way.x, way.z)))
        pitch = 0.25 * math.sin(7 * now) * strength if self._act == "nod" else 0.03 * math.sin(0.7 * now)
        if self._act == "shake_head":
            yaw += 0.35 * math.sin(8 * now) * strength
        if self._act == "bow":
            pitch += 0.6 * strength
        head = body @ Mat4.from_translation(Vec3(0, 1.55, 0)) @ _turn(yaw, Vec3(0, 1, 0)) @ _turn(pitch, Vec3(1, 0, 0))
        stage.draw(self._parts["head"], head)
        face = self._face
        lids = face.lids * (0.1 if now % 4.3 < 0.13 else 1.0)  # a blink
        for side in (-1, 1):
            socket = head @ Mat4.from_translation(Vec3(0.043 * side, 0.022, 0.103))
            stage.draw(self._parts["eye"], socket @ Mat4.from_scale(Vec3(1, max(0.12, lids), 1)))
            brow = Vec3(0.045 * side, 0.064 + face.lift, 0.118)
            stage.draw(
                self._parts["brow"], head @ Mat4.from_translation(brow) @ _turn(-side * face.tilt, Vec3(0, 0, 1))
            )
        self._mouth(stage, head, face, now)

    def _mouth(self, stage: Stage, head: Mat4, face: Mood, now: float) -> None:
        spoken = (0.45 + 0.45 * math.sin(17 * now) * math.sin(7 * now)) if self.talking else 0.0
        opening = 0.020 * max(face.open, spoken)
        for i in range(SEGMENTS):
            x = (i / (SEGMENTS - 1) - 0.5) * 2  # -1 to 1
            bow = 0.016 * face.curve * (x * x - 0.5)
            round_ = opening * (1 - x * x)
            place = head @ Mat4.from_translation(Vec3(0.036 * x, -0.058 + bow, 0.109 - 0.012 * x * x))
            stage.draw(self._parts["mouth"], place @ Mat4.from_scale(Vec3(1, 1 + round_ / 0.004, 1)))


def _turn(angle: float, axis: Vec3) -> Mat4:
    return Mat4.from_rotation(angle, axis)


def _meshes() -> dict[str, Mesh]:
    body = Mesh()
    body.lathe((0, 0, 0), [(0.34, 0.0), (0.33, 0.25), (0.27, 0.6), (0.19, 0.92), (0.165, 1.0)], DRESS, 24)
    body.lathe(
        (0, 0, 0.012),
        [(0.165, 0.98), (0.19, 1.12), (0.205, 1.25), (0.17, 1.34), (0.07, 1.40), (0.058, 1.47)],
        SHIRT,
        24,
    )
    body.lathe((0, 0, 0.02), [(0.176, 0.96), (0.198, 1.08), (0.200, 1.14)], DRESS, 24)
    body.lathe((0, 0, 0), [(0.055, 1.38), (0.052, 1.50)], SKIN, 16)
    for i in range(9):  # the apron hangs in folds down the front
        x = (i - 4) * 0.042
        body.box((x, 0.66, 0.265 - 1.1 * x * x + 0.008 * (i % 2)), (0.046, 0.60, 0.012), APRON, turn=-2.0 * x)
    body.box((0, 0.975, 0.02), (0.36, 0.05, 0.34), APRON)
    head = Mesh()
    head.ball((0, 0, 0), (0.108, 0.132, 0.115), SKIN)
    head.ball((0, 0.025, -0.022), (0.122, 0.133, 0.118), HAIR, top=0.56)
    head.ball((0, -0.01, -0.055), (0.112, 0.12, 0.085), HAIR)
    head.ball((0, 0.135, -0.075), (0.058, 0.052, 0.058), HAIR)
    head.ball((0, -0.018, 0.118), (0.015, 0.022, 0.02), (0.76, 0.47, 0.36))
    for side in (-1, 1):
        head.ball((0.109 * side, -0.005, -0.005), (0.016, 0.03, 0.02), SKIN)
        head.ball((0.062 * side, -0.032, 0.088), (0.022, 0.016, 0.012), (0.86, 0.48, 0.38))
    eye = Mesh()
    eye.ball((0, 0, 0), (0.019, 0.014, 0.010), (0.92, 0.90, 0.86), 0.25)
    eye.ball((0, 0, 0.006), (0.0095, 0.0105, 0.006), (0.20, 0.30, 0.18))
    eye.ball((0, 0, 0.0095), (0.0055, 0.006, 0.004), DARK)
    eye.ball((0.004, 0.004, 0.013), (0.002, 0.002, 0.002), (1, 1, 1), 1.0)
    brow, mouth, upper, lower = Mesh(), Mesh(), Mesh(), Mesh()
    brow.box((0, 0, 0), (0.044, 0.009, 0.010), HAIR)
    mouth.box((0, 0, 0), (0.011, 0.008, 0.010), LIP)
    upper.lathe((0, -ELBOW, 0), [(0.048, 0.0), (0.056, 0.12), (0.066, 0.24), (0.05, 0.30)], SHIRT, 14)
    lower.lathe((0, -0.25, 0), [(0.030, 0.0), (0.036, 0.1), (0.046, 0.25)], SKIN, 14)
    lower.ball((0, 0, 0), (0.05, 0.05, 0.05), SHIRT)
    lower.ball((0, -0.29, 0), (0.034, 0.052, 0.026), SKIN)
    return {
        "body": body,
        "head": head,
        "eye": eye,
        "brow": brow,
        "mouth": mouth,
        "upper_arm": upper,
        "lower_arm": lower,
    }
