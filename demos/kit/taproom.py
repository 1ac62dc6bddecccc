"""The tavern: a taproom with its bar and hearth, and a back room with a staircase beyond the door."""

from __future__ import annotations

import random

from demos.kit.mesh import Colour, Mesh

OAK: Colour = (0.36, 0.22, 0.12)
DARK_OAK: Colour = (0.22, 0.13, 0.075)
PLASTER: Colour = (0.56, 0.46, 0.35)
STONE: Colour = (0.34, 0.31, 0.29)
IRON: Colour = (0.12, 0.12, 0.13)
BRASS: Colour = (0.70, 0.50, 0.20)
FLAME: Colour = (1.0, 0.62, 0.20)
FIRE: tuple[Colour, ...] = ((0.62, 0.13, 0.02), (0.85, 0.34, 0.05), (1.0, 0.72, 0.25))  # from outside to inside
HEARTH = (-1.75, 0.62, -2.65)  # where the fire burns, metres


def taproom() -> Mesh:
    """Everything that stands still."""
    mesh, rng = Mesh(), random.Random(7)
    _shell(mesh, rng)
    _bar(mesh, rng)
    _hearth(mesh, rng)
    _tables(mesh)
    _back_room(mesh)
    _lamp(mesh)
    return mesh


def flame(colour: Colour) -> Mesh:
    """One tongue of fire, a metre high before it is scaled."""
    mesh = Mesh()
    mesh.lathe((0, 0, 0), [(0.10, 0.0), (0.19, 0.18), (0.15, 0.45), (0.06, 0.78), (0.0, 1.0)], colour, 12, glow=1.0)
    return mesh


def _shade(colour: Colour, rng: random.Random, by: float = 0.12) -> Colour:
    factor = 1 + rng.uniform(-by, by)
    return (colour[0] * factor, colour[1] * factor, colour[2] * factor)


def _shell(mesh: Mesh, rng: random.Random) -> None:
    for i in range(22):  # floor boards
        mesh.box((-3.3 + 0.3 * i, -0.03, -1.2), (0.292, 0.06, 7.5), _shade(OAK, rng))
    for x, width in ((-2.05, 2.5), (2.1, 2.4)):  # the far wall
        mesh.box((x, 1.5, -3.2), (width, 3.0, 0.12), PLASTER)
    mesh.box((0.05, 1.5, -3.2), (1.8, 3.0, 0.12), PLASTER)
    for x in (-3.3, 3.3):
        mesh.box((x, 1.5, -1.2), (0.12, 3.0, 7.5), PLASTER)
    mesh.box((0, 3.03, -1.2), (6.8, 0.06, 7.5), DARK_OAK)
    for z in (-3.0, -2.0, -1.0, 0.0, 1.0):  # beams
        mesh.box((0, 2.88, z), (6.6, 0.2, 0.2), _shade(DARK_OAK, rng))
    mesh.box((-0.42, 1.78, -3.11), (0.62, 0.48, 0.05), DARK_OAK)  # a picture of the old mill
    mesh.box((-0.42, 1.78, -3.09), (0.52, 0.38, 0.05), (0.26, 0.33, 0.36))
    mesh.box((-0.42, 1.68, -3.08), (0.52, 0.18, 0.05), (0.20, 0.28, 0.14))
    mesh.box((-0.36, 1.80, -3.07), (0.10, 0.20, 0.05), (0.48, 0.40, 0.30))
    for x in (-3.2, -0.85, 0.9, 1.9, 3.2):  # posts
        mesh.box((x, 1.5, -3.1), (0.16, 3.0, 0.16), _shade(DARK_OAK, rng))
    mesh.box((0, 1.0, -3.12), (6.6, 0.10, 0.1), DARK_OAK)
    mesh.box((-3.2, 1.75, -1.3), (0.06, 0.9, 0.8), (0.22, 0.30, 0.52), glow=0.55)  # the night outside
    for offset in (-0.4, 0.0, 0.4):
        mesh.box((-3.16, 1.75, -1.3 + offset), (0.06, 1.0, 0.05), DARK_OAK)
    for height in (1.28, 1.75, 2.22):
        mesh.box((-3.16, height, -1.3), (0.06, 0.05, 0.88), DARK_OAK)


def _bar(mesh: Mesh, rng: random.Random) -> None:
    for i in range(10):
        mesh.box((-0.75 + 0.3 * i, 0.46, -1.42), (0.285, 0.92, 0.07), _shade(OAK, rng, 0.18))
    mesh.box((0.6, 0.96, -1.5), (3.25, 0.07, 0.55), (0.43, 0.26, 0.13))
    mesh.box((0.6, 0.10, -1.37), (3.1, 0.06, 0.06), BRASS)
    mesh.lathe((1.55, 1.0, -1.55), [(0.055, 0), (0.055, 0.02), (0.02, 0.03), (0.02, 0.06)], BRASS, 12)
    mesh.lathe((1.55, 1.06, -1.55), [(0.022, 0), (0.022, 0.16), (0.0, 0.165)], (0.85, 0.80, 0.66), 10)
    mesh.ball((1.55, 1.26, -1.55), (0.013, 0.038, 0.013), FLAME, 1.0)
    for x, z in ((-0.55, -1.45), (0.95, -1.42), (1.2, -1.55)):  # tankards
        mesh.lathe((x, 1.0, z), [(0.05, 0), (0.047, 0.06), (0.052, 0.13)], _shade(BRASS, rng), 14)
        mesh.box((x + 0.065, 1.07, z), (0.03, 0.08, 0.015), BRASS)
    for level in (1.45, 1.85, 2.25):  # shelves with bottles, left of the door
        mesh.box((1.42, level, -3.02), (0.9, 0.04, 0.25), DARK_OAK)
        for i in range(7):
            hue = rng.choice([(0.10, 0.32, 0.20), (0.42, 0.16, 0.08), (0.18, 0.24, 0.36), (0.55, 0.38, 0.12)])
            bottle = [(0.042, 0), (0.042, 0.15), (0.014, 0.21), (0.016, 0.27)]
            mesh.lathe((1.05 + 0.12 * i, level + 0.02, -3.0), bottle, hue, 10, glow=0.06)
    for x, y in ((2.45, 0.36), (2.95, 0.36), (2.7, 0.98)):  # barrels
        _barrel(mesh, x, y, -2.7)


def _barrel(mesh: Mesh, x: float, y: float, z: float) -> None:
    mesh.lathe((x, y - 0.33, z), [(0.20, 0), (0.25, 0.17), (0.265, 0.33), (0.25, 0.49), (0.20, 0.66)], OAK, 18)
    for height, radius in ((0.10, 0.236), (0.33, 0.272), (0.56, 0.236)):
        mesh.lathe((x, y - 0.33 + height, z), [(radius, -0.02), (radius, 0.02)], IRON, 18)
    mesh.lathe((x, y + 0.33, z), [(0.20, 0), (0.0, 0.001)], DARK_OAK, 18)


def _hearth(mesh: Mesh, rng: random.Random) -> None:
    x, _, z = HEARTH
    for row in range(12):  # two pillars of stones, a lintel, a chimney
        for side in (-0.62, 0.62):
            mesh.box((x + side, 0.065 + 0.125 * row, z - 0.1), (0.30, 0.118, 0.55), _shade(STONE, rng, 0.2))
    for i in range(9):
        mesh.box((x - 0.68 + 0.17 * i, 1.6, z - 0.08), (0.163, 0.22, 0.62), _shade(STONE, rng, 0.2))
    for row in range(9):
        mesh.box((x, 1.79 + 0.14 * row, z - 0.2), (1.30 - 0.05 * row, 0.132, 0.42), _shade(STONE, rng, 0.15))
    mesh.box((x, 0.75, z - 0.38), (1.0, 1.5, 0.05), (0.07, 0.05, 0.045))
    mesh.box((x, 0.05, z + 0.15), (1.6, 0.1, 0.9), _shade(STONE, rng))
    for i, turn in enumerate((0.3, -0.4, 0.1)):
        mesh.box((x, 0.16 + 0.06 * i, z), (0.62, 0.10, 0.11), (0.16, 0.08, 0.05), glow=0.08, turn=turn)
    mesh.box((x, 1.78, z + 0.2), (1.6, 0.07, 0.3), DARK_OAK)
    mesh.lathe((x - 0.45, 1.82, z + 0.2), [(0.06, 0), (0.10, 0.08), (0.05, 0.18), (0.07, 0.22)], (0.45, 0.22, 0.14), 14)


def _tables(mesh: Mesh) -> None:
    for x, z in ((-1.9, -0.7), (2.3, -0.3)):
        mesh.lathe(
            (x, 0.0, z), [(0.24, 0), (0.05, 0.06), (0.05, 0.70), (0.42, 0.72), (0.42, 0.76), (0.0, 0.765)], OAK, 22
        )
        mesh.lathe((x + 0.1, 0.765, z), [(0.05, 0), (0.047, 0.06), (0.052, 0.13)], BRASS, 12)
        for dx, dz in ((0.65, 0.1), (-0.55, 0.35)):
            mesh.lathe((x + dx, 0.0, z + dz), [(0.17, 0), (0.12, 0.3), (0.18, 0.43), (0.0, 0.44)], DARK_OAK, 14)


def _back_room(mesh: Mesh) -> None:
    """Stands behind a lit opening in the far wall, so that the house goes on."""
    mesh.box((2.15, 1.15, -3.12), (0.5, 2.1, 0.05), (0.55, 0.33, 0.14), glow=0.35)
    for i in range(7):
        mesh.box((2.15, 0.16 + 0.24 * i, -3.07 - 0.01 * i), (0.46, 0.05, 0.06), DARK_OAK)
    mesh.box((1.88, 1.15, -3.06), (0.07, 2.2, 0.1), DARK_OAK)
    mesh.box((2.42, 1.15, -3.06), (0.07, 2.2, 0.1), DARK_OAK)
    mesh.box((2.15, 2.24, -3.06), (0.62, 0.09, 0.1), DARK_OAK)


def _lamp(mesh: Mesh) -> None:
    mesh.lathe(
        (-0.3, 2.45, -1.2), [(0.0, 0.0), (0.10, 0.03), (0.11, 0.16), (0.03, 0.22)], (1.0, 0.80, 0.45), 12, glow=0.9
    )
    mesh.box((-0.3, 2.76, -1.2), (0.012, 0.24, 0.012), IRON)
