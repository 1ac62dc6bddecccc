"""Which facts match a line: for lore too large for the warm prefix."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

RECALLED = 3  # facts a turn: what the corpus trains on; more would cost prefill
_WORD = re.compile(r"[a-z0-9']+")
_HAN = re.compile(r"[\u3400-\u9fff]+")
_ENDINGS = re.compile(r"(?<=\w{3})(ies|es|s|ing|ed|ly|'s)$")


def terms(text: str) -> Counter[str]:
    """What is compared: English words without their endings, pairs of neighbouring Chinese characters."""
    found = Counter(_ENDINGS.sub("", word) for word in _WORD.findall(text.casefold()))
    for run in _HAN.findall(text):
        found.update(run[i : i + 2] for i in range(len(run) - 1))
    return found


class Lore:
    """Facts indexed by their terms. Rare terms weigh more: BM25's inverse document frequency."""

    def __init__(self, facts: Sequence[str]) -> None:
        self.facts = list(facts)
        self._terms = [terms(fact) for fact in self.facts]
        spread = Counter(term for found in self._terms for term in found)
        self._weight = {t: math.log(1 + (len(self.facts) - n + 0.5) / (n + 0.5)) for t, n in spread.items()}

    def match(self, line: str, limit: int = RECALLED) -> list[str]:
        """At most `limit` facts that share a term with `line`, the best first; ties in the card's order."""
        asked = terms(line)
        scores = [sum(self._weight[t] for t in asked if t in found) / (8 + found.total()) for found in self._terms]
        best = sorted((i for i, score in enumerate(scores) if score > 0), key=lambda i: -scores[i])
        return [self.facts[i] for i in best[:limit]]
