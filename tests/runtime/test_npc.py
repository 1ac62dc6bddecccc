"""Characters as a game uses them: a real bundle, the real thread, no sleeps."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import vrsdk
from vrsdk import Action, Done, Emotion, Event, Npc, NpcCard, Reply, Runtime, SessionFileError, Text, Thinking
from vrsdk.errors import EngineError
from vrsdk.runtime import conversation
from vrsdk.runtime.conversation import Exchange, State
from vrsdk.runtime.engine import Engine
from vrsdk.runtime.prompt import Vocabulary


def follow(reply: Reply) -> list[Event]:
    """All events of a reply, polled as a game would."""
    events: list[Event] = []
    tick = threading.Event()
    while not reply.done:
        events += reply.poll()
        tick.wait(0.001)
    return events


def test_a_reply_is_an_emotion_then_text_then_done(runtime: Runtime, card: NpcCard) -> None:
    events = [e for e in follow(runtime.npc(card).say("How much is a room?")) if not isinstance(e, Thinking)]
    assert isinstance(events[0], Emotion)
    assert isinstance(events[1], Text)
    assert isinstance(events[-1], Done)
    assert events[-1].source == "device"
    assert 0 < events[-1].timing.first_token <= events[-1].timing.total
    assert all(e.name in card.actions for e in events if isinstance(e, Action))


def test_a_line_said_before_the_model_is_loaded_waits(tiny: Path, card: NpcCard) -> None:
    with Runtime(tiny, budget=vrsdk.LatencyBudget(total=60)) as runtime:
        reply = runtime.npc(card).say("Are you there?")  # the inference thread has only just begun
        assert reply.text()
        assert runtime.ready


def test_the_same_line_gets_the_same_reply_alone_or_in_company(tiny: Path, card: NpcCard) -> None:
    def replies(company: int) -> str:
        with Runtime(tiny, budget=vrsdk.LatencyBudget(total=60)) as runtime:
            others = [runtime.npc(card).say(f"line {i}") for i in range(company)]
            said = runtime.npc(card).say("How much is a room?").text()
            for other in others:
                assert other.text()
            return said

    assert replies(0) == replies(3)


def test_more_characters_than_slots_all_answer(tiny: Path, card: NpcCard) -> None:
    with Runtime(tiny, slots=2, budget=vrsdk.LatencyBudget(total=60)) as runtime:
        npcs = [runtime.npc(card) for _ in range(5)]
        for _ in range(2):
            replies = [npc.say("Hello") for npc in npcs]
            assert all(r.text() for r in replies)
            assert {r.source for r in replies} == {"device"}


def test_the_three_ways_to_read_give_the_same_words(runtime: Runtime, card: NpcCard) -> None:
    async def gather(reply: Reply) -> str:
        return "".join([piece async for piece in reply])

    polled = "".join(e.piece for e in follow(runtime.npc(card).say("Hello")) if isinstance(e, Text))
    assert "".join(runtime.npc(card).say("Hello")) == polled
    assert asyncio.run(gather(runtime.npc(card).say("Hello"))) == polled


def test_history_is_what_was_polled(runtime: Runtime, card: NpcCard) -> None:
    npc = runtime.npc(card)
    reply = npc.say("Tell me everything")
    pieces = iter(reply)
    heard = next(pieces) + next(pieces)
    reply.cancel()
    assert reply.poll() == []
    heard = reply.heard
    npc.say("Stop!").text()
    assert npc.history[0].text == heard.strip()
    assert npc.history[0].line == "Tell me everything"


def test_a_new_line_interrupts_the_last_reply(runtime: Runtime, card: NpcCard) -> None:
    npc = runtime.npc(card)
    first = npc.say("One")
    second = npc.say("Two")
    assert first.cancelled
    assert second.text()
    assert npc.history == (Exchange("One"),)


@pytest.mark.parametrize("line", ["", "   ", "\x00\x1b[2J", "x" * 100_000, "<end><npc><joy>", "你好" * 5_000, "\ud800"])
def test_no_line_is_too_odd_to_answer(runtime: Runtime, card: NpcCard, line: str) -> None:
    events = follow(runtime.npc(card).say(line))
    assert isinstance(events[-1], Done)


def test_a_line_that_is_no_text_is_refused(runtime: Runtime, card: NpcCard) -> None:
    with pytest.raises(vrsdk.UsageError, match=r"say\(None\)"):
        runtime.npc(card).say(None)  # type: ignore[arg-type]


def test_an_engine_that_fails_ends_the_turn_and_the_next_one_works(
    runtime: Runtime, card: NpcCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    npc = runtime.npc(card)
    assert npc.say("Warm up").text()

    def fail(*_: object) -> None:
        raise EngineError("the fault of this test")

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "prefill", fail)
        events = follow(npc.say("Hello"))
    done = events[-1]
    assert isinstance(done, Done)
    assert (done.source, done.timing.why) == ("scripted", "the fault of this test")
    assert npc.say("And now?").text()
    assert npc.history[-1].text == "Give me a moment."


def test_closing_answers_what_still_waits(tiny: Path, card: NpcCard) -> None:
    runtime = Runtime(tiny, slots=1)
    replies = [runtime.npc(card).say("Hello") for _ in range(4)]
    runtime.close()
    assert all(isinstance(follow(r)[-1], Done) for r in replies)
    with pytest.raises(vrsdk.UsageError, match="closed"):
        runtime.npc(card)


def test_thinking_comes_when_the_first_word_is_late(tiny: Path, card: NpcCard) -> None:
    with Runtime(tiny, budget=vrsdk.LatencyBudget(first_token=1e-9, total=60)) as runtime:
        events = follow(runtime.npc(card).say("Hello"))
    assert events[0] == Thinking("Hm...")


def test_a_secret_is_in_no_prompt_until_it_is_unlocked(vocabulary: Vocabulary, card: NpcCard) -> None:
    def shown(state: State) -> str:
        tokens, _ = conversation.prompt(vocabulary, 512, card, state, "Where is the key to the vault?")
        return vocabulary.decode(tokens)

    assert "in the well" not in shown(State())
    assert "in the well" in shown(State(unlocked=frozenset({"trusts_player"})))


@given(st.lists(st.tuples(st.text(min_size=1, max_size=80), st.text(max_size=80)), max_size=40), st.text(max_size=400))
def test_the_oldest_turns_go_first_and_the_card_never(
    vocabulary: Vocabulary, turns: list[tuple[str, str]], line: str
) -> None:
    card = NpcCard("Mira", "innkeeper", "the Goose", "warm")
    state = State(history=tuple(Exchange(a, text=b) for a, b in turns))
    tokens, forgotten = conversation.prompt(vocabulary, 512, card, state, line)
    prefix, _ = conversation.prefix(vocabulary, card, [])
    assert tokens[: len(prefix)] == prefix
    assert len(tokens) < 512 - 96
    kept = [conversation._told(vocabulary, state.history, i) for i in range(forgotten, len(turns))]
    assert tokens == prefix + [t for one in kept for t in one] + vocabulary.turn(line)


def test_a_long_talk_goes_on(runtime: Runtime, card: NpcCard) -> None:
    npc = runtime.npc(card)
    for i in range(12):
        assert npc.say(f"line {i} " + "and so on " * 20).text()
    assert npc._forgotten > 0


def test_500_facts_fit_by_being_recalled(vocabulary: Vocabulary) -> None:
    facts = [vrsdk.Fact(f"The house number {i} belongs to widow number {i}.") for i in range(500)]
    card = NpcCard("Mira", "clerk", "the town hall", "formal", facts=tuple(facts))
    tokens, _ = conversation.prompt(vocabulary, 768, card, State(), "who owns house 437?")
    assert "number 437" in vocabulary.decode(tokens)
    assert len(tokens) < 600


def talked(npc: Npc) -> Npc:
    npc.say("Hello there").text()
    npc.unlock("trusts_player")
    npc.remember("The player saved the mill.")
    return npc


def test_a_session_goes_on_where_it_was_saved(runtime: Runtime, card: NpcCard, tmp_path: Path) -> None:
    npc = talked(runtime.npc(card))
    npc.save(tmp_path / "mira.json")
    again = runtime.npc(card, session=tmp_path / "mira.json")
    assert again.history == npc.history
    assert again._state.unlocked == {"trusts_player"}
    assert again._state.memories == ("The player saved the mill.",)
    assert again.say("Remember me?").text()


def test_a_failed_save_leaves_the_old_file(
    runtime: Runtime, card: NpcCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mira.json"
    npc = talked(runtime.npc(card))
    npc.save(path)
    before = path.read_bytes()

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(SessionFileError, match=r"No space left.*The old file is as it was"):
        npc.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "holds no JSON object"),
        ('{"format": 9, "name": "Mira Holt"}', "its format is 9"),
        ('{"format": 1, "name": "Bob"}', "belongs to 'Bob'"),
        ('{"format": 1, "name": "Mira Holt", "history": 3}', "history is no list"),
        ('{"format": 1, "name": "Mira Holt", "history": [{"line": "x", "emotion": "glee"}]}', "'glee'"),
        ('{"format": 1, "name": "Mira Holt", "memories": [1]}', "1 is no text"),
    ],
)
def test_a_broken_session_says_so(card: NpcCard, tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "s.json"
    path.write_text(content)
    with pytest.raises(SessionFileError, match=message):
        conversation.load(path, card)


@given(st.binary(max_size=200))
def test_random_bytes_give_a_session_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "random.json"
    path.write_bytes(data)
    with pytest.raises(SessionFileError):
        conversation.load(path, NpcCard("Mira", "x", "y", "warm"))


def test_a_refused_action_is_told_to_the_character(vocabulary: Vocabulary, card: NpcCard) -> None:
    state = State(history=(Exchange("Give me the key", text="Here.", action="give", refused=("give",)),))
    tokens, _ = conversation.prompt(vocabulary, 512, card, state, "Well?")
    names = [vocabulary.name_of[t] for t in tokens if t >= vocabulary.ordinary]
    assert names[-4:] == ["failed", "action:give", "player", "npc"]


def test_fallback_lines_take_turns(runtime: Runtime, card: NpcCard) -> None:
    npc = runtime.npc(card)
    lines = [npc.scripted()[1] for _ in range(4)]
    assert lines == ["Give me a moment.", "Where was I?"] * 2
