"""`vrsdk eval`: a character's replies to the lines of an evaluation set, one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vrsdk.errors import CardError, UsageError
from vrsdk.runtime.bundle import Bundle
from vrsdk.runtime.card import NpcCard
from vrsdk.runtime.conversation import Exchange, State, prompt
from vrsdk.runtime.engine import Engine
from vrsdk.runtime.prompt import Vocabulary, clean
from vrsdk.runtime.runtime import load_engine, load_vocabulary
from vrsdk.runtime.sampling import OVER, Grammar, Sampler, Sampling

Row = dict[str, Any]


def read_items(path: Path) -> list[Row]:
    """The items of `path`, JSON lines. Raises UsageError, which names the line."""
    items = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                item = json.loads(line)
                items.append(item | {"card": NpcCard.from_table(item["card"], f"{path}:{number}")})
            except (ValueError, KeyError, TypeError) as error:
                raise UsageError(f"{path}:{number}: not an item of an evaluation set: {error!r}") from error
            except CardError:
                raise
    return items


def replies(bundle: Bundle, items: list[Row], sampling: Sampling) -> Iterator[Row]:
    """For each item `{"id", "text", "emotion", "action"}`. The same prompt, grammar and engine as `Npc` uses."""
    vocabulary, engine = load_vocabulary(bundle), load_engine(bundle, slots=1)
    context = bundle.architecture["context"]
    for item in items:
        state = State(history=tuple(_exchanges(item.get("history", []))))
        tokens, _ = prompt(vocabulary, context, item["card"], state, clean(item["say"]))
        yield {"id": item["id"], **reply(engine, vocabulary, tokens, item["card"], sampling)}


def reply(engine: Engine, vocabulary: Vocabulary, tokens: list[int], card: NpcCard, sampling: Sampling) -> Row:
    """One reply to a prompt, from an empty slot 0."""
    sampler = Sampler(Grammar(vocabulary, card), sampling)
    engine.rewind(0, 0)
    logits = engine.prefill(0, tokens)
    while True:
        token = sampler.choose(logits)
        if sampler.state == OVER:
            break
        logits = engine.step([0], [token])[0]
    said = sampler.tokens
    action = next((sampler.grammar.actions[t] for t in said if t in sampler.grammar.actions), None)
    return {
        "text": vocabulary.decode(said).strip(),
        "emotion": sampler.grammar.emotions[said[0]],
        "action": action,
    }


def _exchanges(history: list[Row]) -> Iterator[Exchange]:
    """Pairs of a player's and a character's turn; a turn without its other half stands with an empty one."""
    line: str | None = None
    for turn in history:
        text = clean(turn["text"])
        if turn["who"] == "player":
            if line is not None:
                yield Exchange(line)
            line = text
        else:
            yield Exchange(line or "", text=text)
            line = None
    if line is not None:
        yield Exchange(line)
