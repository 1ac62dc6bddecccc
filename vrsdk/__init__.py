"""Characters of a VR world that talk, from a model on the device, beside the frame loop."""

from typing import TYPE_CHECKING, Any

from vrsdk.errors import (
    BundleError,
    CallOrderError,
    CardError,
    ContextFull,
    EngineError,
    SessionFileError,
    SessionLost,
    UsageError,
    VrsdkError,
    XrError,
)

if TYPE_CHECKING:
    from vrsdk.runtime.budget import LatencyBudget
    from vrsdk.runtime.card import Fact, NpcCard
    from vrsdk.runtime.npc import Npc
    from vrsdk.runtime.reply import Action, Done, Emotion, Event, Reply, Text, Thinking, Timing
    from vrsdk.runtime.runtime import Runtime
    from vrsdk.runtime.sampling import Sampling

__version__ = "0.1.0"

# Loaded when first used: `import vrsdk` alone must cost a game nothing (bench/results/speed.json).
_HOME = {
    "Runtime": "runtime", "Npc": "npc", "NpcCard": "card", "Fact": "card", "LatencyBudget": "budget",
    "Sampling": "sampling", "Reply": "reply", "Event": "reply", "Emotion": "reply", "Text": "reply",
    "Action": "reply", "Thinking": "reply", "Done": "reply", "Timing": "reply",
}  # fmt: skip

__all__ = [
    "Action", "BundleError", "CallOrderError", "CardError", "ContextFull", "Done", "Emotion", "EngineError", "Event",
    "Fact", "LatencyBudget", "Npc", "NpcCard", "Reply", "Runtime", "Sampling", "SessionFileError", "SessionLost",
    "Text", "Thinking", "Timing", "UsageError", "VrsdkError", "XrError", "__version__",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'vrsdk' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"vrsdk.runtime.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
