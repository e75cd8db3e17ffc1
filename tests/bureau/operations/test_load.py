"""The load run itself, small: five people for some seconds on a small county; and that its check can fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
BENCHMARKS = ROOT / "benchmarks"


def environment(data: Path) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("JIAOHENG_", "DJANGO_"))}
    kept.pop("DATABASE_URL", None)
    return kept | {"JIAOHENG_ENV": "demo", "JIAOHENG_DATA": str(data)}


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundredth of the demonstration."""
    data = tmp_path_factory.mktemp("load") / "data"
    command = [str(Path(sys.executable).with_name("jiaoheng")), "demo", "build", "--data", str(data), "--scale", "0.01"]
    built = subprocess.run(command, env=environment(data), capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return data


def test_five_people_at_once_without_an_error(county: Path, tmp_path: Path) -> None:
    """Reads, forms, programs on the installed server, on the base that this test run is about; every write is there."""
    out = tmp_path / "run.json"
    command = [sys.executable, str(BENCHMARKS / "load.py"), "--data", str(county), "--users", "5", "--minutes", "0.15"]
    command += ["--think", "0.05", "0.3", "--out", str(out)]
    if os.environ.get("DATABASE_URL"):
        command.append("--postgres")
    before = (county / "jiaoheng.sqlite3").read_bytes()
    done = subprocess.run(command, env=environment(county), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    run = json.loads(out.read_text(encoding="utf-8"))
    assert {one["kind"] for one in run["samples"]} >= {"sign in", "home", "API, write"}
    assert [one for one in run["samples"] if one["wrong"]] == []
    assert run["checked"]["versions"] >= 2
    assert run["checked"]["wrong"] == []
    assert "完整" in run["audit"][1]
    assert (county / "jiaoheng.sqlite3").read_bytes() == before  # what was given is copied, never written


def test_what_is_missing_and_what_nobody_acknowledged_is_told(county: Path, tmp_path: Path) -> None:
    """The server said yes and the base has nothing, or it has a version more: what a load run must never pass over."""
    newest = _asked(county, "people", "5")["newest"]
    ledger = tmp_path / "ledger.jsonl"
    never = [
        {"what": "change", "record": 1, "texts": ["改never"], "versions": 1},
        {"what": "submit", "filing": 1, "account": 1},
        {"what": "new", "texts": [], "versions": 0, "records": 1},
    ]
    ledger.write_text("".join(json.dumps({**one, "sure": True}) + "\n" for one in never), encoding="utf-8")
    wrong = _asked(county, "check", str(ledger), json.dumps(newest))["wrong"]
    assert [one.split(":")[0].split(",")[0] for one in wrong] == [
        "change of record 1",
        "filing (1",
        "0 new versions",
        "0 new records",
    ]
    ledger.write_text("", encoding="utf-8")
    assert _asked(county, "check", str(ledger), json.dumps(newest))["wrong"] == []
    doubled = json.dumps({**newest, "version": newest["version"] - 1})
    assert "1 new versions, 0 acknowledged" in _asked(county, "check", str(ledger), doubled)["wrong"][0]


def _asked(data: Path, *words: str) -> Any:
    command = [sys.executable, str(BENCHMARKS / "load_base.py"), *words]
    done = subprocess.run(command, env=environment(data), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
