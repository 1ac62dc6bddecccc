from __future__ import annotations

import re
import subprocess
import sys

from tests.conftest import ROOT

EXAMPLE = ROOT / "docs" / "examples" / "first_character.py"


def test_the_readme_shows_the_example_as_it_stands() -> None:
    shown = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert EXAMPLE.read_text("utf-8") in shown


def test_the_example_talks() -> None:
    done = subprocess.run([sys.executable, EXAMPLE], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert re.search(r"\[\w+\] .+\(device, \d+ tokens", done.stdout), done.stdout + done.stderr
