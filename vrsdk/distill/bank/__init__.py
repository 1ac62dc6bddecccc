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
CHARACTERS = {"name", "first", "role", "place", "he", "his", "him", "ta"}  # there is one: no {name2}
EVERYWHERE = {"person", "woman", "man", "spot", "amount", "hour", "span", "day", "year", "n", "big"}


def unnumbered(slot: str) -> str:
    """The kind that a slot is one of several of: `person2` is a `person`."""
    return slot.rstrip("23456789")


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
class Two:
    """A line that asks for two facts at once, and replies that answer both."""

    facts: list[str]  # their ids
    lines: list[str]
    any: list[str]


@dataclass(frozen=True)
class Scene:
    """A whole character: its facts belong together, and its talk is its own."""

    id: str
    role: str
    place: str
    tones: list[str]
    personality: str
    actions: list[str]
    facts: list[FactEntry]
    twos: list[Two]
    chats: list[Chat]
    slots: dict[str, list[str]]


@dataclass(frozen=True)
class Bank:
    language: str
    facts: list[FactEntry]  # those of the scenes among them
    chats: dict[str, list[Chat]]  # by kind
    scenes: list[Scene]


@cache
def load(language: str) -> Bank:
    """The bank of one language. Raises BankError at the first thing that is wrong."""
    bank = Bank(language, [], {kind: [] for kind in KINDS}, [])
    for path in sorted((HERE / language).glob("*.toml")):
        for entry in read(path):
            if isinstance(entry, FactEntry):
                bank.facts.append(entry)
            elif isinstance(entry, Scene):
                bank.scenes.append(entry)
                bank.facts.extend(entry.facts)
            else:
                bank.chats[entry.kind].append(entry)
    seen: set[str] = set()
    chats = [c for many in bank.chats.values() for c in many]
    for name in [*(f.id for f in bank.facts), *(c.id for c in chats), *(s.id for s in bank.scenes)]:
        if name in seen:
            raise BankError(f"bank/{language}: the id {name} stands twice. Rename one.")
        seen.add(name)
    return bank


def read(path: Path) -> Iterator[FactEntry | Chat | Scene]:
    """The tables of one file. Raises BankError."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BankError(f"{path}: not valid TOML: {error}") from error
    if unknown := set(table) - {"slots", "fact", "chat", "scene"}:
        raise BankError(f"{path}: no such table: {', '.join(unknown)}")
    slots = table.get("slots", {})
    theme = path.stem.rstrip("_0123456789")
    for raw in table.get("fact", []):
        where = f"{path}: fact {raw.get('id')}"
        yield _fact(where, raw, _text(where, raw, "id"), theme, slots)
    for raw in table.get("chat", []):
        where = f"{path}: chat {raw.get('id')}"
        yield _chat(where, raw, _text(where, raw, "id"), slots)
    for raw in table.get("scene", []):
        yield _scene(f"{path}: scene {raw.get('id')}", raw)


def _fact(where: str, raw: dict[str, Any], name: str, theme: str, slots: dict[str, list[str]]) -> FactEntry:
    _check_slots(where, raw, slots)
    _check_keys(where, raw, {"id", "say", "ask"})
    asks = [_ask(f"{where}: ask {i}", ask) for i, ask in enumerate(raw.get("ask", []))]
    if not asks:
        raise BankError(f"{where} has no [[fact.ask]]")
    return FactEntry(name, theme, _list(where, raw, "say", 2), asks, slots)


def _chat(where: str, raw: dict[str, Any], name: str, slots: dict[str, list[str]], least: int = 4) -> Chat:
    _check_slots(where, raw, slots)
    ask = _ask(where, raw, least)
    if raw.get("kind") not in KINDS:
        raise BankError(f"{where}: kind = {raw.get('kind')!r} is none of {', '.join(KINDS)}")
    refuse = []
    if raw["kind"] == "act":
        refuse = _list(where, raw, "refuse", 2)
        if ask.action is None:
            raise BankError(f"{where}: an act needs an action")
    return Chat(name, raw["kind"], ask.lines, ask.replies, ask.emotion, ask.action, refuse, slots)


def _scene(where: str, raw: dict[str, Any]) -> Scene:
    tones, actions, slots = raw.get("tone", []), raw.get("actions", []), raw.get("slots", {})
    _check_keys(where, raw, {"id", "role", "place", "tone", "personality", "actions", "slots", "fact", "two", "chat"})
    for key, values, allowed in (("tone", tones, TONES), ("actions", actions, ACTIONS)):
        if not values or set(values) - set(allowed):
            raise BankError(f"{where}: {key} = {values} must hold one or more of {', '.join(allowed)}")
    _check_slots(where, raw, slots)
    scene, role, place, personality = (_text(where, raw, key) for key in ("id", "role", "place", "personality"))
    facts = [
        _fact(f"{where}: fact {f.get('id')}", f, f"{scene}.{_text(where, f, 'id')}", scene, slots)
        for f in raw.get("fact", [])
    ]
    if len({f.id for f in facts}) < max(3, len(facts)):
        raise BankError(f"{where} needs 3 or more facts, each with its own id")
    twos = []
    for i, two in enumerate(raw.get("two", [])):
        at = f"{where}: two {i}"
        _check_keys(at, two, {"facts", "lines", "any"})
        asked = [f"{scene}.{name}" for name in two.get("facts", [])]
        if not asked or set(asked) - {f.id for f in facts}:
            raise BankError(f"{at}: facts = {two.get('facts')} must name facts of the scene")
        twos.append(Two(asked, _list(at, two, "lines", 1), _list(at, two, "any", 1)))
    chats = [_chat(f"{where}: chat {i}", c, f"{scene}.chat{i}", slots, 2) for i, c in enumerate(raw.get("chat", []))]
    return Scene(scene, role, place, tones, personality, actions, facts, twos, chats, slots)


def _ask(where: str, raw: dict[str, Any], least: int = 4) -> Ask:
    emotion = raw.get("emotion", "neutral")
    emotions = [emotion] if isinstance(emotion, str) else emotion
    if wrong := set(emotions) - set(EMOTIONS):
        raise BankError(f"{where}: no such emotion: {', '.join(wrong)}")
    action = raw.get("action")
    if action is not None and action not in ACTIONS:
        raise BankError(f"{where}: no such action: {action}")
    _check_keys(where, raw, {"lines", "then", "any", "emotion", "action", "id", "kind", "refuse", *TONES})
    replies = Replies({"any": _list(where, raw, "any", 2)} | {t: _list(where, raw, t, 1) for t in TONES if t in raw})
    return Ask(_list(where, raw, "lines", least), raw.get("then", []), replies, emotions, action)


def _list(where: str, raw: dict[str, Any], key: str, least: int) -> list[str]:
    values = raw.get(key, [])
    if not isinstance(values, list) or not all(isinstance(v, str) and v.strip() for v in values) or len(values) < least:
        raise BankError(f"{where}: {key} needs {least} or more texts")
    return values


def _text(where: str, raw: dict[str, Any], key: str) -> str:
    value = raw.get(key)
    if not isinstance(value, str) or not value.strip():
        raise BankError(f"{where}: {key} needs a text")
    return value


def _check_keys(where: str, raw: dict[str, Any], known: set[str]) -> None:
    if unknown := set(raw) - known:
        raise BankError(f"{where}: no such key: {', '.join(unknown)}")


def _check_slots(where: str, raw: Any, slots: dict[str, list[str]]) -> None:
    several = EVERYWHERE | set(slots)
    for text in _texts(raw):
        for slot in SLOT.findall(text):
            plain = slot[0].lower() + slot[1:]
            if plain not in CHARACTERS | several and unnumbered(plain) not in several:
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
