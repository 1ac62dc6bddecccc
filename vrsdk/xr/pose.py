"""Where things are and what an eye sees, in OpenXR's axes: x to the right, y up, -z ahead; metres and radians."""

from __future__ import annotations

import math
from typing import NamedTuple


class Vector3(NamedTuple):
    """XrVector3f."""

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0


class Quaternion(NamedTuple):
    """XrQuaternionf: a rotation, of length 1."""

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    w: float = 1.0

    @classmethod
    def looking(cls, yaw: float, pitch: float = 0.0) -> Quaternion:
        """A head turned `yaw` to the left, then `pitch` upwards."""
        sin_yaw, cos_yaw = math.sin(yaw / 2), math.cos(yaw / 2)
        sin_pitch, cos_pitch = math.sin(pitch / 2), math.cos(pitch / 2)
        return cls(cos_yaw * sin_pitch, sin_yaw * cos_pitch, -sin_yaw * sin_pitch, cos_yaw * cos_pitch)

    def rotate(self, vector: Vector3) -> Vector3:
        x, y, z, w = self
        # v + 2w(q × v) + 2q × (q × v), with t = 2(q × v)
        tx, ty, tz = (
            2 * (y * vector.z - z * vector.y),
            2 * (z * vector.x - x * vector.z),
            2 * (x * vector.y - y * vector.x),
        )
        return Vector3(
            vector.x + w * tx + y * tz - z * ty,
            vector.y + w * ty + z * tx - x * tz,
            vector.z + w * tz + x * ty - y * tx,
        )


class Pose(NamedTuple):
    """XrPosef, in STAGE space: the origin is on the floor."""

    orientation: Quaternion = Quaternion()
    position: Vector3 = Vector3()

    def moved(self, offset: Vector3) -> Pose:
        """This pose, moved by `offset` as seen from the pose itself."""
        step = self.orientation.rotate(offset)
        at = self.position
        return Pose(self.orientation, Vector3(at.x + step.x, at.y + step.y, at.z + step.z))


class Fov(NamedTuple):
    """XrFovf: angles from the line of sight; left and down are negative."""

    angle_left: float
    angle_right: float
    angle_up: float
    angle_down: float


class View(NamedTuple):
    """XrView: one eye."""

    pose: Pose
    fov: Fov
