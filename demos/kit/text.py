"""Words on the screen, in both languages: a font that is always there, and lines broken where a reader expects it."""

from __future__ import annotations

from pathlib import Path

FONT = "vrsdk Micro Hei"
FONT_FILE = Path(__file__).resolve().parents[1] / "fonts" / "vrsdk-microhei.ttf"
BREAK = "\u200b"  # pyglet breaks lines at spaces, tabs and this
NOT_FIRST = "，。！？、；：”’》〉）】」』…—～,.!?;:)]}%"  # kinsoku: what may not begin a line
NOT_LAST = "“‘《〈（【「『([{"  # and what may not end one


def wide(char: str) -> bool:
    """Whether a line may be broken beside `char` without a space: Han and full-width signs."""
    return "\u2e80" <= char <= "\u9fff" or "\uff00" <= char <= "\uffef" or "\u2018" <= char <= "\u2026"


def breakable(text: str) -> str:
    """`text` with a zero-width break wherever Chinese may be wrapped."""
    out = []
    for before, after in zip(text, text[1:] + "\0", strict=False):
        out.append(before)
        may_break = (wide(before) or wide(after)) and after not in NOT_FIRST and before not in NOT_LAST
        if may_break and after not in " \0" and before != " ":
            out.append(BREAK)
    return "".join(out)
