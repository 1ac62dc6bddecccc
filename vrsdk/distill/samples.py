"""What a step trains on: made dialogues, public dialogues and plain text, fixed by the step's number."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from vrsdk.distill import public
from vrsdk.distill.corpus import Dialogue, Writer, encode
from vrsdk.runtime.card import LANGUAGES
from vrsdk.runtime.prompt import Vocabulary

TURNS = 24  # of a made dialogue: more than a sample holds, so that every sample is full


@dataclass(frozen=True)
class Mixture:
    """Shares of a batch, the rest being made dialogues; and what the words that are not a reply weigh in the loss."""

    public: float = 0.15
    text: float = 0.05
    context: dict[str, float] = field(default_factory=lambda: {"en": 0.1, "zh": 0.3})  # the base knows no Chinese


class Samples(IterableDataset[tuple[Tensor, Tensor]]):
    """Batches of ids and weights, (batch, length) each, one a step from `first` on; padding weighs 0.

    A sample follows from its number alone: a resumed run sees what an unbroken one would, with any number of workers.
    """

    def __init__(
        self, vocabulary: Vocabulary, data: Path, mixture: Mixture, batch: int, length: int, first: int = 0
    ) -> None:
        self.vocabulary, self.mixture = vocabulary, mixture
        self.batch_size, self.length, self.first = batch, length, first
        self.dialogues: dict[str, list[Dialogue]] = {lang: public.dialogues(data, lang) for lang in LANGUAGES}
        self.texts: dict[str, list[str]] = {lang: list(public.passages(data, lang)) for lang in LANGUAGES}

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        worker = get_worker_info()
        step, stride = self.first + (worker.id if worker else 0), worker.num_workers if worker else 1
        while True:
            yield self.batch(step)
            step += stride

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        tokens = torch.zeros(self.batch_size, self.length, dtype=torch.long)
        weights = torch.zeros(self.batch_size, self.length)
        for row in range(self.batch_size):
            ids, weigh = self.sample(step * self.batch_size + row)
            count = min(len(ids), self.length)
            tokens[row, :count] = torch.tensor(ids[:count])
            weights[row, :count] = torch.tensor(weigh[:count])
        return tokens, weights

    def sample(self, number: int) -> tuple[list[int], list[float]]:
        rng = random.Random(number)
        language = LANGUAGES[number % len(LANGUAGES)]
        context = self.mixture.context[language]
        kind = rng.random()
        if kind < self.mixture.text:
            ids = self._text(language, rng.randrange(len(self.texts[language])))
            return ids, [context] * len(ids)
        if kind < self.mixture.text + self.mixture.public:
            return encode(self.vocabulary, rng.choice(self.dialogues[language]), self.length, context)
        return encode(self.vocabulary, Writer(language, number).dialogue(TURNS), self.length, context)

    def _text(self, language: str, first: int) -> list[int]:
        """Neighbouring passages, from the `first` on, until the sample is full."""
        ids: list[int] = []
        for passage in self.texts[language][first:]:
            ids += self.vocabulary.encode(passage + "\n")
            if len(ids) >= self.length:
                break
        return ids[: self.length]
