"""The phrase bank: how players ask and how characters answer. FORMAT.md beside this file says what the TOML holds."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from vrsdk.errors import VrsdkError
from vrsdk.runtime.card import ACTIONS, EMOTIONS, TONES

HERE = Path(__file__).parent
SLOT = re.compile(r"\{(\w+)\}")
KINDS = ("chat", "persona", "feeling", "act", "boundary", "unknown", "failed")
EVERYWHERE = {
    "name", "first", "role", "place", "he", "his", "him", "ta", "person", "woman", "man", "spot",
    "amount", "hour", "span", "day", "year", "n", "big",
}  # fmt: skip


class BankError(VrsdkError):
    """A file of the phrase bank is wrong; the message names the file, the table and the line."""


@dataclass(frozen=True)
class Replies:
    """Replies by tone; `any` fits every tone."""

    by_tone: dict[str, list[str]]

    def of(self, tone: str) -> list[str]:
        return self.by_tone.get(tone, []) or self.by_tone["any"]

    @property
    def any(self) -> list[str]:
        return self.by_tone["any"]


@dataclass(frozen=True)
class Ask:
    """One question that a fact answers: ways to ask it, short follow-ups, and the replies."""

    lines: list[str]
    then: list[str]
    replies: Replies
    emotion: list[str]
    action: str | None


@dataclass(frozen=True)
class FactEntry:
    id: str
    theme: str  # the file it stands in, without its number
    say: list[str]
    asks: list[Ask]
    slots: dict[str, list[str]]  # the file's own


@dataclass(frozen=True)
class Chat:
    id: str
    kind: str
    lines: list[str]
    replies: Replies
    emotion: list[str]
    action: str | None
    refuse: list[str]
    slots: dict[str, list[str]]


@dataclass(frozen=True)
class Bank:
    language: str
    facts: list[FactEntry]
    chats: dict[str, list[Chat]]  # by kind


@cache
def load(language: str) -> Bank:
    """The bank of one language. Raises BankError at the first thing that is wrong."""
    facts: list[FactEntry] = []
    chats: dict[str, list[Chat]] = {kind: [] for kind in KINDS}
    for path in sorted((HERE / language).glob("*.toml")):
        for entry in read(path):
            if isinstance(entry, FactEntry):
                facts.append(entry)
            else:
                chats[entry.kind].append(entry)
    seen: set[str] = set()
    for name in [*(f.id for f in facts), *(c.id for many in chats.values() for c in many)]:
        if name in seen:
            raise BankError(f"bank/{language}: the id {name} stands twice. Rename one.")
        seen.add(name)
    return Bank(language, facts, chats)


def read(path: Path) -> Iterator[FactEntry | Chat]:
    """The tables of one file. Raises BankError."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BankError(f"{path}: not valid TOML: {error}") from error
    slots = table.get("slots", {})
    theme = path.stem.rstrip("_0123456789")
    for raw in table.get("fact", []):
        where = f"{path}: fact {raw.get('id')}"
        _check_slots(where, raw, slots)
        asks = [_ask(f"{where}: ask {i}", ask) for i, ask in enumerate(raw.get("ask", []))]
        if not asks:
            raise BankError(f"{where} has no [[fact.ask]]")
        yield FactEntry(raw["id"], theme, _list(where, raw, "say", 2), asks, slots)
    for raw in table.get("chat", []):
        where = f"{path}: chat {raw.get('id')}"
        _check_slots(where, raw, slots)
        ask = _ask(where, raw)
        if raw.get("kind") not in KINDS:
            raise BankError(f"{where}: kind = {raw.get('kind')!r} is none of {', '.join(KINDS)}")
        refuse = _list(where, raw, "refuse", 2) if raw["kind"] == "act" else []
        yield Chat(raw["id"], raw["kind"], ask.lines, ask.replies, ask.emotion, ask.action, refuse, slots)


def _ask(where: str, raw: dict[str, Any]) -> Ask:
    emotion = raw.get("emotion", "neutral")
    emotions = [emotion] if isinstance(emotion, str) else emotion
    if wrong := set(emotions) - set(EMOTIONS):
        raise BankError(f"{where}: no such emotion: {', '.join(wrong)}")
    action = raw.get("action")
    if action is not None and action not in ACTIONS:
        raise BankError(f"{where}: no such action: {action}")
    known = {"lines", "then", "any", "emotion", "action", "id", "kind", "refuse", *TONES}
    if unknown := set(raw) - known:
        raise BankError(f"{where}: no such key: {', '.join(unknown)}")
    replies = Replies({"any": _list(where, raw, "any", 2)} | {t: _list(where, raw, t, 1) for t in TONES if t in raw})
    return Ask(_list(where, raw, "lines", 4), raw.get("then", []), replies, emotions, action)


def _list(where: str, raw: dict[str, Any], key: str, least: int) -> list[str]:
    values = raw.get(key, [])
    if not isinstance(values, list) or not all(isinstance(v, str) and v.strip() for v in values) or len(values) < least:
        raise BankError(f"{where}: {key} needs {least} or more texts")
    return values


def _check_slots(where: str, raw: Any, slots: dict[str, list[str]]) -> None:
    known = EVERYWHERE | set(slots)
    for text in _texts(raw):
        for slot in SLOT.findall(text):
            plain = slot[0].lower() + slot[1:]
            if plain not in known and plain.rstrip("23") not in known:
                raise BankError(f"{where}: {{{slot}}} is no slot, in: {text}")


def _texts(raw: Any) -> Iterator[str]:
    if isinstance(raw, str):
        yield raw
    elif isinstance(raw, dict):
        for value in raw.values():
            yield from _texts(value)
    elif isinstance(raw, list):
        for value in raw:
            yield from _texts(value)
