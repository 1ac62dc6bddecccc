"""What a character says, as it comes: events in one queue, read by polling, a `for` or an `async for`."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from vrsdk.runtime.budget import Clock

DEVICE, SCRIPTED = "device", "scripted"
_ASYNC_PERIOD = 0.005  # seconds between looks of an `async for`: under half a frame at 90 Hz


@dataclass(frozen=True)
class Emotion:
    """The character's mood in this reply; comes first. One of the eight, such as "joy"."""

    name: str


@dataclass(frozen=True)
class Text:
    """The next piece of the reply: whole characters, not always whole words."""

    piece: str


@dataclass(frozen=True)
class Action:
    """An act that the card allows, such as "give", for the game to play."""

    name: str


@dataclass(frozen=True)
class Thinking:
    """The first word is late: play a gesture and, where it is not empty, this line of the card's."""

    line: str


@dataclass(frozen=True)
class Timing:
    """Seconds from `say`. `first_token` is None where no word came; `why` says why a reply is not from the model."""

    first_token: float | None
    total: float
    tokens: int
    prefilled: int
    why: str = ""


@dataclass(frozen=True)
class Done:
    """The reply is over. source: "device" (the model) or "scripted" (the card's own lines)."""

    source: str
    timing: Timing


Event = Emotion | Text | Action | Thinking | Done


class Reply:
    """One turn's answer. Any thread may poll or cancel; nothing here waits for the model but the two iterations."""

    def __init__(self, line: str, asked: float, clock: Clock, thinking_after: float, thinking_line: str) -> None:
        self.line = line
        self._clock, self._asked = clock, asked
        self._thinking: tuple[float, str] | None = (asked + thinking_after, thinking_line)
        self._queue: deque[Event] = deque()
        self._arrived = threading.Condition()
        self.cancelled = False
        self.done = False  # Done has been polled, or the reply was cancelled
        # What the game has polled: this, not what the model wrote, is what the character will remember.
        self.emotion: str | None = None
        self.heard = ""
        self.actions: tuple[str, ...] = ()
        self.refused: tuple[str, ...] = ()  # actions that the game reported as failed
        self.source: str | None = None

    def poll(self) -> list[Event]:
        """What has arrived since the last poll; never waits. Empty after Done or after cancel()."""
        if self._thinking and self._clock() >= self._thinking[0] and not self._queue:
            line, self._thinking = self._thinking[1], None
            return [] if self.done else [Thinking(line)]
        events: list[Event] = []
        while self._queue and not self.cancelled:
            events.append(self._queue.popleft())
            self._hear(events[-1])
        return events

    def cancel(self) -> None:
        """End the turn: the model stops within one step, and the character remembers only what was polled."""
        with self._arrived:
            self.cancelled = self.done = True
            self._queue.clear()
            self._arrived.notify_all()

    def report(self, action: str, done: bool) -> None:
        """The game's answer to an action. An act that was not `done` is known to have failed on the next turn."""
        if not done:
            self.refused += (action,)

    def text(self) -> str:
        """Wait for the whole reply; return its words."""
        return "".join(self)

    def __iter__(self) -> Iterator[str]:
        """The pieces of text as they arrive; waits for each. For scripts, not for a frame loop."""
        while not self.done:
            yield from (event.piece for event in self.poll() if isinstance(event, Text))
            with self._arrived:
                self._arrived.wait_for(lambda: bool(self._queue) or self.done, timeout=0.1)

    async def __aiter__(self) -> AsyncIterator[str]:
        while not self.done:
            for event in self.poll():
                if isinstance(event, Text):
                    yield event.piece
            if not self.done:
                await asyncio.sleep(_ASYNC_PERIOD)

    def put(self, *events: Event) -> None:
        """From the inference thread: events for the next poll."""
        with self._arrived:
            if not self.cancelled:
                self._queue.extend(events)
            self._arrived.notify_all()

    def _hear(self, event: Event) -> None:
        match event:
            case Emotion(name):
                self.emotion = name
            case Text(piece):
                self._thinking = None
                self.heard += piece
            case Action(name):
                self.actions += (name,)
            case Done(source):
                self._thinking = None
                self.source, self.done = source, True
