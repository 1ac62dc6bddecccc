"""The tavern as `--headless` runs it: the real model, the mock headset, a software renderer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from demos import tavern
from demos.kit.text import BREAK, FONT_FILE, NOT_FIRST, NOT_LAST, breakable

HAN = "你好我需要的帮助，。！“”《》abc 12"


@given(st.text(alphabet=HAN, max_size=40))
def test_breaks_add_nothing_else_and_keep_kinsoku(text: str) -> None:
    broken = breakable(text)
    assert broken.replace(BREAK, "") == text
    for i, char in enumerate(broken):
        if char == BREAK:
            assert broken[i + 1] not in NOT_FIRST
            assert broken[i - 1] not in NOT_LAST


def test_english_words_are_not_broken() -> None:
    assert breakable("How much is a room?") == "How much is a room?"


def test_the_font_has_what_the_cards_and_the_scene_write() -> None:
    with TTFont(FONT_FILE) as font:
        known = font.getBestCmap()
    written = "".join(p.read_text("utf-8") for p in tavern.CARDS.glob("*.toml")) + "".join(tavern.HINT.values()) + BREAK
    assert not {c for c in written if c != "\n" and ord(c) not in known}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_headless_gives_a_transcript_and_a_picture(
    lang: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture, transcript = tmp_path / "tavern.png", tmp_path / "talk.txt"
    arguments = ["--headless", "--lang", lang, "--screenshot", str(picture), "--transcript", str(transcript)]
    assert tavern.main(arguments) == 0, capsys.readouterr().err
    talk = transcript.read_text("utf-8").splitlines()
    assert sum(line.startswith("> ") for line in talk) == 2
    assert sum("; device, first word" in line for line in talk) == 2
    pixels = shown(picture)
    assert pixels.shape == (720, 1280, 3)
    assert pixels.std() > 20, "the picture is not blank"
    assert np.unique(pixels.reshape(-1, 3), axis=0).shape[0] > 300, "it is lit"


def shown(path: Path) -> npt.NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))
