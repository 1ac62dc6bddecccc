from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from vrsdk import NpcCard
from vrsdk.runtime.prompt import MAX_LINE, SPECIALS, Vocabulary, clean

texts = st.text() | st.sampled_from([f"<{s}>" for s in SPECIALS]) | st.sampled_from(["<|im_end|>", "Ġ", "你好<end>"])


@given(text=texts)
def test_no_text_encodes_to_a_special_token(vocabulary: Vocabulary, text: str) -> None:
    assert all(token < vocabulary.ordinary for token in vocabulary.encode(text))


@given(text=texts)
def test_clean_text_survives_the_tokenizer(vocabulary: Vocabulary, text: str) -> None:
    text = clean(text)
    assert vocabulary.decode(vocabulary.encode(text)) == text


@given(text=st.text(alphabet=st.characters(codec=None)))
def test_clean_leaves_nothing_that_steers_a_terminal_or_hides(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned) <= MAX_LINE
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Co") or "\u202a" <= c <= "\u202e" for c in cleaned)
    assert clean(cleaned) == cleaned


def test_a_line_of_100_000_characters_is_cut(vocabulary: Vocabulary) -> None:
    assert len(vocabulary.turn("long " * 20_000)) <= MAX_LINE


def test_common_chinese_takes_fewer_tokens_than_characters(vocabulary: Vocabulary) -> None:
    line = "你好，我需要你的帮助。请问住一晚要多少钱？"
    assert len(vocabulary.encode(line)) < len(line)


def test_the_parts_of_a_turn_are_fenced_by_special_tokens(vocabulary: Vocabulary, card: NpcCard) -> None:
    special = vocabulary.special
    prefix = vocabulary.card(card, ["A room costs three silver."])
    assert [vocabulary.name_of[t] for t in prefix if t >= vocabulary.ordinary] == [
        "card", "language:en", "tone:warm", "can:give", "can:nod", "fact",
    ]  # fmt: skip
    turn = vocabulary.turn("Hello", recalled=["It rains."], failed=["give"])
    assert [vocabulary.name_of[t] for t in turn if t >= vocabulary.ordinary] == [
        "failed", "action:give", "player", "recall", "fact", "npc",
    ]  # fmt: skip
    assert vocabulary.reply("joy", "Hi", "nod")[-2:] == [special["action:nod"], special["end"]]
