"""The exported graph is the PyTorch model: in float32 to the last digits, in int8 in what it would say next."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from tests.conftest import POCKET
from vrsdk.distill.corpus import Writer, encode
from vrsdk.distill.export import export, quantized
from vrsdk.distill.train import from_bundle
from vrsdk.distill.transformer import Transformer
from vrsdk.runtime.bundle import Bundle
from vrsdk.runtime.engine import Architecture, Engine
from vrsdk.runtime.prompt import Vocabulary
from vrsdk.runtime.runtime import load_engine


def pocket() -> Transformer:
    return from_bundle(POCKET).eval()


def dialogues(vocabulary: Vocabulary, positions: int) -> list[tuple[list[int], list[float]]]:
    """Unseen dialogues in both languages, and which of their tokens are replies: `positions` of these in all."""
    found: list[tuple[list[int], list[float]]] = []
    for seed in range(10**9, 10**9 + 200):
        found += [encode(vocabulary, Writer(language, seed).dialogue(8), 300) for language in ("en", "zh")]
        if sum(sum(learnt) for _, learnt in found) >= positions:
            return found
    raise AssertionError("too few dialogues")


def test_float32_graph_equals_pytorch(tmp_path: Path, vocabulary: Vocabulary) -> None:
    model = pocket()
    export(model.state_dict(), model.shape, 512, tmp_path / "model.onnx", int8=False)
    s = model.shape
    engine = Engine(tmp_path / "model.onnx", Architecture(s.vocabulary, s.layers, s.kv_heads, s.head_dim, 512), 1)
    tokens, _ = dialogues(vocabulary, 100)[0]
    with torch.no_grad():
        wanted = model(torch.tensor([tokens]))[0].numpy()
    got = [engine.prefill(0, tokens[:40]).copy(), *(engine.step([0], [t])[0].copy() for t in tokens[40:])]
    assert np.abs(np.array(got) - wanted[39:]).max() < 1e-3


def test_int8_graph_says_what_pytorch_says(vocabulary: Vocabulary) -> None:
    """At 2,000 positions of replies: what a card or a player says is never the model's to predict."""
    model, engine = pocket(), load_engine(Bundle.open(POCKET), slots=1)
    agree, total = 0, 0
    for tokens, learnt in dialogues(vocabulary, 2_000):
        with torch.no_grad():
            wanted = model(torch.tensor([tokens]))[0].argmax(-1).tolist()
        engine.rewind(0, 0)
        read = 0
        for i in (i for i, reply in enumerate(learnt) if reply):
            said = int(engine.prefill(0, tokens[read:i]).argmax())
            read = i
            agree += said == wanted[i - 1]
            total += 1
    assert total >= 2_000
    assert agree / total >= 0.97, f"{agree} of {total}"


def test_quantising_errs_by_half_a_step_at_most() -> None:
    weight = np.random.default_rng(0).normal(size=(8, 128)).astype(np.float32)
    codes, scales = quantized(weight)
    back = (codes.astype(np.float32) - 128) * scales[..., None]
    assert (np.abs(back.reshape(weight.shape) - weight).reshape(8, 2, 64) <= scales[..., None] / 2 + 1e-6).all()
