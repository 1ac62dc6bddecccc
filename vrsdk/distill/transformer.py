"""The model in PyTorch: a decoder of the Llama family, the same computation as the exported ONNX graph.

Axes: batch, new (tokens given), all (tokens attended to), heads, kv_heads, head_dim, d_model, d_ff, vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Shape:
    """The sizes of a model, as `manifest.json` states them."""

    vocabulary: int
    layers: int
    d_model: int
    heads: int
    kv_heads: int
    d_ff: int
    rope_theta: float = 100_000.0
    norm_eps: float = 1e-5

    @property
    def head_dim(self) -> int:
        return self.d_model // self.heads


class RMSNorm(nn.Module):
    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(size)), eps

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), self.weight, self.eps)


class Block(nn.Module):
    """Attention, then a gated feed-forward, each added to the stream."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        kv = shape.kv_heads * shape.head_dim
        self.attention_norm = RMSNorm(shape.d_model, shape.norm_eps)
        self.q = nn.Linear(shape.d_model, shape.d_model, bias=False)
        self.k = nn.Linear(shape.d_model, kv, bias=False)
        self.v = nn.Linear(shape.d_model, kv, bias=False)
        self.o = nn.Linear(shape.d_model, shape.d_model, bias=False)
        self.feed_norm = RMSNorm(shape.d_model, shape.norm_eps)
        self.gate = nn.Linear(shape.d_model, shape.d_ff, bias=False)
        self.up = nn.Linear(shape.d_model, shape.d_ff, bias=False)
        self.down = nn.Linear(shape.d_ff, shape.d_model, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        # x (batch, new, d_model); cos, sin (new, head_dim / 2)
        batch, new, _ = x.shape
        h = self.attention_norm(x)
        q = rotate(self.q(h).view(batch, new, self.shape.heads, -1).transpose(1, 2), cos, sin)
        k = rotate(self.k(h).view(batch, new, self.shape.kv_heads, -1).transpose(1, 2), cos, sin)
        v = self.v(h).view(batch, new, self.shape.kv_heads, -1).transpose(1, 2)
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        # attended (batch, heads, new, head_dim)
        x = x + self.o(attended.transpose(1, 2).reshape(batch, new, -1))
        h = self.feed_norm(x)
        added: Tensor = self.down(F.silu(self.gate(h)) * self.up(h))
        return x + added


class Transformer(nn.Module):
    """Token ids to logits; embedding and head are one matrix."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.d_model)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = RMSNorm(shape.d_model, shape.norm_eps)

    def hidden(self, tokens: Tensor, noise: float = 0.0) -> Tensor:
        """(batch, new) ids -> (batch, new, d_model) before the head, so that it runs only where it is wanted.

        `noise`: NEFTune's alpha, 0 outside training.
        """
        cos, sin = (t.to(tokens.device) for t in rope_table(self.shape, tokens.shape[1]))
        x = self.embedding(tokens)
        if noise:
            x = x + torch.empty_like(x).uniform_(-1, 1) * noise / (x.shape[1] * x.shape[2]) ** 0.5
        for block in self.blocks:
            x = block(x, cos, sin)
        return self.norm(x)  # type: ignore[no-any-return]

    def head(self, hidden: Tensor) -> Tensor:
        """(..., d_model) -> (..., vocabulary)."""
        return F.linear(hidden, self.embedding.weight)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.hidden(tokens))


def rope_table(shape: Shape, length: int) -> tuple[Tensor, Tensor]:
    """cos and sin, (length, head_dim / 2) each: RoFormer (arXiv:2104.09864), the two halves of a head rotated."""
    half = torch.arange(shape.head_dim // 2, dtype=torch.float32)
    angles = torch.outer(torch.arange(length, dtype=torch.float32), shape.rope_theta ** (-half / half.numel()))
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    # x (batch, heads, new, head_dim)
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)
