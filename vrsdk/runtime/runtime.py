"""`Runtime`: the model, loaded in the background, and the characters that share it."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType

from vrsdk.errors import BundleError, UsageError
from vrsdk.runtime import bundle as bundles
from vrsdk.runtime import conversation
from vrsdk.runtime.budget import Clock, FrameBudget, LatencyBudget
from vrsdk.runtime.bundle import Bundle
from vrsdk.runtime.card import NpcCard
from vrsdk.runtime.conversation import State
from vrsdk.runtime.engine import Architecture, Engine
from vrsdk.runtime.npc import Npc
from vrsdk.runtime.prompt import Vocabulary
from vrsdk.runtime.sampling import Sampling
from vrsdk.runtime.scheduler import Scheduler

SLOTS = 8  # characters kept warm; bench/results/speed.json gives what each costs in memory


class Runtime:
    """One model and its inference thread.

    `bundle` is a folder, by default the one that comes with vrsdk. What its manifest shows to be wrong raises
    BundleError here; what only loading shows is in `error`, and every reply then comes from the card's own lines.
    """

    def __init__(
        self,
        bundle: str | Path | None = None,
        *,
        budget: LatencyBudget | None = None,
        sampling: Sampling | None = None,
        slots: int = SLOTS,
        clock: Clock = time.monotonic,
    ) -> None:
        if not 1 <= slots <= 64:
            raise UsageError(f"Runtime(slots={slots!r}): from 1 to 64 characters can be kept warm.")
        self.bundle = Bundle.open(bundle if bundle is not None else bundles.default_path())
        self.budget, self.sampling = budget or LatencyBudget(), sampling or Sampling()
        self._slots, self._clock, self._closed = slots, clock, False
        self._frame = FrameBudget(clock, self.budget.per_frame)
        self._vocabulary: Vocabulary | None = None
        self._scheduler = Scheduler(self._load, self._frame, self.budget, clock)

    def npc(self, card: str | Path | NpcCard, *, session: str | Path | None = None) -> Npc:
        """A character, from a card or its TOML file, going on from a saved `session`.

        Raises CardError, SessionFileError. May be called before the model is loaded.
        """
        if self._closed:
            raise UsageError("npc() on a closed Runtime. Make a new one.")
        card = card if isinstance(card, NpcCard) else NpcCard.load(card)
        state = conversation.load(session, card) if session is not None else State()
        return Npc(card, state, self._scheduler, self.budget, self.sampling, self._model, self._clock)

    def grant(self, seconds: float) -> None:
        """From the frame loop: the model may use `seconds` before the next frame. Once called, it uses no more."""
        self._frame.grant(seconds)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the model is loaded, at most `timeout` seconds; whether it is. Nobody has to: `say` waits too.

        Raises the BundleError or EngineError that kept it from loading.
        """
        arrived = self._scheduler.ready.wait(timeout)
        if self._scheduler.error is not None:
            raise self._scheduler.error
        return arrived

    @property
    def ready(self) -> bool:
        """Whether the model is loaded and in order."""
        return self._scheduler.ready.is_set() and self._scheduler.error is None

    @property
    def error(self) -> Exception | None:
        """What kept the model from loading."""
        return self._scheduler.error

    def close(self) -> None:
        """End the inference thread. Turns that still wait are answered from the card's own lines."""
        if not self._closed:
            self._closed = True
            self._scheduler.close()

    def __enter__(self) -> Runtime:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _load(self) -> tuple[Engine, Vocabulary]:
        """On the inference thread: check the files, then open them."""
        self.bundle.verify()
        vocabulary = load_vocabulary(self.bundle)
        engine = load_engine(self.bundle, self._slots)
        engine.prefill(0, [vocabulary.special["card"]])  # the first pass is slow: onnxruntime plans its memory
        engine.rewind(0, 0)
        self._vocabulary = vocabulary
        return engine, vocabulary

    def _model(self) -> tuple[Vocabulary, int]:
        assert self._vocabulary is not None, "the scheduler asks for prompts only once it has loaded"
        return self._vocabulary, self.bundle.architecture["context"]


def load_vocabulary(bundle: Bundle) -> Vocabulary:
    """The bundle's tokenizer. Raises BundleError where it doesn't fit the manifest."""
    try:
        vocabulary = Vocabulary.load(bundle.tokenizer)
    except Exception as error:  # the tokenizers library raises bare Exception
        raise BundleError(str(bundle.tokenizer), f"can't be read: {error}. Copy the bundle again.") from error
    if vocabulary.special != bundle.special_tokens or vocabulary.size > bundle.architecture["vocabulary"]:
        raise BundleError(
            str(bundle.tokenizer), "doesn't fit the special tokens of manifest.json. Copy the bundle again."
        )
    return vocabulary


def load_engine(bundle: Bundle, slots: int = SLOTS) -> Engine:
    """The bundle's model. Raises EngineError where onnxruntime can't load it."""
    a = bundle.architecture
    sizes = Architecture(a["vocabulary"], a["layers"], a["kv_heads"], a["head_dim"], a["context"])
    return Engine(bundle.model, sizes, slots)
