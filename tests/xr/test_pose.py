from __future__ import annotations

import math

import pytest

from vrsdk.xr import Pose, Quaternion, Vector3

AHEAD = Vector3(0, 0, -1)


@pytest.mark.parametrize(
    ("yaw", "pitch", "sees"),
    [
        (0, 0, (0, 0, -1)),
        (math.pi / 2, 0, (-1, 0, 0)),  # to the left
        (-math.pi / 2, 0, (1, 0, 0)),
        (0, math.pi / 2, (0, 1, 0)),  # up
        (math.pi / 2, math.pi / 4, (-math.sqrt(0.5), math.sqrt(0.5), 0)),
    ],
)
def test_a_head_looks_where_it_is_turned(yaw: float, pitch: float, sees: tuple[float, float, float]) -> None:
    assert Quaternion.looking(yaw, pitch).rotate(AHEAD) == pytest.approx(sees, abs=1e-9)


def test_a_step_to_the_right_is_seen_from_the_pose() -> None:
    turned_round = Pose(Quaternion.looking(math.pi), Vector3(0, 1.6, 0))
    assert turned_round.moved(Vector3(x=1)).position == pytest.approx((-1, 1.6, 0), abs=1e-9)
