"""What lies over the picture: the speech bubble, the input line, key help, and a panel of figures."""

from __future__ import annotations

from collections.abc import Sequence

import pyglet
from pyglet.shapes import BorderedRectangle, RoundedRectangle, Triangle
from pyglet.text import Label
from pyglet.window import Window

from demos.kit.text import FONT, FONT_FILE, breakable

INK = (52, 34, 24, 255)
PAPER = (250, 240, 219)
PALE = (243, 229, 204, 255)
MARGIN = 18


class Overlay:
    """Drawn in pixels over the window; `width` of the bubble's text is fixed, its height follows the words."""

    def __init__(self, window: Window, name: str, hint: str) -> None:
        with open(FONT_FILE, "rb") as file:
            pyglet.font.add_file(file)
        self.window, self.hint = window, hint
        self.panel_shown = True
        self._name = Label(name, font_name=FONT, font_size=11, color=(148, 84, 40, 255))
        self._words = Label("", font_name=FONT, font_size=16, color=INK, multiline=True, width=400)
        self._typed = Label("", font_name=FONT, font_size=16, color=PALE)
        self._help = Label(hint, font_name=FONT, font_size=10, color=(214, 190, 156, 220))
        self._panel = Label("", font_name=FONT, font_size=10, color=PALE, multiline=True, width=240)

    def draw(self, words: str, anchor: tuple[float, float], typed: str, figures: Sequence[str]) -> None:
        """`anchor`: the point in pixels that the bubble's tail points at."""
        if words:
            self._bubble(words, anchor)
        self._input(typed)
        if self.panel_shown:
            self._figures(figures)

    def _bubble(self, words: str, anchor: tuple[float, float]) -> None:
        label = self._words
        label.text = breakable(words)
        width = min(label.width, label.content_width) + 2 * MARGIN
        height = label.content_height + 2 * MARGIN + 14
        x = min(max(anchor[0] + 40, 10), self.window.width - width - 10)
        y = min(max(anchor[1] - height / 2, 90), self.window.height - height - 10)
        tail = (x + 6, y + height * 0.62), (x + 6, y + height * 0.42), (x - 26, y + height * 0.46)
        for grown, colour in ((2, (120, 74, 40)), (0, PAPER)):
            RoundedRectangle(x - grown, y - grown, width + 2 * grown, height + 2 * grown, 16, color=colour).draw()
            (ax, ay), (bx, by), (cx, cy) = tail
            Triangle(ax, ay + grown, bx, by - grown, cx - grown, cy, color=colour).draw()
        label.x, label.y = x + MARGIN, y + height - MARGIN - 34
        self._name.x, self._name.y = x + MARGIN, y + height - MARGIN - 8
        self._name.draw()
        label.draw()

    def _input(self, typed: str) -> None:
        bar = BorderedRectangle(16, 16, self.window.width - 32, 46, 2, (34, 24, 20), (128, 88, 52))
        bar.opacity = 225
        bar.draw()
        self._typed.text = f"{typed}|"
        self._typed.x, self._typed.y = 32, 32
        self._typed.draw()
        back = RoundedRectangle(16, 66, self._help.content_width + 20, 22, 8, color=(28, 20, 18))
        back.opacity = 190
        back.draw()
        self._help.x, self._help.y = 26, 73
        self._help.draw()

    def _figures(self, figures: Sequence[str]) -> None:
        label = self._panel
        label.text = "\n".join(figures)
        back = RoundedRectangle(
            14, self.window.height - label.content_height - 34, 236, label.content_height + 22, 10, color=(28, 20, 18)
        )
        back.opacity = 190
        back.draw()
        label.x, label.y = 28, self.window.height - 36
        label.draw()
