"""The one inference thread: reads prompts and steps all speaking characters as one batch, inside what frames grant."""

from __future__ import annotations

import codecs
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from vrsdk.errors import EngineError, VrsdkError
from vrsdk.runtime.budget import Clock, FrameBudget, LatencyBudget
from vrsdk.runtime.engine import Engine, FloatArray
from vrsdk.runtime.prompt import Vocabulary
from vrsdk.runtime.reply import DEVICE, SCRIPTED, Action, Done, Emotion, Event, Reply, Text, Timing
from vrsdk.runtime.sampling import BODY, EMOTION, OPENING, OVER, Sampler

PASSES = (16, 8, 4, 2, 1)  # tokens read in one pass, which can't be interrupted: the most that the grant has room for
MAX_TURNS = 64  # turns that may wait at once; one more is answered from the card's own lines
NICENESS = 10  # below the frame loop's: with it a 90 Hz loop lost no frame (DESIGN, section 6)


class Character(Protocol):
    """What the scheduler needs of an Npc. All three are called on the inference thread."""

    @property
    def key(self) -> int: ...

    def prompt(self, reply: Reply | None) -> list[int]:
        """The token ids up to where the reply begins; for None those of the card, to be kept warm."""

    def sampler(self) -> Sampler: ...

    def fallback(self) -> tuple[str, str]:
        """An emotion and a line of the card's own."""


@dataclass
class Turn:
    """A line on its way to an answer; with no reply, a card to be kept warm."""

    character: Character
    reply: Reply | None
    asked: float
    slot: int = -1
    pending: list[int] = field(default_factory=list)  # tokens still to be read
    prefilled: int = 0
    sampler: Sampler | None = None
    decoder: codecs.IncrementalDecoder = field(default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace"))
    first_token: float | None = None
    words: int = 0

    @property
    def cancelled(self) -> bool:
        return self.reply is not None and self.reply.cancelled


class Slots:
    """Which character's tokens each slot of the engine holds; the least recently used one is given away."""

    def __init__(self, count: int) -> None:
        self.held: list[list[int]] = [[] for _ in range(count)]  # the tokens read into each slot
        self._owner: list[int | None] = [None] * count
        self._used = [0] * count
        self._now = 0

    def take(self, key: int, busy: set[int]) -> int | None:
        """The slot for `key`, its own if it still has one; None while all are busy."""
        free = [s for s in range(len(self.held)) if s not in busy]
        if not free:
            return None
        own = [s for s in free if self._owner[s] == key]
        slot = own[0] if own else min(free, key=lambda s: self._used[s])
        if not own:
            self.held[slot], self._owner[slot] = [], key
        self._now += 1
        self._used[slot] = self._now
        return slot


class Scheduler:
    """Owns the engine. `load` runs first, on the thread; what it raises answers every turn from the card's lines."""

    def __init__(
        self, load: Callable[[], tuple[Engine, Vocabulary]], frame: FrameBudget, budget: LatencyBudget, clock: Clock
    ) -> None:
        self._load, self._frame, self._budget, self._clock = load, frame, budget, clock
        self._new: deque[Turn] = deque()
        self._turns: list[Turn] = []  # those that hold a slot
        self._wake = threading.Condition()
        self._closing = False
        self.ready = threading.Event()
        self.error: VrsdkError | None = None
        # Seconds of a pass, learnt while running: a prefill of n tokens, a step of n sequences. The first are guesses.
        self._prefill_cost = {n: 0.002 + 0.0003 * n for n in PASSES}
        self._step_cost: dict[int, float] = {}
        self._thread = threading.Thread(target=self._run, name="vrsdk-inference", daemon=True)
        self._thread.start()

    def submit(self, turn: Turn) -> None:
        """Queue a turn; never waits for the model."""
        with self._wake:
            if len(self._new) < MAX_TURNS and not self._closing:
                self._new.append(turn)
                self._wake.notify()
                return
        self._script(turn, "the runtime is closed" if self._closing else f"{MAX_TURNS} turns wait already")

    def close(self) -> None:
        """End the thread; turns that still wait are answered from the card's own lines."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._frame.grant(0.0)
        self._thread.join()

    # ---- the inference thread -----------------------------------------------------------------------

    def _run(self) -> None:
        _lower_priority()
        try:
            self._engine, self._vocabulary = self._load()
            self._slots = Slots(self._engine.slots)
        except Exception as error:  # whatever it is, the thread lives on: a turn without an end would be worse
            self.error = _ours(error)
        self.ready.set()
        while not self._closing:
            self._wait()
            if self.error is not None:
                self._script_all(str(self.error))
                continue
            try:
                self._admit()
                self._pass()
            except Exception as error:  # as above
                self._fail(str(_ours(error)))
        self._script_all("the runtime was closed")

    def _wait(self) -> None:
        with self._wake:
            self._wake.wait_for(lambda: self._closing or self._new or self._turns)

    def _admit(self) -> None:
        """Give waiting turns a slot, and drop the turns that were cancelled or ran out of time."""
        for turn in [t for t in self._turns if t.cancelled]:
            self._turns.remove(turn)
        for turn in [t for t in self._turns if self._clock() - t.asked > self._budget.total]:
            self._finish(turn, f"no more time after {self._budget.total} s")
        for _ in range(len(self._new)):
            turn = self._new.popleft()
            if turn.cancelled:
                continue
            if any(t.character.key == turn.character.key for t in self._turns):
                self._new.append(turn)  # a character says one thing at a time
                continue
            slot = self._slots.take(turn.character.key, {t.slot for t in self._turns})
            if slot is None:
                self._new.appendleft(turn)
                break
            self._begin(turn, slot)

    def _begin(self, turn: Turn, slot: int) -> None:
        """Keep what the slot already holds of the prompt; the rest is to be read."""
        prompt = turn.character.prompt(turn.reply)
        held = self._slots.held[slot]
        limit = min(len(held), len(prompt) - 1)  # at least one token is read: its logits begin the reply
        same = next((i for i in range(limit) if held[i] != prompt[i]), limit)
        if turn.reply is None and len(held) >= len(prompt) and held[: len(prompt)] == prompt:
            return
        self._engine.rewind(slot, same)
        del held[same:]
        turn.slot, turn.pending = slot, prompt[same:]
        turn.sampler = turn.character.sampler() if turn.reply else None
        self._turns.append(turn)

    def _pass(self) -> None:
        """One pass of the model: tokens of one prompt, then a step of all that speak. Fair: both move on each time."""
        reading = next((t for t in self._turns if t.pending and t.reply), None)
        reading = reading or next((t for t in self._turns if t.pending), None)
        if reading:
            self._read(reading)
        speaking = [t for t in self._turns if not t.pending and not t.cancelled]
        if speaking:
            self._step(sorted(speaking, key=lambda t: t.slot))

    def _read(self, turn: Turn) -> None:
        room = self._frame.room()
        size = next((n for n in PASSES if n <= len(turn.pending) and self._prefill_cost[n] <= room), 1)
        tokens = turn.pending[:size]
        if not self._take(self._prefill_cost[size]):
            return
        began = time.thread_time()  # not the clock: waiting for the interpreter lock costs the frame nothing
        logits = self._engine.prefill(turn.slot, tokens)
        self._prefill_cost[size] += 0.1 * (time.thread_time() - began - self._prefill_cost[size])
        self._slots.held[turn.slot] += tokens
        turn.prefilled += len(tokens)
        del turn.pending[: len(tokens)]
        self._turns.remove(turn)  # to the end: the prompts of several characters are read in turns
        if turn.pending or turn.reply:
            self._turns.append(turn)
        if not turn.pending and turn.reply:
            self._say(turn, logits)

    def _step(self, turns: list[Turn]) -> None:
        cost = self._step_cost.get(len(turns), 0.003)
        if not self._take(cost):
            return
        began = time.thread_time()  # not the clock: waiting for the interpreter lock costs the frame nothing
        last = [_sampler(t).tokens[-1] for t in turns]
        logits = self._engine.step([t.slot for t in turns], last)
        self._step_cost[len(turns)] = cost + 0.1 * (time.thread_time() - began - cost)
        for row, turn in enumerate(turns):
            self._slots.held[turn.slot].append(last[row])
            self._say(turn, logits[row])

    def _take(self, cost: float) -> bool:
        """Whether a pass may run now; if not, wait for the next grant."""
        if self._frame.take(cost):
            return True
        self._frame.wait()
        return False

    def _say(self, turn: Turn, logits: FloatArray) -> None:
        """Choose a token and tell the game."""
        sampler, reply = _sampler(turn), turn.reply
        assert reply is not None
        state = sampler.state
        token = sampler.choose(logits)
        event: Event | None = None
        if state == EMOTION:
            event = Emotion(sampler.grammar.emotions[token])
        elif token in sampler.grammar.actions:
            event = Action(sampler.grammar.actions[token])
        elif state in (OPENING, BODY) and sampler.state != OVER:
            piece = turn.decoder.decode(self._vocabulary.bytes_of(token))
            if turn.words == 0:
                piece = piece.lstrip()
            if piece:
                turn.first_token = turn.first_token or self._clock() - turn.asked
                turn.words += 1
                event = Text(piece)
        if event:
            reply.put(event)
        if sampler.state == OVER:
            self._finish(turn, "")

    def _finish(self, turn: Turn, why: str) -> None:
        """End a turn with what it has said; with the card's own line if that is nothing."""
        if turn in self._turns:
            self._turns.remove(turn)
        if turn.reply is None:
            return
        if turn.words == 0:
            self._script(turn, why or "the model said nothing")
            return
        turn.reply.put(Done(DEVICE, self._timing(turn, why)))

    def _fail(self, why: str) -> None:
        """The engine failed: every turn that it served ends, and what the slots hold is not to be trusted."""
        for turn in list(self._turns):
            self._engine.rewind(turn.slot, 0)
            self._slots.held[turn.slot].clear()
            self._finish(turn, why)

    def _script_all(self, why: str) -> None:
        for turn in [*self._turns, *self._new]:
            self._script(turn, why)
        self._turns.clear()
        self._new.clear()

    def _script(self, turn: Turn, why: str) -> None:
        if turn.reply is not None and not turn.cancelled:
            emotion, line = turn.character.fallback()
            turn.reply.put(Emotion(emotion), Text(line), Done(SCRIPTED, self._timing(turn, why)))

    def _timing(self, turn: Turn, why: str) -> Timing:
        words = len(turn.sampler.tokens) if turn.sampler else 0
        return Timing(turn.first_token, self._clock() - turn.asked, words, turn.prefilled, why)


def _ours(error: Exception) -> VrsdkError:
    return error if isinstance(error, VrsdkError) else EngineError(f"{type(error).__name__}: {error}")


def _sampler(turn: Turn) -> Sampler:
    assert turn.sampler is not None, "a turn that speaks has a sampler"
    return turn.sampler


def _lower_priority() -> None:
    """On Linux niceness is a thread's own; elsewhere it is the process's, which is not ours to change."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
