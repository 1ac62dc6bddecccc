from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrsdk import NpcCard, Sampling
from vrsdk.runtime.prompt import Vocabulary
from vrsdk.runtime.sampling import BODY, MAX_TOKENS, OVER, Grammar, Sampler

samplings = st.builds(
    Sampling,
    temperature=st.sampled_from([0.0, 0.7, 2.0]),
    top_p=st.floats(0.05, 1.0),
    repetition_penalty=st.floats(1.0, 1.5),
    seed=st.integers(0, 2**32),
)


MIRA = NpcCard("Mira", "innkeeper", "the Goose", "warm", actions=("give", "nod"))


def run(sampler: Sampler, vocabulary: Vocabulary, seed: int, eager: float) -> list[int]:
    """A reply from random logits; `eager` lifts the special tokens, which the grammar must then hold back."""
    rng = np.random.default_rng(seed)
    while sampler.state != OVER:
        logits = rng.normal(size=vocabulary.size).astype(np.float32)
        logits[vocabulary.ordinary :] += eager
        sampler.choose(logits)
    return sampler.tokens


@given(sampling=samplings, seed=st.integers(0, 1000), eager=st.sampled_from([0.0, 4.0, 20.0]))
def test_any_logits_give_a_reply_of_the_right_form(
    vocabulary: Vocabulary, sampling: Sampling, seed: int, eager: float
) -> None:
    grammar = Grammar(vocabulary, MIRA)
    tokens = run(Sampler(grammar, sampling), vocabulary, seed, eager)
    emotion, *body, end = tokens
    assert emotion in grammar.emotions
    assert end == grammar.end
    assert len(tokens) <= MAX_TOKENS + 1
    acts = [t for t in body if t >= vocabulary.ordinary]
    assert len(acts) <= 1
    assert all(grammar.actions[t] in ("give", "nod") for t in acts)
    assert body[0] < vocabulary.ordinary, "a reply has words"
    assert not acts or body[-1] == acts[0], "the act comes last"


def test_the_same_seed_gives_the_same_reply(vocabulary: Vocabulary) -> None:
    grammar = Grammar(vocabulary, MIRA)
    replies = {
        seed: [run(Sampler(grammar, Sampling(temperature=1.0, seed=seed)), vocabulary, 7, 2.0) for _ in range(2)]
        for seed in (1, 2)
    }
    assert replies[1][0] == replies[1][1]
    assert replies[1][0] != replies[2][0]


def test_the_penalty_holds_back_what_was_said(vocabulary: Vocabulary) -> None:
    sampler = Sampler(Grammar(vocabulary, MIRA), Sampling(repetition_penalty=1.3))
    logits = np.zeros(vocabulary.size, np.float32)
    logits[300], logits[301] = 2.0, 1.8
    chosen = [sampler.choose(logits.copy()) for _ in range(3)]
    assert chosen[1:] == [300, 301]


@pytest.mark.parametrize(
    ("language", "allowed", "refused"), [("en", " room", "房间"), ("zh", "一晚", " room"), ("zh", "Goose", "goose")]
)
def test_a_character_speaks_its_own_language_and_the_names_on_its_card(
    vocabulary: Vocabulary, language: str, allowed: str, refused: str
) -> None:
    card = NpcCard("Mira", "innkeeper", "Goose", "warm", language=language)
    body = Grammar(vocabulary, card).masks[BODY]
    assert all(body[t] == 0 for t in vocabulary.encode(allowed))
    assert any(body[t] < 0 for t in vocabulary.encode(refused))
