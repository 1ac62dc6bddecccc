"""The exported graph is the PyTorch model: in float32 to the last digits, in int8 in what it would say next."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from tests.conftest import POCKET
from vrsdk.distill.corpus import Writer, encode
from vrsdk.distill.export import export, quantized, restore
from vrsdk.distill.transformer import Shape, Transformer
from vrsdk.runtime.bundle import Bundle
from vrsdk.runtime.engine import Architecture, Engine
from vrsdk.runtime.prompt import Vocabulary
from vrsdk.runtime.runtime import load_engine


def pocket() -> Transformer:
    sizes = Bundle.open(POCKET).architecture
    shape = Shape(**{k: sizes[k] for k in ("vocabulary", "layers", "d_model", "heads", "kv_heads", "d_ff")})
    model = Transformer(shape).eval()
    model.load_state_dict(restore(POCKET / "model.onnx", shape))
    return model


def dialogues(vocabulary: Vocabulary, positions: int) -> list[list[int]]:
    """Token ids of unseen dialogues in both languages, `positions` in all."""
    found: list[list[int]] = []
    for seed in range(10**9, 10**9 + 100):
        found += [encode(vocabulary, Writer(language, seed).dialogue(8), 300)[0] for language in ("en", "zh")]
        if sum(map(len, found)) >= positions:
            return found
    raise AssertionError("too few dialogues")


def test_float32_graph_equals_pytorch(tmp_path: Path, vocabulary: Vocabulary) -> None:
    model = pocket()
    export(model.state_dict(), model.shape, 512, tmp_path / "model.onnx", int8=False)
    s = model.shape
    engine = Engine(tmp_path / "model.onnx", Architecture(s.vocabulary, s.layers, s.kv_heads, s.head_dim, 512), 1)
    tokens = dialogues(vocabulary, 200)[0]
    with torch.no_grad():
        wanted = model(torch.tensor([tokens]))[0].numpy()
    got = [engine.prefill(0, tokens[:40]).copy(), *(engine.step([0], [t])[0].copy() for t in tokens[40:])]
    assert np.abs(np.array(got) - wanted[39:]).max() < 1e-3


def test_int8_graph_says_what_pytorch_says(vocabulary: Vocabulary) -> None:
    """On 2,000 positions of dialogues; what the rounding of the weights costs, the manifest tells."""
    model, engine = pocket(), load_engine(Bundle.open(POCKET), slots=1)
    agree, total = 0, 0
    for tokens in dialogues(vocabulary, 2_000):
        with torch.no_grad():
            wanted = model(torch.tensor([tokens]))[0].argmax(-1).tolist()
        engine.rewind(0, 0)
        got = [
            int(engine.prefill(0, tokens[:1]).argmax()),
            *(int(engine.step([0], [t])[0].argmax()) for t in tokens[1:]),
        ]
        agree += sum(a == b for a, b in zip(got, wanted, strict=True))
        total += len(tokens)
    assert total >= 2_000
    assert agree / total >= 0.97, f"{agree} of {total}"


def test_quantising_errs_by_half_a_step_at_most() -> None:
    weight = np.random.default_rng(0).normal(size=(8, 128)).astype(np.float32)
    codes, scales = quantized(weight)
    back = (codes.astype(np.float32) - 128) * scales[..., None]
    assert (np.abs(back.reshape(weight.shape) - weight).reshape(8, 2, 64) <= scales[..., None] / 2 + 1e-6).all()
