"""The command as a user runs it, on the bundle that comes with vrsdk."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tests.conftest import POCKET, ROOT
from vrsdk.cli import main

MIRA = str(ROOT / "demos" / "cards" / "mira.toml")


def test_chat_answers_json_lines_and_keeps_a_session(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    session = tmp_path / "mira.json"
    monkeypatch.setattr("sys.stdin", io.StringIO("Hello!\n\nHow much is a room?\n"))
    assert main(["chat", MIRA, "--json", "--session", str(session)]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sum(e["event"] == "done" for e in events) == 3
    assert {e["source"] for e in events if e["event"] == "done"} == {"device", "scripted"}  # the empty line
    assert len(json.loads(session.read_text("utf-8"))["history"]) == 2


def test_chat_names_what_is_wrong_with_a_card(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text('name = "x"')
    assert main(["chat", str(path)]) == 1
    assert "CardError" in (shown := capsys.readouterr().err)
    assert "bad.toml: role is missing" in shown


def test_eval_writes_a_reply_for_each_item(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    card = {"name": "Mira", "role": "innkeeper", "place": "the Goose", "tone": "warm", "facts": ["Ale is one copper."]}
    items = tmp_path / "items.jsonl"
    items.write_text("\n".join(json.dumps({"id": f"i{i}", "card": card, "say": "how much is ale"}) for i in range(2)))
    out = tmp_path / "out.jsonl"
    assert main(["eval", str(items), "--replies", str(out)]) == 0
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [r["id"] for r in rows] == ["i0", "i1"]
    assert rows[0] == rows[1] | {"id": "i0"}, "greedy replies are the same"
    assert rows[0]["text"]


def test_eval_names_the_line_that_is_wrong(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    items = tmp_path / "items.jsonl"
    items.write_text('{"id": 1}')
    assert main(["eval", str(items), "--replies", str(tmp_path / "out")]) == 1
    assert "items.jsonl:1: not an item" in capsys.readouterr().err


def test_bundle_inspect_shows_the_manifest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bundle", "inspect", str(POCKET)]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "pocket"


def test_doctor_says_how_fast_and_which_runtime(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert "OpenXR: " in shown
    assert "a token in" in shown


@pytest.mark.parametrize("arguments", [[], ["chta"], ["chat"], ["demo", "moon"]])
def test_a_wrong_command_line_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
