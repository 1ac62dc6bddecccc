"""Low-polygon shapes in code: each adds triangles with a normal and a colour to a Mesh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Colour = tuple[float, float, float]
Point = tuple[float, float, float]
Floats = npt.NDArray[np.float32]


@dataclass
class Mesh:
    """Triangles, three vertices each: positions, normals, colours, and how much a surface glows (0 to 1)."""

    rows: list[Floats] = field(default_factory=list)  # each (vertices, 10)

    def add(self, positions: Floats, normals: Floats, colour: Colour, glow: float = 0.0) -> None:
        extra = np.tile(np.array([*colour, glow], np.float32), (len(positions), 1))
        self.rows.append(np.hstack([positions, normals, extra]).astype(np.float32))

    def vertices(self) -> Floats:
        return np.concatenate(self.rows)

    def box(self, centre: Point, size: Point, colour: Colour, glow: float = 0.0, turn: float = 0.0) -> None:
        """A box, turned by `turn` radians about its upright axis."""
        half = np.array(size, np.float32) / 2
        cos, sin = np.cos(turn), np.sin(turn)
        turned = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]], np.float32)
        corners, normals = [], []
        for axis in range(3):
            for side in (-1, 1):
                u, v = (axis + 1) % 3, (axis + 2) % 3
                quad = []
                for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1)) if side > 0 else ((-1, 1), (1, 1), (1, -1), (-1, -1)):
                    corner = np.zeros(3, np.float32)
                    corner[axis], corner[u], corner[v] = side * half[axis], a * half[u], b * half[v]
                    quad.append(corner)
                corners += [quad[i] for i in (0, 1, 2, 0, 2, 3)]
                normal = np.zeros(3, np.float32)
                normal[axis] = side
                normals += [normal] * 6
        self.add(np.array(corners) @ turned.T + np.array(centre), np.array(normals) @ turned.T, colour, glow)

    def lathe(
        self, base: Point, outline: Sequence[tuple[float, float]], colour: Colour, sides: int = 20, glow: float = 0.0
    ) -> None:
        """A body turned about the upright axis at `base`; `outline` is (radius, height) from the bottom to the top."""
        radius, height = np.array(outline, np.float32).T
        slope = np.stack([np.gradient(height), -np.gradient(radius)], 1)
        slope /= np.linalg.norm(slope, axis=1, keepdims=True) + 1e-9
        angle = np.linspace(0, 2 * np.pi, sides + 1)
        ring = np.stack([np.cos(angle), np.sin(angle)], 1)
        points = np.stack(
            [radius[:, None] * ring[:, 0], np.repeat(height[:, None], sides + 1, 1), radius[:, None] * ring[:, 1]], -1
        )
        normals = np.stack(
            [slope[:, :1] * ring[:, 0], np.repeat(slope[:, 1:], sides + 1, 1), slope[:, :1] * ring[:, 1]], -1
        )
        self._grid(points + np.array(base), normals, colour, glow)

    def ball(
        self, centre: Point, radii: Point, colour: Colour, glow: float = 0.0, top: float = 1.0, detail: int = 14
    ) -> None:
        """An ellipsoid; `top` < 1 leaves only that share of it, from above."""
        polar = np.linspace(0.001, np.pi * top, detail)[::-1]
        around = np.linspace(0, 2 * np.pi, 2 * detail)
        unit = np.stack(
            [
                np.sin(polar)[:, None] * np.cos(around),
                np.repeat(np.cos(polar)[:, None], len(around), 1),
                np.sin(polar)[:, None] * np.sin(around),
            ],
            -1,
        )
        normals = unit / np.array(radii)
        normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
        self._grid(unit * np.array(radii) + np.array(centre), normals, colour, glow)

    def _grid(
        self, points: npt.NDArray[np.float64], normals: npt.NDArray[np.float64], colour: Colour, glow: float
    ) -> None:
        corners = [np.s_[:-1, :-1], np.s_[1:, :-1], np.s_[1:, 1:], np.s_[:-1, :-1], np.s_[1:, 1:], np.s_[:-1, 1:]]
        flat = [np.stack([of[c] for c in corners], 2).reshape(-1, 3).astype(np.float32) for of in (points, normals)]
        self.add(flat[0], flat[1], colour, glow)
