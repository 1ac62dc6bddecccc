from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrsdk.distill import bank
from vrsdk.distill.corpus import Writer, encode
from vrsdk.runtime.prompt import Vocabulary


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_bank_is_in_order(language: str) -> None:
    loaded = bank.load(language)
    assert loaded.facts
    assert all(loaded.chats[kind] for kind in bank.KINDS)


@given(seed=st.integers(0, 2**32), language=st.sampled_from(["en", "zh"]))
def test_a_dialogue_has_no_open_slot_and_keeps_to_its_card(seed: int, language: str) -> None:
    dialogue = Writer(language, seed).dialogue(8)
    for text in [*dialogue.prefix, *(t.line for t in dialogue.turns), *(t.text for t in dialogue.turns)]:
        assert "{" not in text
        assert "}" not in text
    assert all(t.action is None or t.action in dialogue.card.actions for t in dialogue.turns)


def test_the_same_seed_gives_the_same_dialogues() -> None:
    first, again = (list(islice(Writer("zh", 7).dialogues(), 3)) for _ in range(2))
    assert first == again
    assert first != list(islice(Writer("zh", 8).dialogues(), 3))


def test_only_replies_are_learnt(vocabulary: Vocabulary) -> None:
    dialogue = Writer("en", 3).dialogue(4)
    ids, learnt = encode(vocabulary, dialogue, 2_000)
    said = [t for t, mask in zip(ids, learnt, strict=True) if mask]
    replies = [vocabulary.reply(t.emotion, t.text, t.action) for t in dialogue.turns]
    assert said == [t for reply in replies for t in reply]


@given(seed=st.integers(0, 1000), limit=st.integers(10, 400))
def test_a_cut_falls_between_turns(vocabulary: Vocabulary, seed: int, limit: int) -> None:
    dialogue = Writer("en", seed).dialogue(6)
    ids, _ = encode(vocabulary, dialogue, limit)
    prefix = vocabulary.card(dialogue.card, dialogue.prefix)
    assert len(ids) <= max(limit, len(prefix))
    assert ids == prefix or ids[-1] == vocabulary.special["end"]
