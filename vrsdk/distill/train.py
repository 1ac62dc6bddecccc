"""Fine-tune the cut model on the corpus: `python -m vrsdk.distill.train --help`. Resumes from its last checkpoint."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from vrsdk.distill import prune, public, smollm2
from vrsdk.distill import tokenizer as tok
from vrsdk.distill.corpus import Dialogue, Writer, encode
from vrsdk.distill.export import restore
from vrsdk.distill.transformer import Shape, Transformer
from vrsdk.runtime.bundle import Bundle
from vrsdk.runtime.card import LANGUAGES
from vrsdk.runtime.prompt import Vocabulary

BATCH, LENGTH = 4, 352  # dialogues a step, tokens a dialogue: the spike's, a little longer
PEAK, WARM_UP = 5e-4, 30  # learning rate and its steps of warm-up: the spike's
SAVE_EVERY = 100  # steps: some five minutes on two cores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path, help="folder for the tokenizer and the checkpoint")
    parser.add_argument("--data", type=Path, required=True, help="folder of the public data (see the model card)")
    parser.add_argument("--steps", type=int, default=3000, help=f"steps of {BATCH} dialogues of {LENGTH} tokens")
    parser.add_argument("--bundle", type=Path, help="go on from this bundle's weights where there is no checkpoint")
    parser.add_argument("--public", type=float, default=0.15, help="share of public dialogues, at the start; it halves")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    vocabulary, model, optimizer, first = start(args.work, args.data, args.bundle)
    samples = Samples(vocabulary, args.data, args.public, args.steps)
    train(model, optimizer, samples, first, args.steps, args.work)


def start(work: Path, data: Path, bundle: Path | None) -> tuple[Vocabulary, Transformer, torch.optim.Optimizer, int]:
    """The state to go on from: the checkpoint in `work`, else the bundle, else the pretrained base cut to size."""
    checkpoint, tokenizer_path = work / "checkpoint.pt", work / "tokenizer.json"
    if bundle and not tokenizer_path.exists():
        shutil.copyfile(bundle / "tokenizer.json", tokenizer_path)
    if not tokenizer_path.exists():
        base = smollm2.load(smollm2.find())
        tokenizer = tok.build(
            base, public.texts(data, "en"), public.texts(data, "zh"), en=10_500, zh_chars=4_300, zh_words=700
        )
        tok.save(tokenizer, tokenizer_path)
    vocabulary = Vocabulary.load(tokenizer_path)
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        model = Transformer(Shape(**saved["shape"]))
        model.load_state_dict(saved["model"])
        optimizer = adam(model)
        optimizer.load_state_dict(saved["optimizer"])
        return vocabulary, model, optimizer, saved["step"]
    if bundle:
        model = from_bundle(bundle)
        return vocabulary, model, adam(model), 0
    model = prune.cut(smollm2.load(smollm2.find()), vocabulary.tokenizer)
    return vocabulary, model, adam(model), 0


def from_bundle(folder: Path) -> Transformer:
    """A bundle's model, its int8 weights as float32. Raises BundleError."""
    sizes = Bundle.open(folder).architecture
    shape = Shape(**{k: sizes[k] for k in ("vocabulary", "layers", "d_model", "heads", "kv_heads", "d_ff")})
    model = Transformer(shape)
    model.load_state_dict(restore(folder / "model.onnx", shape))
    return model


def adam(model: Transformer) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), lr=PEAK, betas=(0.9, 0.95), weight_decay=0.01, fused=True)


class Samples:
    """The batch of a step, from its number alone: a resumed run sees what an unbroken one would."""

    def __init__(self, vocabulary: Vocabulary, data: Path, share: float, steps: int) -> None:
        self.vocabulary, self.share, self.steps = vocabulary, share, steps
        self.public: dict[str, list[Dialogue]] = {language: public.dialogues(data, language) for language in LANGUAGES}

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Ids (batch, length), and for each whether it is to be learnt, False where padded."""
        made = [self._one(step * BATCH + i) for i in range(BATCH)]
        length = max(len(ids) for ids, _ in made)
        tokens = torch.zeros(BATCH, length, dtype=torch.long)
        learnt = torch.zeros(BATCH, length, dtype=torch.bool)
        for row, (ids, mask) in enumerate(made):
            tokens[row, : len(ids)] = torch.tensor(ids)
            learnt[row, : len(ids)] = torch.tensor(mask)
        return tokens, learnt

    def _one(self, number: int) -> tuple[list[int], list[bool]]:
        rng = random.Random(number)
        language = LANGUAGES[number % len(LANGUAGES)]
        share = self.share * (2 if language == "zh" else 1)  # the base knows English, not Chinese
        if rng.random() < share / (1 + 2 * number / (self.steps * BATCH)):
            return encode(self.vocabulary, rng.choice(self.public[language]), LENGTH, learn_lines=language == "zh")
        return encode(self.vocabulary, Writer(language, number).dialogue(12), LENGTH)


def train(
    model: Transformer, optimizer: torch.optim.Optimizer, samples: Samples, first: int, steps: int, work: Path
) -> None:
    model.train()
    for step, loss, seen in losses(model, optimizer, samples, first, steps):
        if step % 10 == 0:
            left = (steps - step) / seen
            print(
                f"step {step}/{steps}  loss {loss:.3f}  {seen * BATCH * LENGTH:.0f} tokens/s  {left / 60:.0f} min left",
                flush=True,
            )
        if step % SAVE_EVERY == 0 or step == steps:
            save(model, optimizer, step, work / "checkpoint.pt")


def losses(
    model: Transformer, optimizer: torch.optim.Optimizer, samples: Samples, first: int, steps: int
) -> Iterator[tuple[int, float, float]]:
    """Train; yield the step, a running loss, and steps a second."""
    running, began = 0.0, time.monotonic()
    for step in range(first, steps):
        rate = PEAK * min(1.0, (step + 1) / WARM_UP) * (1 - step / steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        tokens, learnt = samples.batch(step)
        with torch.autocast("cpu", torch.bfloat16):
            hidden = model.hidden(tokens[:, :-1])[learnt[:, 1:]]  # the head only where a token is learnt
            loss = F.cross_entropy(model.head(hidden).float(), tokens[:, 1:][learnt[:, 1:]])
        loss.backward()  # type: ignore[no-untyped-call]  # torch annotates most, not this
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        running = loss.item() if step == first else 0.95 * running + 0.05 * loss.item()
        yield step + 1, running, (step + 1 - first) / (time.monotonic() - began)


def save(model: Transformer, optimizer: torch.optim.Optimizer, step: int, path: Path) -> None:
    new = path.with_suffix(".new")
    state = {
        "shape": asdict(model.shape),
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "step": step,
    }
    torch.save(state, new)
    os.replace(new, path)  # a kill leaves the old checkpoint or the new one, never half of one


if __name__ == "__main__":
    main()
