"""What a character has heard and said, and the prompt that follows from it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from vrsdk.errors import SessionFileError
from vrsdk.runtime.card import ACTIONS, EMOTIONS, MAX_TEXT, NpcCard
from vrsdk.runtime.lore import Lore
from vrsdk.runtime.prompt import MAX_LINE, Vocabulary, clean
from vrsdk.runtime.sampling import MAX_TOKENS

PREFIX_TOKENS = 320  # of the card that stay warm; what a larger lore holds beyond is recalled line by line
KEPT_SHARE = 0.6  # of the room is left to the history when it is trimmed, so that it isn't trimmed every turn
MAX_EXCHANGES = 200  # kept in memory and in a session file; the context holds some 20
MAX_FILE_BYTES = 2_000_000
SESSION_FORMAT = 1


@dataclass(frozen=True)
class Exchange:
    """A line and what was heard of its reply."""

    line: str
    emotion: str = "neutral"
    text: str = ""
    action: str | None = None
    refused: tuple[str, ...] = ()  # actions that the game reported as failed


@dataclass(frozen=True)
class State:
    """All that a session file keeps."""

    history: tuple[Exchange, ...] = ()
    unlocked: frozenset[str] = frozenset()
    memories: tuple[str, ...] = ()
    dropped: int = 0  # exchanges that were once at the start of the history

    def heard(self, exchange: Exchange) -> State:
        history = (*self.history, exchange)
        over = max(0, len(history) - MAX_EXCHANGES)
        return replace(self, history=history[over:], dropped=self.dropped + over)


def facts(card: NpcCard, state: State) -> list[str]:
    """What the character may speak of now. A locked fact is not among them."""
    known = [f.text for f in card.facts if f.when is None or f.when in state.unlocked]
    return known + list(state.memories)


def prefix(vocabulary: Vocabulary, card: NpcCard, known: Sequence[str]) -> tuple[list[int], list[str]]:
    """The card's tokens with as many facts as fit, and the facts that don't."""
    tokens = vocabulary.card(card, [])
    for i, fact in enumerate(known):
        more = vocabulary.facts([fact])
        if len(tokens) + len(more) > PREFIX_TOKENS:
            return tokens, list(known[i:])
        tokens += more
    return tokens, []


def prompt(
    vocabulary: Vocabulary, context: int, card: NpcCard, state: State, line: str, forgotten: int = 0
) -> tuple[list[int], int]:
    """The tokens up to where the reply to `line` begins, and how many exchanges the context no longer holds.

    `forgotten` is how many it did not hold before: what was let go stays so, and the slot keeps what it has read.

    The oldest exchanges go first, each whole; the card and the line are never cut.
    """
    tokens, beyond = prefix(vocabulary, card, facts(card, state))
    last = state.history[-1].refused if state.history else ()
    asked = vocabulary.turn(line, Lore(beyond).match(line) if beyond else (), last)
    told = [_told(vocabulary, state.history, i) for i in range(max(0, forgotten - state.dropped), len(state.history))]
    room = context - MAX_TOKENS - 1 - len(tokens) - len(asked)
    if sum(map(len, told)) > room:
        while told and sum(map(len, told)) > KEPT_SHARE * room:
            told.pop(0)
    kept = [t for one in told for t in one]
    return tokens + kept + asked, state.dropped + len(state.history) - len(told)


def _told(vocabulary: Vocabulary, history: Sequence[Exchange], i: int) -> list[int]:
    one = history[i]
    failed = history[i - 1].refused if i else ()
    return vocabulary.turn(one.line, (), failed) + vocabulary.reply(one.emotion, one.text, one.action)


# ---- session files ----------------------------------------------------------------------------------


def save(path: str | Path, card: NpcCard, state: State) -> None:
    """Write `state` to `path`, whole or not at all. Raises SessionFileError."""
    table = {
        "format": SESSION_FORMAT,
        "name": card.name,
        "history": [asdict(x) for x in state.history],
        "unlocked": sorted(state.unlocked),
        "memories": list(state.memories),
    }
    target = Path(path)
    try:
        handle, new = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with open(handle, "w", encoding="utf-8") as file:
                json.dump(table, file, ensure_ascii=False, indent=1)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, target)
        except BaseException:
            os.unlink(new)
            raise
    except OSError as error:
        raise SessionFileError(str(path), f"can't be written ({error.strerror}). The old file is as it was.") from error


def load(path: str | Path, card: NpcCard) -> State:
    """Read what `save` wrote. Raises SessionFileError, which says whether the file is broken or another's."""
    shown = str(path)
    try:
        with open(path, "rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise SessionFileError(
            shown, f"can't be read ({error.strerror}). Check the path, or start without it."
        ) from error
    if len(raw) > MAX_FILE_BYTES:
        raise SessionFileError(shown, f"is larger than {MAX_FILE_BYTES:,} bytes, so it is no session.")
    try:
        table = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise SessionFileError(shown, f"is not valid JSON: {error}. Start without it.") from error
    try:
        return _state(table, card)
    except (KeyError, TypeError, ValueError) as error:
        raise SessionFileError(shown, f"is no session of {card.name}: {error}. Start without it.") from error


def _state(table: Any, card: NpcCard) -> State:
    if not isinstance(table, dict):
        raise ValueError("it holds no JSON object")
    if table.get("format") != SESSION_FORMAT:
        raise ValueError(f"its format is {table.get('format')!r}, this vrsdk reads {SESSION_FORMAT}")
    if table.get("name") != card.name:
        raise ValueError(f"it belongs to {table.get('name')!r}")
    return State(
        history=tuple(_exchange(x) for x in _list(table, "history")[-MAX_EXCHANGES:]),
        unlocked=frozenset(_text(x, MAX_TEXT) for x in _list(table, "unlocked")),
        memories=tuple(_text(x, MAX_TEXT) for x in _list(table, "memories")),
    )


def _exchange(row: Any) -> Exchange:
    if not isinstance(row, dict):
        raise ValueError("an entry of history is no object")
    action, emotion = row.get("action"), row.get("emotion")
    if emotion not in EMOTIONS or (action is not None and action not in ACTIONS):
        raise ValueError(f"emotion {emotion!r} or action {action!r} is not one that characters have")
    refused = tuple(a for a in _list(row, "refused") if a in ACTIONS)
    return Exchange(_text(row.get("line"), MAX_LINE), emotion, _text(row.get("text"), 4 * MAX_LINE), action, refused)


def _list(table: dict[str, Any], name: str) -> list[Any]:
    value = table.get(name, [])
    if not isinstance(value, list):
        raise ValueError(f"{name} is no list")
    return value


def _text(value: Any, limit: int) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return clean(value, limit)
