"""The notebooks run as they stand, and what is stored in them is what they show."""

from __future__ import annotations

import base64
import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
LARGEST = 300_000


@pytest.fixture(scope="module")
def runner() -> Any:
    spec = importlib.util.spec_from_file_location("notebook", ROOT / "scripts" / "notebook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_is_one() -> None:
    assert "value_added.ipynb" in [path.name for path in NOTEBOOKS]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_it_runs_and_shows_what_is_stored(path: Path, runner: Any) -> None:
    stored = runner.read(path)
    made = runner.run(stored, path.name)
    assert runner.texts(made) == runner.texts(stored)
    pictures = [one["data"]["image/png"] for cell in made["cells"] for one in cell.get("outputs", []) if "data" in one]
    assert len(pictures) >= 3
    assert all(base64.b64decode(one).startswith(b"\x89PNG") for one in pictures)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_it_is_small_and_names_no_machine(path: Path, runner: Any) -> None:
    stored = runner.read(path)
    assert path.stat().st_size < LARGEST
    code = [cell for cell in stored["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    words = "".join("".join(cell["source"]) for cell in stored["cells"]) + str(runner.texts(stored))
    assert not re.search(r"(?<![\w.])/(work|home|tmp|root|usr|Users)/", words)
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", words):
        assert (path.parent / target).exists(), target


def test_an_error_names_the_cell(runner: Any) -> None:
    cells = [{"cell_type": "markdown", "source": "x"}, {"cell_type": "code", "source": ["1 / 0"], "outputs": []}]
    with pytest.raises(ZeroDivisionError) as caught:
        runner.run({"cells": cells}, "bad.ipynb")
    assert caught.value.__notes__ == ["bad.ipynb, cell 2:\n1 / 0"]


def test_outputs_are_what_is_printed_and_the_last_value(runner: Any) -> None:
    cell = {"cell_type": "code", "source": ["a = 2\n", "print('甲')\n", "a * 3"], "outputs": []}
    silent = {"cell_type": "code", "source": ["a + 1\n", "b = a"], "outputs": []}
    made = runner.run({"cells": [cell, silent]})
    assert runner.texts(made) == [["甲\n", "6"], []]
