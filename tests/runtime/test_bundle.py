from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrsdk import BundleError, EngineError, Runtime
from vrsdk.runtime.bundle import Bundle, default_path


def change(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "manifest.json"
    table = json.loads(path.read_text("utf-8"))
    edit(table)
    path.write_text(json.dumps(table), "utf-8")


def test_the_default_bundle_is_whole() -> None:
    Bundle.open(default_path()).verify()


@pytest.mark.parametrize("name", ["manifest.json", "model.onnx", "tokenizer.json"])
def test_a_missing_file_is_named(broken: Path, name: str) -> None:
    (broken / name).unlink()
    with pytest.raises(BundleError, match=rf"{name}.*(missing|can't be read)"):
        Bundle.open(broken)


def test_a_copy_that_broke_off_is_told_by_its_size(broken: Path) -> None:
    data = (broken / "model.onnx").read_bytes()
    (broken / "model.onnx").write_bytes(data[:-100])
    with pytest.raises(BundleError, match=r"model\.onnx: has [\d,]+ bytes, manifest.json says.*copy the bundle again"):
        Runtime(broken)


def test_a_changed_byte_is_told_by_its_hash(broken: Path) -> None:
    data = bytearray((broken / "model.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (broken / "model.onnx").write_bytes(data)
    with pytest.raises(BundleError, match=r"model\.onnx: its SHA-256"):
        Bundle.open(broken).verify()


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda m: m.update(format=2), "format 2, this vrsdk reads up to 1. Upgrade"),
        (lambda m: m.update(format="1"), "format is '1', not a size"),
        (lambda m: m.pop("files"), "files is missing"),
        (lambda m: m["files"].pop("model.onnx"), "no bytes and sha256 for model.onnx"),
        (lambda m: m["architecture"].update(layers=-1), "layers is -1"),
        (lambda m: m["architecture"].update(layers=0), "a size that no model can have"),
        (lambda m: m["architecture"].update(context=2**64), "context is 18446744073709551616"),
        (lambda m: m["special_tokens"].update(end=10**6), "end lies outside the vocabulary"),
        (lambda m: m.update(languages=None), "languages is missing"),
    ],
)
def test_a_wrong_manifest_says_what(broken: Path, edit: Callable[[dict[str, Any]], object], message: str) -> None:
    change(broken, edit)
    with pytest.raises(BundleError, match=message):
        Bundle.open(broken)


def test_a_link_out_of_the_folder_is_refused(broken: Path, tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere.onnx"
    (broken / "model.onnx").rename(outside)
    (broken / "model.onnx").symlink_to(outside)
    with pytest.raises(BundleError, match="no plain file"):
        Bundle.open(broken)


@given(data=st.binary(max_size=100) | st.just(b"[" * 100_000) | st.just(b"[]"))
def test_random_bytes_give_a_bundle_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.getbasetemp() / "random_bundle"
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_bytes(data)
    with pytest.raises(BundleError):
        Bundle.open(folder)


def test_a_wrong_architecture_fails_at_load_and_the_character_still_answers(broken: Path, card: Any) -> None:
    change(broken, lambda m: m["architecture"].update(layers=5))
    with Runtime(broken) as runtime:
        npc = runtime.npc(card)
        assert npc.say("Hello?").text() == "Give me a moment."
        with pytest.raises(EngineError, match="sizes are not those of manifest"):
            runtime.wait()
