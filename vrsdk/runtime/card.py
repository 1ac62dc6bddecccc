"""Who a character is: `NpcCard`, read from TOML and checked field by field."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from vrsdk.errors import CardError

EMOTIONS = ("neutral", "joy", "sadness", "anger", "fear", "surprise", "disgust", "affection")
ACTIONS = (
    "give", "take", "follow", "wait", "open", "attack", "heal", "point", "sit", "wave",
    "nod", "shake_head", "laugh", "bow", "show", "teach", "write", "sigh",
)  # fmt: skip
TONES = ("warm", "gruff", "formal", "sly", "scholarly", "cheerful")
LANGUAGES = ("en", "zh")

MAX_FILE_BYTES = 1_000_000  # a card of 500 facts is some 60 kB; more is a mistake or an attack
MAX_FACTS = 500
MAX_TEXT = 400  # characters of any one field or fact


@dataclass(frozen=True)
class Fact:
    """One thing the character knows; with `when`, only after `Npc.unlock(when)`."""

    text: str
    when: str | None = None


@dataclass(frozen=True)
class NpcCard:
    """A character: what it is called, where it stands, how it talks, what it knows and may do."""

    name: str
    role: str
    place: str
    tone: str
    personality: str = ""
    facts: tuple[Fact, ...] = ()
    actions: tuple[str, ...] = ()
    language: str = "en"
    greeting: str = ""
    thinking_lines: tuple[str, ...] = ()
    fallback_lines: tuple[str, ...] = ()
    allow_remote: bool = True
    path: str = field(default="card", compare=False)

    @classmethod
    def load(cls, path: str | Path) -> NpcCard:
        """Read the TOML card at `path`. Raises CardError, which names the field and the remedy."""
        shown = str(path)
        try:
            with open(path, "rb") as file:
                raw = file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise CardError(shown, "", f"can't be read ({error.strerror}). Check the path.") from error
        if len(raw) > MAX_FILE_BYTES:
            raise CardError(shown, "", f"is larger than {MAX_FILE_BYTES:,} bytes. Is it a card? Split the lore up.")
        try:
            table = tomllib.loads(raw.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise CardError(shown, "", f"is not UTF-8 at byte {error.start:,}. Save it as UTF-8.") from error
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise CardError(shown, "", f"is not valid TOML: {error}. Strings need quotes on both sides.") from error
        return cls.from_table(table, path=shown)

    @classmethod
    def from_table(cls, table: Mapping[str, Any], path: str = "card") -> NpcCard:
        """A card from a parsed table, such as `tomllib` or `json` gives. Raises CardError."""
        read = _Reader(table, path)
        read.refuse_unknown([f.name for f in fields(cls) if f.name != "path"])
        return cls(
            name=read.text("name"),
            role=read.text("role"),
            place=read.text("place"),
            tone=read.choice("tone", TONES),
            personality=read.text("personality", default=""),
            facts=read.facts(),
            actions=read.choices("actions", ACTIONS),
            language=read.choice("language", LANGUAGES, default="en"),
            greeting=read.text("greeting", default=""),
            thinking_lines=read.texts("thinking_lines"),
            fallback_lines=read.texts("fallback_lines"),
            allow_remote=read.flag("allow_remote", default=True),
            path=path,
        )


class _Reader:
    """Takes fields out of a table; each wrong one is a CardError that says where."""

    def __init__(self, table: Mapping[str, Any], path: str) -> None:
        if not isinstance(table, Mapping):
            raise CardError(path, "", f"a card is a table of fields, not {_kind(table)}.")
        self.table, self.path = table, path

    def error(self, name: str, problem: str) -> CardError:
        return CardError(self.path, name, problem)

    def refuse_unknown(self, known: list[str]) -> None:
        for name in self.table:
            if name not in known:
                near = get_close_matches(str(name), known, 1)
                remedy = f"Did you mean {near[0]}?" if near else f"A card has {', '.join(known)}."
                raise self.error(str(name), f"{name} is not a field of a card. {remedy}")

    def text(self, name: str, default: str | None = None) -> str:
        value = self.table.get(name, default)
        if value is None:
            raise self.error(name, f'{name} is missing. Add a line such as {name} = "...".')
        return self._checked(name, value, empty=default is not None)

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(self._checked(f"{name}[{i}]", v) for i, v in enumerate(self._list(name)))

    def choice(self, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        value = self.text(name, default)
        if value not in allowed:
            article = f"a {name}" if name != "language" else "a language that vrsdk speaks"
            raise self.error(name, f'{name} = "{value}" is not {article}. Use one of {", ".join(allowed)}.')
        return value

    def choices(self, name: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
        values = self.texts(name)
        for value in values:
            if value not in allowed:
                near = get_close_matches(value, allowed, 1)
                remedy = f"Did you mean {near[0]}?" if near else f"Use any of {', '.join(allowed)}."
                raise self.error(name, f'{name}: "{value}" is not an action that characters can do. {remedy}')
        return tuple(dict.fromkeys(values))

    def flag(self, name: str, default: bool) -> bool:
        value = self.table.get(name, default)
        if not isinstance(value, bool):
            raise self.error(name, f"{name} is {_kind(value)}. Write true or false, without quotes.")
        return value

    def facts(self) -> tuple[Fact, ...]:
        values = self._list("facts")
        if len(values) > MAX_FACTS:
            raise self.error(
                "facts", f"facts has {len(values):,} entries, at most {MAX_FACTS} are used. Split the lore up."
            )
        return tuple(self._fact(f"facts[{i}]", value) for i, value in enumerate(values))

    def _fact(self, name: str, value: Any) -> Fact:
        if not isinstance(value, Mapping):
            return Fact(self._checked(name, value))
        if unknown := set(value) - {"text", "when"}:
            raise self.error(name, f"{name} has {', '.join(sorted(unknown))}; a fact has only text and when.")
        when = value.get("when")
        return Fact(
            self._checked(f"{name}.text", value.get("text")),
            None if when is None else self._checked(f"{name}.when", when),
        )

    def _list(self, name: str) -> list[Any]:
        value = self.table.get(name, [])
        if not isinstance(value, list):
            raise self.error(name, f'{name} is {_kind(value)}. Write a list: {name} = ["...", "..."].')
        return value

    def _checked(self, name: str, value: Any, empty: bool = False) -> str:
        if not isinstance(value, str):
            raise self.error(name, f'{name} is {_kind(value)}, not a text. Put it in quotes: {name} = "...".')
        text = " ".join(value.split())
        if not text and not empty:
            raise self.error(name, f"{name} is empty. Write it, or leave the line out if it is optional.")
        if len(text) > MAX_TEXT:
            raise self.error(name, f"{name} has {len(text):,} characters, at most {MAX_TEXT} fit. Split it into facts.")
        return text


def _kind(value: Any) -> str:
    names = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        list: "a list",
        str: "a text",
        type(None): "missing",
    }
    return "a table" if isinstance(value, Mapping) else names.get(type(value), type(value).__name__)
