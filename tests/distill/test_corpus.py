from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrsdk.distill import bank
from vrsdk.distill.corpus import Writer, encode
from vrsdk.distill.slots import Slots
from vrsdk.runtime.prompt import Vocabulary


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_bank_is_in_order(language: str) -> None:
    loaded = bank.load(language)
    assert loaded.facts
    assert all(loaded.chats[kind] for kind in bank.KINDS)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_slot_of_the_bank_has_a_value(language: str) -> None:
    loaded, slots = bank.load(language), Slots(language, random.Random(0))
    slots.new_character()
    chats = [*(c for many in loaded.chats.values() for c in many), *(c for s in loaded.scenes for c in s.chats)]
    texts = [
        (text, f.slots) for f in loaded.facts for text in [*f.say, *(x for a in f.asks for x in (*a.lines, *a.then))]
    ]
    texts += [(x, f.slots) for f in loaded.facts for a in f.asks for many in a.replies.by_tone.values() for x in many]
    texts += [(x, c.slots) for c in chats for many in (c.lines, c.refuse, *c.replies.by_tone.values()) for x in many]
    texts += [(x, s.slots) for s in loaded.scenes for t in s.twos for x in (s.role, s.place, *t.lines, *t.any)]
    for text, own in texts:
        assert "{" not in slots.fill(text, {}, own), text


def test_a_numbered_slot_of_the_character_is_refused(tmp_path: Path) -> None:
    good = (bank.HERE / "zh" / "failed_1.toml").read_text("utf-8")
    path = tmp_path / "failed_1.toml"
    path.write_text(good.replace('any = ["', 'any = ["{ta2}', 1), "utf-8")
    with pytest.raises(bank.BankError, match=r"\{ta2\} is no slot"):
        list(bank.read(path))


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
