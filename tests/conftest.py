"""Real things made small: a bundle of a few random weights over the real tokenizer, characters on it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from hypothesis import settings

import vrsdk
from vrsdk.distill.export import export
from vrsdk.distill.transformer import Shape, Transformer
from vrsdk.runtime import bundle
from vrsdk.runtime.prompt import Vocabulary

ROOT = Path(__file__).resolve().parents[1]
POCKET = ROOT / "models" / "pocket"
CONTEXT = 512

settings.register_profile("ci", deadline=None, derandomize=bool(os.environ.get("CI")), print_blob=True)
settings.load_profile("ci")


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    return Vocabulary.load(POCKET / "tokenizer.json")


@pytest.fixture(scope="session")
def tiny_model(vocabulary: Vocabulary) -> Transformer:
    torch.manual_seed(0)
    shape = Shape(vocabulary.size, layers=2, d_model=64, heads=4, kv_heads=2, d_ff=128)
    model = Transformer(shape).eval()
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.2)
    return model


@pytest.fixture(scope="session")
def tiny(tiny_model: Transformer, vocabulary: Vocabulary, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole bundle of 1 MB that says nothing sensible, quickly."""
    folder = tmp_path_factory.mktemp("bundles") / "tiny"
    folder.mkdir()
    shutil.copyfile(POCKET / "tokenizer.json", folder / "tokenizer.json")
    export(tiny_model.state_dict(), tiny_model.shape, CONTEXT, folder / "model.onnx", int8=True)
    sizes = {k: v for k, v in asdict(tiny_model.shape).items() if isinstance(v, int)}
    bundle.write(
        folder,
        name="tiny",
        languages=["en", "zh"],
        architecture={**sizes, "head_dim": tiny_model.shape.head_dim, "context": CONTEXT},
        special_tokens=vocabulary.special,
    )
    return folder


@pytest.fixture
def broken(tiny: Path, tmp_path: Path) -> Path:
    """A copy of the tiny bundle, to be damaged."""
    return Path(shutil.copytree(tiny, tmp_path / "broken"))


@pytest.fixture
def runtime(tiny: Path) -> Iterator[vrsdk.Runtime]:
    with vrsdk.Runtime(tiny, budget=vrsdk.LatencyBudget(total=60)) as opened:
        yield opened


@pytest.fixture
def card() -> vrsdk.NpcCard:
    return vrsdk.NpcCard.from_table(
        {
            "name": "Mira Holt",
            "role": "innkeeper",
            "place": "the Gilded Goose",
            "tone": "warm",
            "facts": [
                "A room costs three silver.",
                "Breakfast is served at seven.",
                {"text": "The key to the vault is in the well.", "when": "trusts_player"},
            ],
            "actions": ["give", "nod"],
            "fallback_lines": ["Give me a moment.", "Where was I?"],
            "thinking_lines": ["Hm..."],
        }
    )
