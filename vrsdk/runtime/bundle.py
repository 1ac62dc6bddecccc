"""A bundle: a model on disk, one folder with a manifest that says what must be in it.

Opening one checks, before onnxruntime or the tokenizer see a byte: the format, each file's size, then its SHA-256.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vrsdk.errors import BundleError
from vrsdk.runtime.card import LANGUAGES

FORMAT = 1
FILES = ("model.onnx", "tokenizer.json")
DEFAULT = "pocket"
MAX_MANIFEST_BYTES = 1_000_000
_ARCHITECTURE = ("vocabulary", "layers", "d_model", "heads", "kv_heads", "head_dim", "d_ff", "context")


@dataclass(frozen=True)
class Bundle:
    """A checked manifest. `architecture` holds the sizes by name; `special_tokens` ids by name."""

    path: Path
    name: str
    languages: tuple[str, ...]
    architecture: dict[str, int]
    special_tokens: dict[str, int]
    files: dict[str, dict[str, Any]]
    about: dict[str, Any]  # licence, figures and whatever else the manifest tells

    @classmethod
    def open(cls, path: str | Path) -> Bundle:
        """Read `path`/manifest.json and compare the sizes of the files. Raises BundleError."""
        folder = Path(path)
        table = _manifest(folder)
        read = _Reader(folder / "manifest.json", table)
        version = read.number("format")
        if version > FORMAT:
            raise read.error(f"has format {version}, this vrsdk reads up to {FORMAT}. Upgrade: pip install -U vrsdk.")
        files = read.table("files")
        for name in FILES:
            _check_size(folder, name, files.get(name), read)
        architecture = read.table("architecture")
        special = read.table("special_tokens")
        languages = tuple(x for x in read.list("languages") if x in LANGUAGES)
        bundle = cls(
            path=folder,
            name=str(table.get("name", folder.name)),
            languages=languages,
            architecture={k: read.size(architecture, k) for k in _ARCHITECTURE},
            special_tokens={str(k): read.size(special, k) for k in special},
            files=dict(files),
            about={k: v for k, v in table.items() if k not in ("files", "architecture", "special_tokens")},
        )
        _check_graph_fits(bundle, read)
        return bundle

    def verify(self) -> None:
        """Compare every file's SHA-256 with the manifest's. Raises BundleError."""
        for name in FILES:
            with open(self.path / name, "rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != self.files[name]["sha256"]:
                path = str(self.path / name)
                raise BundleError(path, f"its SHA-256 is {found[:16]}..., not the manifest's. Copy the bundle again.")

    @property
    def model(self) -> Path:
        return self.path / "model.onnx"

    @property
    def tokenizer(self) -> Path:
        return self.path / "tokenizer.json"


def default_path() -> Path:
    """Where the bundle that comes with vrsdk lies: inside an installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "models" / DEFAULT, package.parent / "models" / DEFAULT):
        if folder.is_dir():
            return folder
    raise BundleError(str(package / "models" / DEFAULT), "the default bundle is not installed. Reinstall vrsdk.")


def write(folder: Path, **about: Any) -> None:
    """Write manifest.json for the files that lie in `folder`; `about` becomes its other entries."""
    files = {}
    for name in FILES:
        data = (folder / name).read_bytes()
        files[name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    manifest = {"format": FORMAT, **about, "files": files}
    new = folder / "manifest.json.new"
    new.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", "utf-8")
    new.replace(folder / "manifest.json")


def describe(bundle: Bundle) -> dict[str, Any]:
    """What `vrsdk bundle inspect` prints."""
    return {k: str(v) if isinstance(v, Path) else v for k, v in asdict(bundle).items()}


def _manifest(folder: Path) -> Mapping[str, Any]:
    path = folder / "manifest.json"
    if not folder.is_dir():
        raise BundleError(str(folder), "is not a folder. A bundle is a folder with manifest.json in it.")
    try:
        with open(path, "rb") as file:
            raw = file.read(MAX_MANIFEST_BYTES + 1)
    except OSError as error:
        raise BundleError(
            str(path), f"can't be read ({error.strerror}). Is {folder} a bundle? Copy it again."
        ) from error
    if len(raw) > MAX_MANIFEST_BYTES:
        raise BundleError(str(path), f"is larger than {MAX_MANIFEST_BYTES:,} bytes, so it is no manifest.")
    try:
        table = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BundleError(str(path), f"is not valid JSON: {error}. Copy the bundle again.") from error
    if not isinstance(table, dict):
        raise BundleError(str(path), "holds no JSON object. Copy the bundle again.")
    return table


class _Reader:
    """Takes entries out of a manifest; each wrong one is a BundleError that names it."""

    def __init__(self, path: Path, table: Mapping[str, Any]) -> None:
        self.path, self.source = path, table

    def error(self, problem: str) -> BundleError:
        return BundleError(str(self.path), problem)

    def number(self, name: str) -> int:
        return self.size(self.source, name)

    def size(self, table: Mapping[str, Any], name: str) -> int:
        value = table.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
            raise self.error(f"{name} is {value!r}, not a size. Copy the bundle again.")
        return value

    def table(self, name: str) -> Mapping[str, Any]:
        value = self.source.get(name)
        if not isinstance(value, dict):
            raise self.error(f"{name} is missing or no object. Copy the bundle again.")
        return value

    def list(self, name: str) -> list[Any]:
        value = self.source.get(name)
        if not isinstance(value, list):
            raise self.error(f"{name} is missing or no list. Copy the bundle again.")
        return value


def _check_size(folder: Path, name: str, entry: Any, read: _Reader) -> None:
    if (
        not isinstance(entry, dict)
        or not isinstance(entry.get("bytes"), int)
        or not isinstance(entry.get("sha256"), str)
    ):
        raise read.error(f"files has no bytes and sha256 for {name}. Copy the bundle again.")
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise BundleError(str(path), "is missing, or no plain file. Copy the bundle again.")
    found = path.stat().st_size
    if found != entry["bytes"]:
        raise BundleError(
            str(path),
            f"has {found:,} bytes, manifest.json says {entry['bytes']:,}. The copy broke off: copy the bundle again.",
        )


def _check_graph_fits(bundle: Bundle, read: _Reader) -> None:
    a = bundle.architecture
    if a["layers"] < 1 or a["kv_heads"] < 1 or a["head_dim"] < 1 or a["context"] < 64:
        raise read.error("architecture has a size that no model can have. Copy the bundle again.")
    outside = [name for name, i in bundle.special_tokens.items() if i >= a["vocabulary"]]
    if outside:
        raise read.error(f"the special token {outside[0]} lies outside the vocabulary of {a['vocabulary']:,}.")
