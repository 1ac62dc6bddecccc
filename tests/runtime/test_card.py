from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrsdk import CardError, NpcCard

GOOD = 'name = "Mira"\nrole = "innkeeper"\nplace = "the Goose"\ntone = "warm"\n'


def load(tmp_path: Path, text: str | bytes) -> NpcCard:
    path = tmp_path / "mira.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return NpcCard.load(path)


def test_a_card_of_four_fields_is_enough(tmp_path: Path) -> None:
    card = load(tmp_path, GOOD)
    assert (card.name, card.language, card.facts, card.allow_remote) == ("Mira", "en", (), True)


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    assert load(tmp_path, b"\xef\xbb\xbf" + GOOD.encode()).name == "Mira"


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        ('role = "x"\nplace = "y"\ntone = "warm"', "name", "name is missing. Add a line"),
        (GOOD.replace("warm", "grumpy"), "tone", 'tone = "grumpy" is not a tone. Use one of warm, gruff'),
        (GOOD + 'actions = ["gvie"]', "actions", '"gvie" is not an action.*Did you mean give'),
        (GOOD + 'actions = "give"', "actions", "actions is a text. Write a list"),
        (GOOD + "facts = [3]", "facts[0]", "is a number, not a text"),
        (GOOD + 'facts = [""]', "facts[0]", "is empty"),
        (GOOD + 'facts = [{ text = "x", whne = "y" }]', "facts[0]", "has whne; a fact has only text and when"),
        (GOOD + 'facts = [{ when = "y" }]', "facts[0].text", "is missing"),
        (GOOD + f'personality = "{"x" * 401}"', "personality", "401 characters, at most 400"),
        (GOOD + f"facts = {['a fact'] * 501}", "facts", "501 entries, at most 500"),
        (GOOD + 'language = "fr"', "language", '"fr" is not a language'),
        (GOOD + 'allow_remote = "no"', "allow_remote", "Write true or false"),
        (GOOD + 'fact = ["x"]', "fact", "Did you mean facts"),
        ('name = "Mira', "", "not valid TOML"),
        (b"\xff\xfe", "", "not UTF-8 at byte 0"),
        (GOOD + "facts = [" + '"' + "x" * 10_000_000 + '"]', "", "larger than 1,000,000 bytes"),
        ("a = " + "[" * 100_000, "", "not valid TOML"),
    ],
)
def test_a_wrong_card_says_what_and_where(tmp_path: Path, text: str | bytes, field: str, message: str) -> None:
    with pytest.raises(CardError, match=message) as caught:
        load(tmp_path, text)
    assert caught.value.field == field
    assert "mira.toml" in str(caught.value)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"nobody\.toml: can't be read"):
        NpcCard.load(tmp_path / "nobody.toml")


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
names = st.sampled_from(["name", "role", "place", "tone", "facts", "actions", "language", "greeting", "allow_remote"])


@given(st.dictionaries(names, json_like))
def test_any_table_gives_a_card_or_a_card_error(table: dict[str, object]) -> None:
    with contextlib.suppress(CardError):
        assert NpcCard.from_table(table).name


@given(st.binary(max_size=200))
def test_random_bytes_give_a_card_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "random.toml"
    path.write_bytes(data)
    with pytest.raises(CardError):
        NpcCard.load(path)
