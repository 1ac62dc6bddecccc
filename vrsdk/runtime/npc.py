"""A character that talks: `say` a line, poll the `Reply`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from vrsdk.errors import UsageError
from vrsdk.runtime import conversation
from vrsdk.runtime.budget import Clock, LatencyBudget
from vrsdk.runtime.card import NpcCard
from vrsdk.runtime.conversation import Exchange, State
from vrsdk.runtime.prompt import MAX_LINE, Vocabulary, clean
from vrsdk.runtime.reply import SCRIPTED, Done, Emotion, Reply, Text, Timing
from vrsdk.runtime.sampling import Grammar, Sampler, Sampling
from vrsdk.runtime.scheduler import Scheduler, Turn

_KEYS = count()

# What a character says when the model can't, where its card has no fallback_lines: by language and tone.
FALLBACK = {
    "en": {
        "warm": ("Forgive me, dear, my thoughts were elsewhere.", "Give me a moment, would you?"),
        "gruff": ("Not now.", "Ask me later."),
        "formal": ("I beg your pardon, I cannot answer at present.", "Kindly ask me again in a moment."),
        "sly": ("Now, wouldn't you like to know?", "Ask me again, when I'm in the mood."),
        "scholarly": ("That deserves some thought. Ask me again.", "I must reflect on that."),
        "cheerful": ("Oh! Lost my thread there, sorry!", "Ask me again in a tick!"),
    },
    "zh": {
        "warm": ("不好意思，我刚才走神了。", "稍等我一会儿，好吗？"),
        "gruff": ("现在没空。", "回头再问。"),
        "formal": ("抱歉，此刻无法答复。", "请稍后再问。"),
        "sly": ("你猜呢？", "等我心情好了再说。"),
        "scholarly": ("此事容我想想，稍后再问吧。", "待我思量片刻。"),
        "cheerful": ("哎呀，我走神啦！", "等一下再问我嘛！"),
    },
}


class Npc:
    """One character: its card, what it remembers, and a warm place in the model. Made by `Runtime.npc`."""

    def __init__(
        self, card: NpcCard, state: State, scheduler: Scheduler, budget: LatencyBudget, sampling: Sampling,
        model: Callable[[], tuple[Vocabulary, int]], clock: Clock,
    ) -> None:  # fmt: skip
        self.card = card
        self._key = next(_KEYS)
        self._state, self._scheduler, self._budget = state, scheduler, budget
        self._sampling, self._model, self._clock = sampling, model, clock
        self._last: Reply | None = None
        self._asked = 0
        self._scripted = 0
        # Of the inference thread: what the masks of this card allow, and how many exchanges its context let go.
        self._grammar: Grammar | None = None
        self._forgotten = 0
        self._warm()

    @property
    def name(self) -> str:
        return self.card.name

    @property
    def greeting(self) -> str:
        """The card's own first words; empty if it has none."""
        return self.card.greeting

    @property
    def history(self) -> tuple[Exchange, ...]:
        """What was said and heard so far, the oldest first; the reply that is still on its way is not among it."""
        return self._state.history

    def say(self, line: str) -> Reply:
        """The player says `line`. Returns at once; the answer comes through the Reply.

        A reply that still runs is cancelled: the player has interrupted it. Raises UsageError for what is no text.
        """
        if not isinstance(line, str):
            raise UsageError(f"say({line!r}): a line is a str.")
        self._settle()
        thinking = self.card.thinking_lines
        shown = thinking[self._asked % len(thinking)] if thinking else ""
        now = self._clock()
        reply = Reply(line, now, self._clock, self._budget.first_token, shown)
        self._asked += 1
        self._last = reply
        heard = clean(line)
        if not heard:
            emotion, said = self.scripted()
            why = "the line was empty"
            reply.put(Emotion(emotion), Text(said), Done(SCRIPTED, Timing(None, self._clock() - now, 0, 0, why)))
            return reply
        seed = replace(self._sampling, seed=self._sampling.seed + self._asked)
        self._scheduler.submit(Turn(_Asked(self, self._key, self._state, heard, seed), reply, now))
        return reply

    def unlock(self, condition: str) -> None:
        """Open the facts whose `when` is `condition`. Until now they were in no prompt."""
        self._state = replace(self._state, unlocked=self._state.unlocked | {condition})
        self._warm()

    def remember(self, memory: str) -> None:
        """Add a fact to what this character knows, for this session and those loaded from its file."""
        if text := clean(memory):
            self._state = replace(self._state, memories=(*self._state.memories, text))
            self._warm()

    def save(self, path: str | Path) -> None:
        """Write what the character remembers to `path`, whole or not at all. Raises SessionFileError."""
        self._settle()
        conversation.save(path, self.card, self._state)

    def _settle(self) -> None:
        """Take the last reply into the history as far as it was heard, and cancel the rest of it."""
        reply, self._last = self._last, None
        if reply is None:
            return
        if not reply.done:
            reply.cancel()
        action = reply.actions[0] if reply.actions else None
        line = clean(reply.line)
        if line:
            heard = Exchange(line, reply.emotion or "neutral", clean(reply.heard, 4 * MAX_LINE), action, reply.refused)
            self._state = self._state.heard(heard)

    def _warm(self) -> None:
        asked = _Asked(self, self._key, self._state, "", self._sampling)
        self._scheduler.submit(Turn(asked, None, self._clock()))

    def scripted(self) -> tuple[str, str]:
        """The card's next fallback line, never the same twice in a row where there are two."""
        lines = self.card.fallback_lines or FALLBACK[self.card.language][self.card.tone]
        self._scripted += 1
        return "neutral", lines[(self._scripted - 1) % len(lines)]

    def prompt(self, state: State, line: str) -> list[int]:
        """On the inference thread: the tokens up to where the reply begins."""
        vocabulary, context = self._model()
        tokens, self._forgotten = conversation.prompt(vocabulary, context, self.card, state, line, self._forgotten)
        return tokens

    def prefix(self, state: State) -> list[int]:
        """On the inference thread: the card's tokens."""
        return conversation.prefix(self._model()[0], self.card, conversation.facts(self.card, state))[0]

    def grammar(self) -> Grammar:
        """On the inference thread: made once, for the masks take a millisecond."""
        if self._grammar is None:
            self._grammar = Grammar(self._model()[0], self.card)
        return self._grammar


@dataclass(frozen=True)
class _Asked:
    """An Npc as it was when the line was said: what the game does afterwards doesn't change this turn."""

    npc: Npc
    key: int
    state: State
    line: str
    sampling: Sampling

    def prompt(self, reply: Reply | None) -> list[int]:
        return self.npc.prefix(self.state) if reply is None else self.npc.prompt(self.state, self.line)

    def sampler(self) -> Sampler:
        return Sampler(self.npc.grammar(), self.sampling)

    def fallback(self) -> tuple[str, str]:
        return self.npc.scripted()
