from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vrsdk import ContextFull
from vrsdk.distill.transformer import Transformer
from vrsdk.runtime.bundle import Bundle
from vrsdk.runtime.engine import Engine, spans
from vrsdk.runtime.runtime import load_engine

WORDS = list(range(300, 340))
CLOSE = {"rtol": 1e-4, "atol": 1e-4}


@pytest.fixture
def engine(tiny: Path) -> Engine:
    return load_engine(Bundle.open(tiny), slots=6)


def test_a_prompt_read_in_pieces_equals_one_read_at_once(engine: Engine) -> None:
    whole = engine.prefill(0, WORDS).copy()
    for start in range(0, len(WORDS), 7):
        pieces = engine.prefill(1, WORDS[start : start + 7]).copy()
    np.testing.assert_allclose(pieces, whole, **CLOSE)


def test_steps_equal_a_prefill(engine: Engine) -> None:
    whole = engine.prefill(0, WORDS).copy()
    engine.prefill(1, WORDS[:-3])
    for token in WORDS[-3:]:
        stepped = engine.step([1], [token])[0]
    np.testing.assert_allclose(stepped, whole, **CLOSE)


@given(st.lists(st.integers(0, 5), min_size=1, unique=True).map(sorted), st.data())
def test_a_sequence_does_not_depend_on_its_neighbours(tiny: Path, slots: list[int], data: st.DataObject) -> None:
    engine = load_engine(Bundle.open(tiny), slots=6)
    lengths = [data.draw(st.integers(1, 20)) for _ in slots]
    alone = []
    for slot, length in zip(slots, lengths, strict=True):
        engine.prefill(slot, WORDS[:length])
        alone.append(engine.step([slot], [WORDS[length]])[0].copy())
        engine.rewind(slot, length)
    together = engine.step(slots, [WORDS[length] for length in lengths])
    np.testing.assert_allclose(together, alone, **CLOSE)
    assert [engine.length(s) for s in slots] == [n + 1 for n in lengths]


def test_rewinding_forgets(engine: Engine) -> None:
    engine.prefill(0, WORDS[:10])
    fresh = engine.step([0], [WORDS[10]])[0].copy()
    engine.rewind(0, 4)
    engine.prefill(0, WORDS[4:10])
    np.testing.assert_allclose(engine.step([0], [WORDS[10]])[0], fresh, **CLOSE)
    with pytest.raises(ValueError, match="can't be rewound to 99"):
        engine.rewind(0, 99)


def test_a_full_slot_is_left_unchanged(engine: Engine) -> None:
    context = engine.architecture.context
    engine.prefill(0, [300] * context)
    with pytest.raises(ContextFull, match=f"holds {context} tokens of {context}, 1 more"):
        engine.step([0], [300])
    with pytest.raises(ContextFull):
        engine.prefill(1, [300] * (context + 1))
    assert (engine.length(0), engine.length(1)) == (context, 0)


def test_the_engine_gives_what_pytorch_gives_of_the_same_int8_weights(tiny: Path, tiny_model: Transformer) -> None:
    from vrsdk.distill.export import restore

    model = Transformer(tiny_model.shape)
    model.load_state_dict(restore(tiny / "model.onnx", tiny_model.shape))
    with torch.no_grad():
        wanted = model(torch.tensor([WORDS]))[0, -1].numpy()
    got = load_engine(Bundle.open(tiny), slots=1).prefill(0, WORDS)
    assert np.corrcoef(got, wanted)[0, 1] > 0.995  # the activations are rounded to 8 bits too


@given(st.lists(st.integers(0, 30), unique=True, min_size=1).map(sorted))
def test_spans_cover_every_slot_once_in_order(slots: list[int]) -> None:
    found = spans(slots)
    covered = [s for first, last in found for s in range(first, last + 1)]
    assert set(slots) <= set(covered)
    assert covered == sorted(set(covered))
