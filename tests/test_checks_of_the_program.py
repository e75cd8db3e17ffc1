"""The two checks of `make lint` that are ours: advisories of pinned libraries, bandit with a reason for each finding."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    spec.loader.exec_module(made)
    return made


LIST = """
dated: 2026-01-02
checked: 2026-01-03
advisories:
  Jinja2:
    - {ids: [CVE-1], affected: ">=2.0,<2.11.3 || >=3.0,<3.1.6", what: sandbox}
"""


def folder(tmp_path: Path, pins: str) -> Path:
    (tmp_path / "advisories.yaml").write_text(LIST, encoding="utf-8")
    (tmp_path / "base.txt").write_text(pins, encoding="utf-8")
    return tmp_path


def test_no_pin_of_ours_is_in_a_known_range(capsys: pytest.CaptureFixture[str]) -> None:
    assert script("advisories").main(ROOT / "requirements") == 0
    assert "0 hits" in capsys.readouterr().out


@pytest.mark.parametrize("version", ["3.1.5", "3.0", "2.11.2", "3.1.5rc1"])
def test_a_pin_in_a_range_fails_and_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], version: str) -> None:
    pins = f"altair==6.0 \\\n    --hash=sha256:00\njinja2[i18n]=={version} ; python_version < '3.13' \\\n"
    assert script("advisories").main(folder(tmp_path, pins)) == 1
    assert f"base.txt:3: jinja2 {version} is in" in capsys.readouterr().out


@pytest.mark.parametrize("version", ["3.1.6", "2.11.3", "1.9"])
def test_a_pin_outside_passes(tmp_path: Path, version: str) -> None:
    assert script("advisories").main(folder(tmp_path, f"jinja2=={version}\n")) == 0


def test_nothing_to_compare_is_no_success(tmp_path: Path) -> None:
    assert script("advisories").main(folder(tmp_path, "# empty\n")) == 1


def test_every_listed_library_is_one_we_pin() -> None:
    made = script("advisories")
    _dates, known = made.advisories_in(ROOT / "requirements" / "advisories.yaml")
    pinned = {one.name for one in made.pins_in(ROOT / "requirements")}
    assert {one.name for one in known} <= pinned


FAULT = "import subprocess\n\n\ndef run(text):\n    return subprocess.run(text, shell=True)"


@pytest.mark.parametrize(
    ("remark", "ends"),
    [
        ("", 1),
        ("  # noqa: S602", 1),
        ("  # noqa: S608 (names are ours)", 1),
        ("  # noqa: S602 (typed by the caller)", 0),
    ],
)
def test_a_finding_needs_its_own_number_and_a_reason(tmp_path: Path, remark: str, ends: int) -> None:
    (tmp_path / "one.py").write_text(FAULT + remark + "\n", encoding="utf-8")
    assert script("security_lint").main([str(tmp_path)]) == ends


def test_a_file_that_cannot_be_read_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("def run(:\n", encoding="utf-8")
    assert script("security_lint").main([str(tmp_path)]) == 1
