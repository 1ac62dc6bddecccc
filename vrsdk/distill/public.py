"""The public dialogues and texts (`shared/data`, not part of the project): for fluency and to count words."""

from __future__ import annotations

import json
import lzma
import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from vrsdk.distill.corpus import Dialogue, Turn
from vrsdk.distill.slots import Slots
from vrsdk.runtime.card import EMOTIONS, TONES, NpcCard

Row = dict[str, Any]


def rows(folder: Path, kind: str, language: str) -> Iterator[Row]:
    """The rows of one `kind` (dialogues, text, emotions) in `language`; the share-alike files are left out."""
    for path in sorted(folder.glob(f"{kind}_*.jsonl.xz")):
        with lzma.open(path, "rt", encoding="utf-8") as file:
            for line in file:
                row = json.loads(line)
                if row["lang"] == language:
                    yield row


def texts(folder: Path, language: str) -> Iterator[str]:
    for row in rows(folder, "dialogues", language):
        yield from (turn["text"] for turn in row["turns"])
    yield from passages(folder, language)


def passages(folder: Path, language: str) -> Iterator[str]:
    """Plain text, a passage at a time."""
    return (row["text"] for row in rows(folder, "text", language))


# Sources whose `b` side talks like a character; counselling, film talk and task forms stay out.
DIALOGUES = {
    "en": ("personality_chat", "chatterbot", "xpersona", "synthetic_persona_chat", "gutenberg"),
    "zh": ("crosswoz", "kdconv", "risawoz", "xpersona", "chatterbot", "emollm_aiwei"),
}
MAX_REPLY = 160  # characters; a character's line is short


def dialogues(folder: Path, language: str) -> list[Dialogue]:
    """Public dialogues in our form: what `b` knows is the card's facts. Emotions as given, else neutral."""
    found = []
    rng = random.Random(0)
    for source in DIALOGUES[language]:
        for path in sorted(folder.glob(f"dialogues_{language}_{source}.jsonl.xz")):
            with lzma.open(path, "rt", encoding="utf-8") as file:
                for line in file:
                    if dialogue := _dialogue(json.loads(line), language, rng):
                        found.append(dialogue)
    return found


def _dialogue(row: Row, language: str, rng: random.Random) -> Dialogue | None:
    turns = [
        Turn(a["text"], _emotion(b), b["text"])
        for a, b in pairwise(row["turns"])
        if a["who"] == "a" and b["who"] == "b" and len(a["text"]) <= MAX_REPLY and len(b["text"]) <= MAX_REPLY
    ]
    if not turns:
        return None
    slots = Slots(language, rng)
    slots.new_character()
    who = slots.character
    facts = [str(fact) for fact in row.get("about", []) if len(str(fact)) <= 80]
    rng.shuffle(facts)
    card = NpcCard(who["name"], who["role"], who["place"], rng.choice(TONES), language=language)
    return Dialogue(card, facts[:6], turns)


def _emotion(turn: Row) -> str:
    return turn["emotion"] if turn.get("emotion") in EMOTIONS else "neutral"
