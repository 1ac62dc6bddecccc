"""From a checkpoint to a bundle: `python -m vrsdk.distill.pack WORK models/pocket`."""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from vrsdk.distill.export import export
from vrsdk.distill.transformer import Shape
from vrsdk.runtime import bundle
from vrsdk.runtime.card import LANGUAGES
from vrsdk.runtime.prompt import Vocabulary

CONTEXT = 768  # tokens a sequence may hold: twice what it was trained on, 14 MB of keys and values a slot


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path, help="the folder that vrsdk.distill.train wrote")
    parser.add_argument("bundle", type=Path, help="the folder to write; its MODEL_CARD.md is left alone")
    parser.add_argument("--float32", action="store_true", help="without quantisation, to compare with")
    parser.add_argument("--figures", type=Path, help="JSON to put into the manifest, as the evaluation gives it")
    args = parser.parse_args()
    figures = json.loads(args.figures.read_text("utf-8")) if args.figures else {}
    pack(args.work, args.bundle, int8=not args.float32, figures=figures)
    print(f"wrote {args.bundle}")


def pack(work: Path, folder: Path, *, int8: bool, figures: dict[str, Any]) -> None:
    """Write model.onnx, tokenizer.json and manifest.json into `folder`."""
    saved = torch.load(work / "checkpoint.pt", weights_only=True, map_location="cpu")
    shape = Shape(**saved["shape"])
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(work / "tokenizer.json", folder / "tokenizer.json")
    export(saved["model"], shape, CONTEXT, folder / "model.onnx", int8=int8)
    sizes = asdict(shape)
    bundle.write(
        folder,
        name=folder.name,
        languages=list(LANGUAGES),
        licence="Apache-2.0",
        base="SmolLM2-135M-Instruct (Apache-2.0)",
        weights="int8, blocks of 64" if int8 else "float32",
        trained_steps=saved["step"],
        architecture={
            **{k: v for k, v in sizes.items() if isinstance(v, int)},
            "head_dim": shape.head_dim, "context": CONTEXT, "rope_theta": int(shape.rope_theta),
        },
        special_tokens=Vocabulary.load(folder / "tokenizer.json").special,
        figures=figures,
    )  # fmt: skip


if __name__ == "__main__":
    main()
