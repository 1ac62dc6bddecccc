"""Endless training dialogues from the phrase bank: deterministic by seed, grounded in a card made for the occasion."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from vrsdk.distill import bank as banks
from vrsdk.distill.bank import Ask, Bank, Chat, FactEntry, Scene
from vrsdk.distill.slots import Slots
from vrsdk.runtime.card import ACTIONS, TONES, Fact, NpcCard
from vrsdk.runtime.lore import Lore
from vrsdk.runtime.prompt import Vocabulary

# What a turn is, and how often: guesses, tuned by reading failures on the development set. A scene's own talk and its
# lines that ask two things come only where the card is a scene's.
TURNS = {
    "fact": 54, "then": 11, "multi": 7, "two": 6, "missing": 1, "unknown": 1,
    "own": 18, "chat": 4, "persona": 5, "feeling": 5, "act": 6, "boundary": 4,
}  # fmt: skip
SCENES, ENOUGH = 0.55, 40  # the share of cards that are a scene's; in proportion while there are fewer than enough
HELD = 0.85  # a scene's fact stands on the card: each of the others makes a question that this card can't answer


@dataclass(frozen=True)
class Turn:
    """A player's line and the reply that the model shall learn."""

    line: str
    emotion: str
    text: str
    action: str | None = None
    recalled: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Dialogue:
    card: NpcCard
    prefix: list[str]  # the facts that stand in the warm prefix
    turns: list[Turn]


@dataclass(frozen=True)
class Known:
    """A fact on this card: its entry, its wording, and the values of its slots."""

    entry: FactEntry
    text: str
    scope: dict[str, str]


class Writer:
    """Writes dialogues in one language. The same seed gives the same dialogues."""

    def __init__(self, language: str, seed: int) -> None:
        self.bank: Bank = banks.load(language)
        self.language = language
        self.rng = random.Random(f"{language}:{seed}")
        self.slots = Slots(language, self.rng)
        self.zh = language == "zh"

    def dialogues(self, turns: int = 8) -> Iterator[Dialogue]:
        while True:
            yield self.dialogue(turns)

    def dialogue(self, turns: int) -> Dialogue:
        rng = self.rng
        self.slots.new_character()
        share = SCENES * min(1.0, len(self.bank.scenes) / ENOUGH)
        scene = rng.choice(self.bank.scenes) if rng.random() < share else None
        scope: dict[str, str] = {}
        known = self._scene_facts(scene, scope) if scene else self._facts(rng.randint(3, 10))
        actions = scene.actions if scene and rng.random() < 0.7 else rng.sample(ACTIONS, rng.randint(3, 7))
        who = self.slots.character
        card = NpcCard(
            name=who["name"], role=who["role"], place=who["place"],
            tone=rng.choice(scene.tones if scene else TONES),
            personality=scene.personality if scene and rng.random() < 0.7 else self._personality(),
            facts=tuple(Fact(k.text) for k in known), actions=tuple(actions), language=self.language,
        )  # fmt: skip
        # One card in six has more lore than its prefix holds: the rest is recalled line by line, as in `Npc`.
        held = rng.randint(1, 3) if rng.random() < 1 / 6 and len(known) > 4 else len(known)
        lore = Lore([k.text for k in known[held:]])
        talk = _Talk(self, card, known, held, lore, scene, scope)
        return Dialogue(card, [k.text for k in known[:held]], talk.turns(turns))

    def _scene_facts(self, scene: Scene, scope: dict[str, str]) -> list[Known]:
        """Most of the scene's facts, and now and then some of another's; the character becomes the scene's."""
        rng = self.rng
        for key, text in (("role", scene.role), ("place", scene.place)):
            self.slots.character[key] = self.slots.fill(text, scope, scene.slots)
        kept = [f for f in scene.facts if rng.random() < HELD] or scene.facts[:1]
        known = [self._known(f, scope) for f in kept]
        for _ in range(rng.choice((0, 0, 0, 1, 2))):
            other = rng.choice(self.bank.facts)
            if other.theme != scene.id and other.id not in {k.entry.id for k in known}:
                known.append(self._known(other, {}))
        rng.shuffle(known)
        return known

    def _known(self, entry: FactEntry, scope: dict[str, str]) -> Known:
        return Known(entry, self.slots.fill(self.rng.choice(entry.say), scope, entry.slots), scope)

    def _personality(self) -> str:
        traits = self.rng.sample(self.slots.lists["personality"], self.rng.choice((1, 1, 2)))
        return ("，" if self.zh else ", ").join(traits)

    def _facts(self, count: int) -> list[Known]:
        """Facts of one theme for the most part, so that a card has neighbours that are easily confused."""
        rng = self.rng
        theme = rng.choice(self.bank.facts).theme
        near = [f for f in self.bank.facts if f.theme == theme]
        chosen: dict[str, FactEntry] = {}
        for _ in range(4 * count):
            entry = rng.choice(near if rng.random() < 0.6 else self.bank.facts)
            chosen.setdefault(entry.id, entry)
            if len(chosen) == count:
                break
        known = [self._known(entry, {}) for entry in chosen.values()]
        rng.shuffle(known)
        return known

    def typed(self, line: str) -> str:
        """As players type: often without capitals or the last mark, sometimes with a slip."""
        rng = self.rng
        if rng.random() < 0.3:
            line = line.rstrip("?.!？。！")
        if self.zh:
            return line.replace("，", rng.choice(("，", " ", ""))) if rng.random() < 0.15 else line
        if rng.random() < 0.3:
            line = line.lower()
        if rng.random() < 0.08 and len(line) > 12:
            at = rng.randrange(2, len(line) - 3)
            line = line[:at] + rng.choice((line[at + 1] + line[at] + line[at + 2 :], line[at + 1 :]))
        return line


class _Talk:
    """One conversation on one card."""

    def __init__(
        self, writer: Writer, card: NpcCard, known: list[Known], held: int, lore: Lore,
        scene: Scene | None, scope: dict[str, str],
    ) -> None:  # fmt: skip
        self.writer, self.card, self.known, self.lore = writer, card, known, lore
        self.scene, self.scope = scene, scope
        self.rng = writer.rng
        self.held = {k.entry.id for k in known[:held]}
        self.topic: Known | None = None  # what the last turn told
        self.acted: str | None = None  # what the last reply did

    def turns(self, count: int) -> list[Turn]:
        return [self._turn() for _ in range(count)]

    def _turn(self) -> Turn:
        acted, self.acted = self.acted, None
        if acted and self.writer.bank.chats["failed"] and self.rng.random() < 0.2:
            return self._chat(self.rng.choice(self.writer.bank.chats["failed"]), failed=[acted])
        kind = self.rng.choices(list(TURNS), list(TURNS.values()))[0]
        turn: Turn | None = None
        if kind == "then":
            turn = self._then()
        elif kind == "multi":
            turn = self._both()
        elif kind == "two":
            turn = self._two()
        elif kind == "missing":
            turn = self._missing()
        elif kind == "act":
            turn = self._chat(self._act())
        elif kind == "own" and self.scene and self.scene.chats:
            turn = self._chat(self.rng.choice(self.scene.chats), scope=self.scope)
        elif self.writer.bank.chats.get(kind):
            turn = self._chat(self.rng.choice(self.writer.bank.chats[kind]))
        return turn or self._ask()

    def _act(self) -> Chat:
        """A request: two in three for an act that the card allows, for a refusal is easily learnt too well."""
        acts = self.writer.bank.chats["act"]
        able = [chat for chat in acts if chat.action in self.card.actions]
        return self.rng.choice(able if able and self.rng.random() < 2 / 3 else acts)

    def _ask(self) -> Turn:
        told = self.rng.choice(self.known)
        return self._fact(told, self.rng.choice(told.entry.asks))

    def _then(self) -> Turn | None:
        """A short follow-up on what was told last."""
        if self.topic and (short := [a for a in self.topic.entry.asks if a.then]):
            return self._fact(self.topic, self.rng.choice(short), short=True)
        return None

    def _fact(self, told: Known, ask: Ask, short: bool = False) -> Turn:
        line = self._line(ask.then if short else ask.lines, told.scope, told.entry.slots)
        recalled = [] if short else self.lore.match(line)
        if told.entry.id not in self.held and told.text not in recalled and not short:
            return self._unknown(line, recalled)
        self.topic = told
        text, emotion, action = self._reply(told, ask)
        return Turn(line, emotion, text, action, recalled)

    def _reply(self, told: Known, ask: Ask) -> tuple[str, str, str | None]:
        text = self.writer.slots.fill(self._pick(ask), told.scope, told.entry.slots)
        action = ask.action if ask.action in self.card.actions and self.rng.random() < 0.7 else None
        return text, self.rng.choice(ask.emotion), action

    def _two(self) -> Turn | None:
        """Two questions in a line, as the scene has them."""
        if not self.scene:
            return None
        able = [two for two in self.scene.twos if self.held.issuperset(two.facts)]
        if not able:
            return None
        two = self.rng.choice(able)
        line = self._line(two.lines, self.scope, self.scene.slots)
        self.topic = next(k for k in self.known if k.entry.id == two.facts[-1])
        text = self.writer.slots.fill(self.rng.choice(two.any), self.scope, self.scene.slots)
        return Turn(line, "neutral", text, None, self.lore.match(line))

    def _both(self) -> Turn | None:
        """The questions of two facts joined in a line: both are answered, in the order of asking."""
        if len(self.known) < 2:
            return None
        first, second = self.rng.sample(self.known, 2)
        asks = [self.rng.choice(k.entry.asks) for k in (first, second)]
        lines = [self._line(a.lines, k.scope, k.entry.slots) for k, a in zip((first, second), asks, strict=True)]
        if self.writer.zh:
            line = (
                lines[0].rstrip("？。！ ") + self.rng.choice(("？", "，", "？还有，", "，还有", "？对了，")) + lines[1]
            )
        else:
            glue = self.rng.choice((", and ", "? and ", "? also ", ". oh and ", ", also "))
            line = lines[0].rstrip("?.! ") + glue + lines[1][0].lower() + lines[1][1:]
        recalled = self.lore.match(line)
        if any(k.entry.id not in self.held and k.text not in recalled for k in (first, second)):
            return self._fact(first, asks[0])
        replies = [self._reply(k, a) for k, a in zip((first, second), asks, strict=True)]
        self.topic = second
        return Turn(line, replies[0][1], ("" if self.writer.zh else " ").join(r[0] for r in replies), None, recalled)

    def _missing(self) -> Turn | None:
        """A question that another card would answer; this one doesn't. Best of all one that its own scene would."""
        here = {k.entry.id for k in self.known}
        near = [f for f in self.scene.facts if f.id not in here] if self.scene else []
        entry = self.rng.choice(near or self.writer.bank.facts)
        if entry.id in here:
            return None
        line = self._line(self.rng.choice(entry.asks).lines, self.scope if near else {}, entry.slots)
        return self._unknown(line, self.lore.match(line))

    def _unknown(self, line: str, recalled: list[str]) -> Turn:
        chat = self.rng.choice(self.writer.bank.chats["unknown"])
        self.topic = None
        text = self.writer.slots.fill(self._pick(chat), {}, chat.slots)
        shrug = "shake_head" if "shake_head" in self.card.actions and self.rng.random() < 0.3 else None
        return Turn(line, self.rng.choice(chat.emotion), text, shrug, recalled)

    def _chat(self, chat: Chat, failed: Sequence[str] = (), scope: dict[str, str] | None = None) -> Turn:
        scope = {} if scope is None else scope
        line = self._line(chat.lines, scope, chat.slots)
        replies, action = self._pick(chat), chat.action
        if action is not None and action not in self.card.actions:
            action = None
            if chat.kind == "act":
                replies = self.rng.choice(chat.refuse)
        elif chat.kind != "act" and self.rng.random() < 0.4:
            action = None
        self.topic = None
        self.acted = action
        text = self.writer.slots.fill(replies, scope, chat.slots)
        return Turn(line, self.rng.choice(chat.emotion), text, action, self.lore.match(line), list(failed))

    def _line(self, lines: list[str], scope: dict[str, str], own: dict[str, list[str]]) -> str:
        return self.writer.typed(self.writer.slots.fill(self.rng.choice(lines), scope, own))

    def _pick(self, source: Ask | Chat) -> str:
        """A reply in the card's tone where there is one, two times in three; else one for any tone."""
        toned = source.replies.by_tone.get(self.card.tone)
        return self.rng.choice(toned if toned and self.rng.random() < 0.67 else source.replies.any)


def encode(
    vocabulary: Vocabulary, dialogue: Dialogue, limit: int, context: float = 0.0
) -> tuple[list[int], list[float]]:
    """Token ids, at most `limit`, cut between turns; and how much each weighs in the loss.

    What the character says weighs 1; the card and the player's words weigh `context`.
    """
    ids = vocabulary.card(dialogue.card, dialogue.prefix)
    weights = [context] * len(ids)
    for turn in dialogue.turns:
        asked = vocabulary.turn(turn.line, turn.recalled, turn.failed)
        said = vocabulary.reply(turn.emotion, turn.text, turn.action)
        if len(ids) + len(asked) + len(said) > limit:
            break
        ids += asked + said
        weights += [context] * len(asked) + [1.0] * len(said)
    return ids, weights
