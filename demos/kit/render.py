"""One window, one shader: lit, low-polygon meshes seen through the views of an XR frame."""

from __future__ import annotations

import math
from pathlib import Path

import pyglet
from pyglet import gl
from pyglet.graphics.shader import Shader, ShaderProgram
from pyglet.graphics.vertexdomain import VertexList
from pyglet.math import Mat4, Vec3
from pyglet.window import Window

from demos.kit.mesh import Mesh
from vrsdk.xr import View

VERTEX = """#version 330 core
in vec3 position; in vec3 normal; in vec4 paint;
out vec3 at; out vec3 facing; out vec4 tint;
uniform mat4 model; uniform mat4 seen;
void main() {
    vec4 world = model * vec4(position, 1.0);
    at = world.xyz; facing = mat3(model) * normal; tint = paint;
    gl_Position = seen * world;
}"""
FRAGMENT = """#version 330 core
in vec3 at; in vec3 facing; in vec4 tint;
out vec4 colour;
uniform vec3 eye; uniform vec3 fire; uniform float flicker;
const vec3 candle = vec3(1.55, 1.35, -1.75);
const vec3 lamp = vec3(-0.3, 2.5, -1.2);
float grain(vec3 p) { return fract(sin(dot(floor(p * vec3(9.0, 31.0, 9.0)), vec3(12.9, 78.2, 37.7))) * 43758.5); }
vec3 glow(vec3 from, vec3 hue, float reach, vec3 n) {
    vec3 way = from - at; float far = length(way);
    return hue * (0.12 + 0.88 * max(dot(n, way / far), 0.0)) / (1.0 + far * far / reach);
}
void main() {
    vec3 n = normalize(facing);
    if (dot(n, eye - at) < 0.0) n = -n;
    vec3 light = mix(vec3(0.045, 0.034, 0.040), vec3(0.075, 0.075, 0.11), 0.5 + 0.5 * n.y);
    light += glow(fire, vec3(2.6, 1.05, 0.38) * flicker, 1.1, n);
    light += glow(candle, vec3(1.3, 0.86, 0.42), 0.35, n) + glow(lamp, vec3(1.25, 0.90, 0.55), 1.5, n);
    light += vec3(0.10, 0.14, 0.24) * max(dot(n, normalize(vec3(-0.7, 0.5, 0.4))), 0.0);
    vec3 base = tint.rgb * (0.95 + 0.07 * grain(at));
    vec3 lit = mix(base * light, tint.rgb * (1.0 + 0.6 * flicker), tint.a);
    float rim = pow(1.0 - max(dot(n, normalize(eye - at)), 0.0), 3.0);
    lit += rim * 0.07 * vec3(1.0, 0.7, 0.4) * (1.0 - tint.a);
    lit = mix(lit, vec3(0.035, 0.025, 0.03), 1.0 - exp(-0.055 * length(eye - at)));
    colour = vec4(pow(lit / (1.0 + 0.35 * lit), vec3(1.0 / 1.75)), 1.0);
}"""


class Stage:
    """The window's 3D part. `load` takes a mesh in once; `draw` shows it where its model matrix puts it."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.program = ShaderProgram(Shader(VERTEX, "vertex"), Shader(FRAGMENT, "fragment"))

    def load(self, mesh: Mesh) -> VertexList:
        rows = mesh.vertices()
        return self.program.vertex_list(
            len(rows), gl.GL_TRIANGLES,
            position=("f", rows[:, 0:3].ravel().tolist()),
            normal=("f", rows[:, 3:6].ravel().tolist()),
            paint=("f", rows[:, 6:10].ravel().tolist()),
        )  # fmt: skip

    def begin(self, seen: Mat4, eye: Vec3, fire: Vec3, flicker: float) -> None:
        gl.glEnable(gl.GL_DEPTH_TEST)
        self.program.use()
        self.program["seen"], self.program["eye"] = seen, eye
        self.program["fire"], self.program["flicker"] = fire, flicker

    def draw(self, part: VertexList, model: Mat4 | None = None) -> None:
        self.program["model"] = model or Mat4()
        part.draw(gl.GL_TRIANGLES)

    def end(self) -> None:
        self.program.stop()
        gl.glDisable(gl.GL_DEPTH_TEST)

    def picture(self, path: Path) -> None:
        """Save what is shown as a PNG."""
        self.window.switch_to()
        with open(path, "wb") as file:
            pyglet.image.get_buffer_manager().get_color_buffer().save(str(path), file=file)


def seen_by(view: View) -> tuple[Mat4, Vec3]:
    """The matrix from the world to what `view` shows, and where its eye is."""
    (x, y, z, w), at = view.pose.orientation, Vec3(*view.pose.position)
    near, far, fov = 0.05, 40.0, view.fov
    left, right = near * math.tan(fov.angle_left), near * math.tan(fov.angle_right)
    down, up = near * math.tan(fov.angle_down), near * math.tan(fov.angle_up)
    projection = Mat4(
        2 * near / (right - left), 0, 0, 0,
        0, 2 * near / (up - down), 0, 0,
        (right + left) / (right - left), (up + down) / (up - down), -(far + near) / (far - near), -1,
        0, 0, -2 * far * near / (far - near), 0,
    )  # fmt: skip
    # The inverse of the pose's rotation: its transpose, column by column.
    turned_back = Mat4(
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y), 0,
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x), 0,
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y), 0,
        0, 0, 0, 1,
    )  # fmt: skip
    return projection @ turned_back @ Mat4.from_translation(-at), at
