"""Train on the corpus: `python -m vrsdk.distill.train --help`. Resumes from its last checkpoint."""

from __future__ import annotations

import argparse
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader

from vrsdk.distill import prune, public, smollm2
from vrsdk.distill import tokenizer as tok
from vrsdk.distill.export import restore
from vrsdk.distill.samples import Mixture, Samples
from vrsdk.distill.transformer import Shape, Transformer
from vrsdk.runtime.bundle import Bundle
from vrsdk.runtime.prompt import Vocabulary

WARM_UP = 30  # steps until the learning rate has risen to its peak


@dataclass(frozen=True)
class Plan:
    """How to train. The defaults are for two CPU cores; the model card tells with which figures a bundle was made."""

    steps: int = 3000
    minutes: float | None = None  # instead of steps: the learning rate then falls with the clock
    batch: int = 4
    length: int = 352
    peak: float = 5e-4  # learning rate
    noise: float = 5.0  # NEFTune (arXiv:2310.05914): so much noise on the embeddings, against learning lines by heart
    distil: float = 1.0  # weight of the teacher's distribution beside the corpus's own words, where there is a teacher
    save_every: int = 100  # steps
    workers: int = 0  # processes that make samples
    device: str = "cpu"

    def progress(self, step: int, seconds: float) -> float:
        return step / self.steps if self.minutes is None else seconds / (60 * self.minutes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("work", type=Path, help="folder for the tokenizer and the checkpoint")
    parser.add_argument("--data", type=Path, required=True, help="folder of the public data (see the model card)")
    parser.add_argument("--bundle", type=Path, help="go on from this bundle's weights where there is no checkpoint")
    parser.add_argument("--whole", action="store_true", help="keep every layer of the base: a teacher")
    parser.add_argument("--teacher", type=Path, help="checkpoint of a teacher, to learn from what it would say")
    parser.add_argument("--public", type=float, default=Mixture.public, help="share of public dialogues")
    parser.add_argument("--text", type=float, default=Mixture.text, help="share of plain text")
    for name, default in asdict(Plan()).items():
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=float if default is None else type(default),
            default=default,
            help="see Plan",
        )
    args = parser.parse_args()
    plan = Plan(**{name: getattr(args, name) for name in asdict(Plan())})
    args.work.mkdir(parents=True, exist_ok=True)
    teacher = load(args.teacher)[0].to(plan.device) if args.teacher else None
    vocabulary, model, optimizer, first = start(args.work, args.data, args.bundle, plan, teacher, whole=args.whole)
    mixture = Mixture(public=args.public, text=args.text)
    samples = Samples(vocabulary, args.data, mixture, plan.batch, plan.length, first)
    train(model, optimizer, samples, plan, args.work, teacher)


def start(
    work: Path, data: Path, bundle: Path | None, plan: Plan, teacher: Transformer | None = None, *, whole: bool = False
) -> tuple[Vocabulary, Transformer, torch.optim.Optimizer, int]:
    """The state to go on from: the checkpoint in `work`, else the bundle, else the teacher or the base cut to size."""
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
        model, saved = load(checkpoint)
        optimizer = adam(model.to(plan.device), plan.peak)
        optimizer.load_state_dict(saved["optimizer"])
        return vocabulary, model, optimizer, saved["step"]
    if bundle:
        model = from_bundle(bundle)
    elif teacher:
        model = prune.shorten(teacher)
    else:
        base = smollm2.load(smollm2.find())
        model = prune.cut(base, vocabulary.tokenizer, range(base.layers) if whole else prune.KEPT)
    return vocabulary, model, adam(model.to(plan.device), plan.peak), 0


def load(checkpoint: Path) -> tuple[Transformer, dict[str, Any]]:
    """The model of a checkpoint, on the CPU, and the checkpoint."""
    saved = torch.load(checkpoint, weights_only=True, map_location="cpu")
    model = Transformer(Shape(**saved["shape"]))
    model.load_state_dict(saved["model"])
    return model, saved


def from_bundle(folder: Path) -> Transformer:
    """A bundle's model, its int8 weights as float32. Raises BundleError."""
    sizes = Bundle.open(folder).architecture
    shape = Shape(**{k: sizes[k] for k in ("vocabulary", "layers", "d_model", "heads", "kv_heads", "d_ff")})
    model = Transformer(shape)
    model.load_state_dict(restore(folder / "model.onnx", shape))
    return model


def adam(model: Transformer, peak: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), lr=peak, betas=(0.9, 0.95), weight_decay=0.01, fused=True)


def train(
    model: Transformer, optimizer: torch.optim.Optimizer, samples: Samples, plan: Plan, work: Path,
    teacher: Transformer | None = None,
) -> None:  # fmt: skip
    model.train()
    if plan.device != "cpu":
        for block in (*model.blocks, *(teacher.blocks if teacher else ())):
            block.compile()
    step = samples.first
    for step, loss, rate, done in losses(model, optimizer, samples, plan, teacher):
        if step % 10 == 0:
            tokens = rate * plan.batch * plan.length
            print(f"step {step}  {done:.1%}  loss {loss.item():.3f}  {tokens:.0f} tokens/s", flush=True)
        if step % plan.save_every == 0:
            save(model, optimizer, step, work / "checkpoint.pt")
    save(model, optimizer, step, work / "checkpoint.pt")


def losses(
    model: Transformer, optimizer: torch.optim.Optimizer, samples: Samples, plan: Plan, teacher: Transformer | None
) -> Iterator[tuple[int, Tensor, float, float]]:
    """Train; yield the step, a running loss, steps a second and the share of the training that is done.

    The loss stays on the device: to read it is to wait for the step to end there.
    """
    loader = DataLoader(samples, batch_size=None, num_workers=plan.workers, pin_memory=plan.device != "cpu")
    running, began, done = torch.zeros((), device=plan.device), time.monotonic(), 0.0
    for step, (tokens, weights) in enumerate(loader, samples.first):
        done = plan.progress(step, time.monotonic() - began)
        if done >= 1:
            return
        for group in optimizer.param_groups:
            group["lr"] = plan.peak * min(1.0, (step + 1) / WARM_UP) * (1 - done)
        loss = _loss(model, tokens.to(plan.device), weights.to(plan.device), plan, teacher)
        loss.backward()  # type: ignore[no-untyped-call]  # torch annotates most, not this
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        running = loss.detach() if step == samples.first else 0.95 * running + 0.05 * loss.detach()
        yield step + 1, running, (step + 1 - samples.first) / (time.monotonic() - began), done


def _loss(model: Transformer, tokens: Tensor, weights: Tensor, plan: Plan, teacher: Transformer | None) -> Tensor:
    """Weighted cross-entropy, and beside it the divergence from the teacher. tokens, weights: (batch, length)."""
    told, weigh = tokens[:, :-1], weights[:, 1:]
    where = weigh > 0  # the head runs only where something is learnt
    weigh = weigh[where]
    with torch.autocast(tokens.device.type, torch.bfloat16):
        logits = model.head(model.hidden(told, plan.noise)[where])
        if teacher:
            with torch.no_grad():
                wanted = teacher.head(teacher.hidden(told)[where])
    loss = F.cross_entropy(logits.float(), tokens[:, 1:][where], reduction="none")
    if teacher:
        ours, theirs = (F.log_softmax(x.float(), -1) for x in (logits, wanted))
        loss = loss + plan.distil * F.kl_div(ours, theirs, reduction="none", log_target=True).sum(-1)
    return (loss * weigh).sum() / weigh.sum()


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
