"""From logits to the next token, inside the grammar of a reply: emotion, text, at most one action, end."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vrsdk.runtime.card import ACTIONS, EMOTIONS, NpcCard
from vrsdk.runtime.prompt import END, Vocabulary

FloatArray = npt.NDArray[np.float32]

# What may come next, and where it leads: the grammar of a reply as a table.
EMOTION, OPENING, BODY, CLOSING, OVER = "emotion", "opening", "body", "closing", "over"
MAX_TOKENS = 96  # of one reply: some 60 English words or 110 Chinese characters


@dataclass(frozen=True)
class Sampling:
    """How the next token is chosen. temperature 0 takes the best; the rest then plays no part but the penalty."""

    temperature: float = 0.0
    top_p: float = 0.9
    repetition_penalty: float = 1.1  # divides (or, below zero, multiplies) the logits of what the reply has said
    seed: int = 0


class Grammar:
    """The tokens that a card allows in each state, as float32 (vocabulary,) masks of 0 and -inf to add to logits."""

    def __init__(self, vocabulary: Vocabulary, card: NpcCard) -> None:
        special = vocabulary.special
        self.end = special[END]
        self.emotions = {special[f"emotion:{x}"]: x for x in EMOTIONS}
        self.actions = {special[f"action:{x}"]: x for x in ACTIONS if x in card.actions}
        words = np.flatnonzero(_spoken(vocabulary, card))
        self.masks = {
            EMOTION: _mask(vocabulary.size, list(self.emotions)),
            OPENING: _mask(vocabulary.size, words),
            BODY: _mask(vocabulary.size, [*words, self.end, *self.actions]),
            CLOSING: _mask(vocabulary.size, [self.end]),
        }

    def after(self, state: str, token: int) -> str:
        """The state that `token` leads to."""
        if token == self.end:
            return OVER
        if state == EMOTION:
            return OPENING
        return CLOSING if token in self.actions else BODY


class Sampler:
    """Chooses the tokens of one reply. The same seed and the same logits give the same tokens."""

    def __init__(self, grammar: Grammar, sampling: Sampling) -> None:
        self.grammar, self.sampling = grammar, sampling
        self.state = EMOTION
        self.tokens: list[int] = []
        self._rng = np.random.default_rng(sampling.seed) if sampling.temperature > 0 else None
        self._said: list[int] = []  # the words among the tokens, each once

    def choose(self, logits: FloatArray) -> int:
        """The next token, from logits (vocabulary,), which are changed in place."""
        state = self.state
        if len(self.tokens) >= MAX_TOKENS:
            state = CLOSING
        if self._said:
            said = logits[self._said]
            penalty = self.sampling.repetition_penalty
            logits[self._said] = np.where(said > 0, said / penalty, said * penalty)
        logits += self.grammar.masks[state]
        token = int(logits.argmax()) if self._rng is None else self._draw(logits, self._rng)
        self.tokens.append(token)
        if state in (OPENING, BODY) and token not in self._said:
            self._said.append(token)
        self.state = self.grammar.after(state, token)
        return token

    def _draw(self, logits: FloatArray, rng: np.random.Generator) -> int:
        """Top-p: the fewest tokens that together have that probability (arXiv:1904.09751)."""
        best = np.argpartition(logits, -64)[-64:]  # what lies beyond the 64 best never reaches a top_p of 0.98
        best = best[np.argsort(-logits[best])]
        chance = np.exp((logits[best] - logits[best[0]]).astype(np.float64) / self.sampling.temperature)
        chance /= chance.sum()
        kept = int(np.searchsorted(chance.cumsum(), self.sampling.top_p)) + 1
        chance = chance[:kept] / chance[:kept].sum()
        return int(best[rng.choice(len(chance), p=chance)])


# The bytes that only the other language writes: Han begins with E3 to E9 in UTF-8, and Chinese has no Latin letters.
_FOREIGN = {"en": re.compile(rb"[\xe3-\xe9]"), "zh": re.compile(rb"[A-Za-z\xc3]")}


def _spoken(vocabulary: Vocabulary, card: NpcCard) -> npt.NDArray[np.bool_]:
    """Which ordinary tokens the card's language is written in: bool (ordinary,). What its own facts hold always is."""
    foreign = _FOREIGN[card.language]
    spoken = np.array([not foreign.search(vocabulary.bytes_of(t)) for t in range(vocabulary.ordinary)])
    for text in (card.name, card.role, card.place, *(fact.text for fact in card.facts)):
        spoken[vocabulary.encode(text)] = True
    return spoken


def _mask(size: int, allowed: npt.ArrayLike) -> FloatArray:
    mask = np.full(size, -np.inf, np.float32)
    mask[np.asarray(allowed)] = 0
    return mask
