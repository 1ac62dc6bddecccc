"""What the model reads: cards, turns and replies as token ids.

One form for training, for `Npc` and for evaluation:

    <card> <en> <gruff> <can:give> <can:point> name, role, place, personality <fact> text <fact> text ...
    <player> line <npc> <joy> reply <give> <end>
    <player> line <recall> <fact> text <npc> ...

What stands in <> is one token each, with an id above the tokenizer's own vocabulary. No text encodes to it, so a line
that spells a special token is only a line.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Tokenizer

from vrsdk.runtime.card import ACTIONS, EMOTIONS, LANGUAGES, TONES, NpcCard

CARD, FACT, PLAYER, RECALL, FAILED, NPC, END = "card", "fact", "player", "recall", "failed", "npc", "end"
SPECIALS = (
    CARD, FACT, PLAYER, RECALL, FAILED, NPC, END,
    *(f"language:{x}" for x in LANGUAGES), *(f"tone:{x}" for x in TONES),
    *(f"emotion:{x}" for x in EMOTIONS), *(f"action:{x}" for x in ACTIONS), *(f"can:{x}" for x in ACTIONS),
)  # fmt: skip

MAX_LINE = 400  # characters of a player's line that are read: a minute's speech; the rest is dropped
_UNSEEN = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffc\ufffd]")  # zero-width, bidi, replacement
_ASCII = str.maketrans({"’": "'", "‘": "'", "`": "'", "\u2013": "-", "\u2014": "-"})


def clean(text: str, limit: int = MAX_LINE) -> str:
    """`text` as the model may see it: no control or invisible characters, single spaces, at most `limit` characters."""
    text = unicodedata.normalize("NFC", text[: 4 * limit])
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    text = "".join(c for c in _UNSEEN.sub("", text) if unicodedata.category(c) not in ("Cs", "Co", "Cn"))
    return " ".join(text.translate(_ASCII).split())[:limit].strip()


class Vocabulary:
    """Text to ids and back. Ids from `len(tokenizer)` on are the special tokens, in the order of SPECIALS."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.ordinary = tokenizer.get_vocab_size(with_added_tokens=True)
        self.special = {name: self.ordinary + i for i, name in enumerate(SPECIALS)}
        self.name_of = {i: name for name, i in self.special.items()}
        self.size = self.ordinary + len(SPECIALS)
        self._bytes = _byte_table(tokenizer, self.ordinary)

    @classmethod
    def load(cls, path: str | Path) -> Vocabulary:
        return cls(Tokenizer.from_file(str(path)))

    def encode(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def bytes_of(self, token: int) -> bytes:
        """The UTF-8 bytes of an ordinary token; several tokens may share one character."""
        return self._bytes[token]

    def decode(self, tokens: Iterable[int]) -> str:
        return b"".join(self._bytes[t] for t in tokens if t < self.ordinary).decode("utf-8", "replace")

    # ---- the parts of a prompt ----------------------------------------------------------------------

    def card(self, card: NpcCard, facts: Sequence[str]) -> list[int]:
        """The card and its open `facts`: the warm prefix of every turn."""
        sp = self.special
        head = [sp[CARD], sp[f"language:{card.language}"], sp[f"tone:{card.tone}"]]
        head += [sp[f"can:{a}"] for a in ACTIONS if a in card.actions]
        about = {"en": ". ", "zh": "。"}[card.language].join(
            clean(x) for x in (card.name, card.role, card.place, card.personality) if x
        )
        return head + self.encode(about) + self.facts(facts)

    def facts(self, facts: Iterable[str]) -> list[int]:
        out: list[int] = []
        for fact in facts:
            out += [self.special[FACT], *self.encode(clean(fact))]
        return out

    def turn(self, line: str, recalled: Sequence[str] = (), failed: Sequence[str] = ()) -> list[int]:
        """A player's `line` up to where the reply begins. `failed`: actions of the last reply that the game refused."""
        sp = self.special
        out = [t for action in failed for t in (sp[FAILED], sp[f"action:{action}"])]
        out += [sp[PLAYER], *self.encode(clean(line))]
        if recalled:
            out += [sp[RECALL], *self.facts(recalled)]
        return [*out, sp[NPC]]

    def reply(self, emotion: str, text: str, action: str | None = None) -> list[int]:
        sp = self.special
        acted = [sp[f"action:{action}"]] if action else []
        return [sp[f"emotion:{emotion}"], *self.encode(text), *acted, sp[END]]


def _byte_table(tokenizer: Tokenizer, size: int) -> list[bytes]:
    """Byte-level BPE spells bytes as printable characters (GPT-2's table); this is the way back."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spelled = {chr(b): b for b in printable}
    spelled |= {chr(256 + i): b for i, b in enumerate(b for b in range(256) if b not in printable)}
    return [bytes(spelled[c] for c in tokenizer.id_to_token(i) or "") for i in range(size)]
