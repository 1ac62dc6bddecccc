"""The ONNX graph, written straight from the weights: few, fused operators, past and present in one buffer.

    tokens (batch, new) int64, lengths (batch,) int32, longest () int32, past_<i>
        -> logits (batch, vocabulary), present_<i>

`lengths` is each sequence's length after the new tokens, less one; `longest` is the longest of them, not less one: so
GroupQueryAttention wants them. Weights are int8 in blocks of 64 with one float scale each, multiplied by MatMulNBits;
its activations are quantised row by row, so a sequence's logits don't depend on its neighbours in the batch.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from vrsdk.distill.transformer import Shape, rope_table

BLOCK = 64  # weights to one scale: divides d_model and d_ff of the base
ONNX_OPSET, IR_VERSION, CONTRIB = 20, 10, "com.microsoft"
Array = npt.NDArray[np.generic]


def export(state: dict[str, torch.Tensor], shape: Shape, context: int, path: Path, *, int8: bool) -> None:
    """Write the graph of these weights to `path`; `context` is how many tokens a sequence may hold."""
    weights = {name: tensor.detach().float().numpy() for name, tensor in state.items()}
    onnx.save(Graph(shape, context, int8).build(weights), path)


def quantized(weight: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """(rows, columns) -> uint8 (rows, blocks, BLOCK) around 128, and scales (rows, blocks)."""
    blocks = weight.reshape(weight.shape[0], -1, BLOCK)
    scale = np.maximum(np.abs(blocks).max(-1, keepdims=True) / 127, 1e-10)
    return (np.rint(blocks / scale) + 128).astype(np.uint8), scale[..., 0].astype(np.float32)


class Graph:
    """Collects nodes and tensors; each method adds one part and returns the name of its output."""

    def __init__(self, shape: Shape, context: int, int8: bool) -> None:
        self.shape, self.context, self.int8 = shape, context, int8
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: list[onnx.TensorProto] = []

    def build(self, weights: dict[str, npt.NDArray[np.float32]]) -> onnx.ModelProto:
        shape = self.shape
        cos, sin = rope_table(shape, self.context)
        self.tensor("cos", cos.numpy())
        self.tensor("sin", sin.numpy())
        x = self.embedding(weights["embedding.weight"])
        skip: str | None = None
        for i in range(shape.layers):
            block = {k.removeprefix(f"blocks.{i}."): w for k, w in weights.items() if k.startswith(f"blocks.{i}.")}
            x, skip = self.block(i, block, x, skip)
        x, _ = self.norm("norm", weights["norm.weight"], x, skip)
        x = self.node("Slice", [x, self.ints("minus_one", [-1]), self.ints("end", [2**31 - 1]), self.ints("one", [1])])
        x = self.node("Squeeze", [x, "one"])
        self.head(x)
        return self.model()

    def embedding(self, weight: npt.NDArray[np.float32]) -> str:
        if not self.int8:
            return self.node("Gather", [self.tensor("embedding", weight), "tokens"])
        codes, scales = quantized(weight)
        rows = self.node("Gather", [self.tensor("embedding", codes), "tokens"])  # (batch, new, blocks, BLOCK)
        rows = self.node("Sub", [self.cast(rows), self.tensor("middle", np.float32(128))])
        scale = self.node("Gather", [self.tensor("embedding_scales", scales), "tokens"])
        scale = self.node("Unsqueeze", [scale, self.ints("last", [-1])])
        rows = self.node("Mul", [rows, scale])
        return self.node("Reshape", [rows, self.ints("flat", [0, 0, self.shape.d_model])])

    def block(self, i: int, w: dict[str, npt.NDArray[np.float32]], x: str, skip: str | None) -> tuple[str, str]:
        shape = self.shape
        h, x = self.norm(f"attention_norm_{i}", w["attention_norm.weight"], x, skip)
        qkv = self.matmul(f"qkv_{i}", np.concatenate([w["q.weight"], w["k.weight"], w["v.weight"]]), h)
        attended = self.node(
            "GroupQueryAttention",
            [qkv, "", "", f"past_{2 * i}", f"past_{2 * i + 1}", "lengths", "longest", "cos", "sin"],
            outputs=[f"attended_{i}", f"present_{2 * i}", f"present_{2 * i + 1}"],
            domain=CONTRIB, num_heads=shape.heads, kv_num_heads=shape.kv_heads, do_rotary=1, rotary_interleaved=0,
        )  # fmt: skip
        out = self.matmul(f"o_{i}", w["o.weight"], attended)
        h, x = self.norm(f"feed_norm_{i}", w["feed_norm.weight"], out, x)
        both = self.matmul(f"gate_up_{i}", np.concatenate([w["gate.weight"], w["up.weight"]]), h)
        gate, up = f"gate_{i}", f"up_{i}"
        self.node("Split", [both], outputs=[gate, up], axis=-1, num_outputs=2)
        silu = self.node("QuickGelu", [gate], domain=CONTRIB, alpha=1.0)
        return self.matmul(f"down_{i}", w["down.weight"], self.node("Mul", [silu, up])), x

    def norm(self, name: str, gain: Array, x: str, skip: str | None) -> tuple[str, str]:
        """RMS norm of x + skip; returns the norm and the sum."""
        gain_name = self.tensor(name, gain)
        if skip is None:
            return self.node("SimplifiedLayerNormalization", [x, gain_name], epsilon=self.shape.norm_eps, axis=-1), x
        normed, total = f"{name}_out", f"{name}_sum"
        self.node(
            "SkipSimplifiedLayerNormalization", [x, skip, gain_name],
            outputs=[normed, "", "", total], domain=CONTRIB, epsilon=self.shape.norm_eps,
        )  # fmt: skip
        return normed, total

    def matmul(self, name: str, weight: npt.NDArray[np.float32], x: str, output: str | None = None) -> str:
        """x (..., columns) times weight (rows, columns), transposed."""
        outputs = [output or f"{name}_out"]
        if not self.int8:
            transposed = self.tensor(name, np.ascontiguousarray(weight.T))
            return self.node("MatMul", [x, transposed], outputs=outputs)
        codes, scales = quantized(weight)
        return self._nbits(x, self.tensor(name, codes), self.tensor(f"{name}_scales", scales), weight.shape, outputs)

    def head(self, x: str) -> None:
        """The embedding once more, as the matrix of the logits."""
        rows, columns = self.shape.vocabulary, self.shape.d_model
        if self.int8:
            self._nbits(x, "embedding", "embedding_scales", (rows, columns), ["logits"])
        else:
            self.node("Gemm", [x, "embedding"], outputs=["logits"], transB=1)

    def _nbits(self, x: str, codes: str, scales: str, size: tuple[int, ...], outputs: list[str]) -> str:
        return self.node(
            "MatMulNBits", [x, codes, scales], outputs=outputs, domain=CONTRIB,
            N=size[0], K=size[1], bits=8, block_size=BLOCK, accuracy_level=4,
        )  # fmt: skip

    # ---- bookkeeping --------------------------------------------------------------------------------

    def node(
        self, op: str, inputs: list[str], outputs: list[str] | None = None, domain: str = "", **attributes: object
    ) -> str:
        outputs = outputs or [f"{op}_{len(self.nodes)}"]
        self.nodes.append(helper.make_node(op, inputs, outputs, name=outputs[0], domain=domain, **attributes))
        return outputs[0]

    def tensor(self, name: str, value: Array | np.float32) -> str:
        self.tensors.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def ints(self, name: str, values: list[int]) -> str:
        return self.tensor(name, np.array(values, dtype=np.int64))

    def cast(self, x: str) -> str:
        return self.node("Cast", [x], to=TensorProto.FLOAT)

    def model(self) -> onnx.ModelProto:
        shape = self.shape
        kv = ["batch", shape.kv_heads, self.context, shape.head_dim]
        info = helper.make_tensor_value_info
        inputs = [
            info("tokens", TensorProto.INT64, ["batch", "new"]),
            info("lengths", TensorProto.INT32, ["batch"]),
            info("longest", TensorProto.INT32, []),
            *(info(f"past_{i}", TensorProto.FLOAT, kv) for i in range(2 * shape.layers)),
        ]
        outputs = [
            info("logits", TensorProto.FLOAT, ["batch", shape.vocabulary]),
            *(info(f"present_{i}", TensorProto.FLOAT, kv) for i in range(2 * shape.layers)),
        ]
        graph = helper.make_graph(self.nodes, "vrsdk", inputs, outputs, self.tensors)
        opsets = [helper.make_opsetid("", ONNX_OPSET), helper.make_opsetid(CONTRIB, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="vrsdk")


def restore(model: Path, shape: Shape) -> dict[str, torch.Tensor]:
    """The weights of an int8 graph that `export` wrote, as float32 under the Transformer's names."""
    found = {t.name: numpy_helper.to_array(t) for t in onnx.load(model).graph.initializer}

    def matrix(name: str) -> npt.NDArray[np.float32]:
        codes, scales = found[name], found[f"{name}_scales"]
        weight: npt.NDArray[np.float32] = (codes.astype(np.float32) - 128) * scales[..., None]
        return weight.reshape(codes.shape[0], -1)

    kv = shape.kv_heads * shape.head_dim
    state = {"embedding.weight": matrix("embedding"), "norm.weight": found["norm"]}
    for i in range(shape.layers):
        q, k, v = np.split(matrix(f"qkv_{i}"), [shape.d_model, shape.d_model + kv])
        gate, up = np.split(matrix(f"gate_up_{i}"), 2)
        parts = {
            "attention_norm": found[f"attention_norm_{i}"], "q": q, "k": k, "v": v, "o": matrix(f"o_{i}"),
            "feed_norm": found[f"feed_norm_{i}"], "gate": gate, "up": up, "down": matrix(f"down_{i}"),
        }  # fmt: skip
        state |= {f"blocks.{i}.{name}.weight": array for name, array in parts.items()}
    return {name: torch.tensor(array) for name, array in state.items()}
