"""Runs the model: token ids in, logits out, the keys and values of every sequence kept in its slot.

Knows nothing of cards or words. All buffers are taken once, at the start; a step allocates nothing in proportion to the
context. Not thread-safe: one thread owns an engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from vrsdk.errors import ContextFull, EngineError

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Architecture:
    """The sizes that the engine needs, as `manifest.json` states them."""

    vocabulary: int
    layers: int
    kv_heads: int
    head_dim: int
    context: int  # tokens that one sequence may hold


class Engine:
    """`slots` sequences over one set of weights."""

    def __init__(self, model: Path, architecture: Architecture, slots: int = 8) -> None:
        self.architecture, self.slots = architecture, slots
        self._session = _session(model)
        a = architecture
        _check(self._session, model, architecture)
        # past and present of layer i are kv[2i] (keys) and kv[2i + 1] (values): (slots, kv_heads, context, head_dim).
        # Zeroed pages cost no memory until a token is written to them.
        kv_shape = (slots, a.kv_heads, a.context, a.head_dim)
        self._kv = [np.zeros(kv_shape, np.float32) for _ in range(2 * a.layers)]
        self._lengths = [0] * slots  # tokens held by each slot
        self._bound: dict[tuple[int, int], _Step] = {}
        self._prefill_logits = np.empty((1, a.vocabulary), np.float32)

    def length(self, slot: int) -> int:
        """How many tokens `slot` holds."""
        return self._lengths[slot]

    def rewind(self, slot: int, length: int) -> None:
        """Forget what `slot` holds after its first `length` tokens."""
        if not 0 <= length <= self._lengths[slot]:
            raise ValueError(f"slot {slot} holds {self._lengths[slot]} tokens, can't be rewound to {length}")
        self._lengths[slot] = length

    def prefill(self, slot: int, tokens: Sequence[int]) -> FloatArray:
        """Read `tokens` into `slot` in one pass; return the logits after the last of them.

        Returns float32 (vocabulary,): the engine's own buffer, valid until the next call.
        Raises ContextFull if the slot can't hold them; the slot is then unchanged.
        """
        if not tokens:
            raise ValueError("prefill of no tokens")
        end = self._room(slot, len(tokens))
        ids = np.asarray([tokens], np.int64)
        lengths = np.array([end - 1], np.int32)
        longest = np.array(end, np.int32)
        binding = self._binding(slot, 1, ids, lengths, longest, self._prefill_logits)
        self._run(binding)
        self._lengths[slot] = end
        logits: FloatArray = self._prefill_logits[0]
        return logits

    def step(self, slots: Sequence[int], tokens: Sequence[int]) -> FloatArray:
        """Append one token to each of `slots`, as few passes as pay; return the logits after them.

        `slots` ascend. Returns float32 (len(slots), vocabulary), valid until the next call.
        Raises ContextFull if one of them is full; all are then unchanged.
        """
        for slot in slots:
            self._room(slot, 1)
        rows = []
        for first, last in spans(slots):
            rows.append(self._span(first, last, dict(zip(slots, tokens, strict=True))))
        return rows[0] if len(rows) == 1 else np.concatenate(rows)

    def _span(self, first: int, last: int, given: dict[int, int]) -> FloatArray:
        """One pass over the slots first..last. Those without a token compute on a dummy beyond their end."""
        count = last - first + 1
        step = self._bound.get((first, count))
        if step is None:
            step = self._bound[first, count] = self._new_step(first, count)
        for row, slot in enumerate(range(first, last + 1)):
            step.tokens[row, 0] = given.get(slot, 0)
            step.lengths[row] = min(self._lengths[slot], self.architecture.context - 1)
        step.longest[...] = int(step.lengths.max()) + 1
        self._run(step.binding)
        wanted = [row for row in range(count) if first + row in given]
        for row in wanted:
            self._lengths[first + row] += 1
        return step.logits if len(wanted) == count else step.logits[wanted]

    def _new_step(self, first: int, count: int) -> _Step:
        tokens, lengths = np.zeros((count, 1), np.int64), np.zeros(count, np.int32)
        longest, logits = np.array(0, np.int32), np.empty((count, self.architecture.vocabulary), np.float32)
        return _Step(tokens, lengths, longest, logits, self._binding(first, count, tokens, lengths, longest, logits))

    def _binding(
        self, first: int, count: int, tokens: npt.NDArray[np.int64], lengths: npt.NDArray[np.int32],
        longest: npt.NDArray[np.int32], logits: FloatArray,
    ) -> ort.IOBinding:  # fmt: skip
        """Bind the arrays themselves, not copies: a bound step is used again by writing into them."""
        binding = self._session.io_binding()
        for name, array in (("tokens", tokens), ("lengths", lengths), ("longest", longest)):
            binding.bind_input(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)
        for i, kv in enumerate(self._kv):
            rows = kv[first : first + count]
            binding.bind_input(f"past_{i}", "cpu", 0, rows.dtype, rows.shape, rows.ctypes.data)
            binding.bind_output(f"present_{i}", "cpu", 0, rows.dtype, rows.shape, rows.ctypes.data)
        binding.bind_output("logits", "cpu", 0, logits.dtype, logits.shape, logits.ctypes.data)
        return binding

    def _room(self, slot: int, new: int) -> int:
        end = self._lengths[slot] + new
        if end > self.architecture.context:
            raise ContextFull(
                f"slot {slot} holds {self._lengths[slot]} tokens of {self.architecture.context}, {new} more don't fit"
            )
        return end

    def _run(self, binding: ort.IOBinding) -> None:
        try:
            self._session.run_with_iobinding(binding)
        except Exception as error:  # onnxruntime raises a dozen types of its own, none with a common root
            raise EngineError(f"onnxruntime failed in a pass of the model: {error}") from error


@dataclass(frozen=True)
class _Step:
    """A decode step over neighbouring slots, bound once: tokens (count, 1), lengths (count,), logits (count, ...)."""

    tokens: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int32]
    longest: npt.NDArray[np.int32]
    logits: FloatArray
    binding: ort.IOBinding


def spans(slots: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbouring slots to compute in one pass, first and last; a gap of one is cheaper computed than split."""
    found: list[tuple[int, int]] = []
    for slot in slots:
        if found and slot - found[-1][1] <= 2:
            found[-1] = (found[-1][0], slot)
        else:
            found.append((slot, slot))
    return found


def _check(session: ort.InferenceSession, model: Path, a: Architecture) -> None:
    """The graph's own sizes against the manifest's: a pass over wrong ones would write beyond its buffers."""
    kv: list[str | int] = ["batch", a.kv_heads, a.context, a.head_dim]
    wanted: dict[str, list[str | int]] = {"tokens": ["batch", "new"], "lengths": ["batch"], "longest": []}
    wanted |= {f"past_{i}": kv for i in range(2 * a.layers)}
    found = {node.name: node.shape for node in session.get_inputs()}
    if found != wanted or session.get_outputs()[0].shape != ["batch", a.vocabulary]:
        raise EngineError(f"{model}: the model's sizes are not those of manifest.json. Copy the bundle again.")


def _session(model: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Two spinning threads lost 193 of 900 frames of a 90 Hz loop, one that sleeps lost none (DESIGN, section 6).
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # as above
        raise EngineError(f"{model}: onnxruntime {ort.__version__} can't load it: {error}") from error
