"""The examples of deploy/: what they name exists, and they do not undo what the program guards."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())


def unit(path: Path) -> configparser.ConfigParser:
    found = configparser.ConfigParser(strict=False, interpolation=None)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read_string(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("path", [one for one in UNITS if one.suffix == ".service"], ids=lambda one: one.name)
def test_a_service_runs_a_command_that_there_is_as_nobody_special(path: Path) -> None:
    from typer.main import get_command

    from jiaoheng.cli.main import app

    service = unit(path)["Service"]
    program, command, *options = service["ExecStart"].split()
    assert program.endswith("/bin/jiaoheng")
    known = get_command(app).commands[command]  # type: ignore[attr-defined]
    flags = {flag for one in known.params for flag in (*one.opts, *one.secondary_opts)}
    assert {one for one in options if one.startswith("--")} <= flags
    assert service["User"] == "jiaoheng"
    assert (service["NoNewPrivileges"], service["ProtectSystem"], service["UMask"]) == ("yes", "strict", "0077")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_takes_the_units() -> None:
    done = subprocess.run(["systemd-analyze", "verify", *map(str, UNITS)], capture_output=True, text=True)
    told = [line for line in done.stderr.splitlines() if "is not executable" not in line and str(DEPLOY) in line]
    assert told == []


def test_the_example_of_the_environment_names_settings_that_there_are() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    names = re.findall(r"^#? ?([A-Z_]+)=", (DEPLOY / "environment.example").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(names) == 7
    assert all(name in source for name in names)


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_a_proxy_replaces_what_a_caller_says_of_himself(name: str) -> None:
    text = (DEPLOY / name).read_text(encoding="utf-8")
    assert "127.0.0.1:8000" in text
    assert "proxy_add_x_forwarded_for" not in text
    assert re.search(r"X-Forwarded-For (\$remote_addr|\{remote_host\})", text)
    assert re.search(r"60 ?[mM]", text)


def test_the_container_installs_locked_files_that_there_are() -> None:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    for path in re.findall(r"-r (\S+)", text):
        assert (ROOT / path).is_file(), path
    assert "--require-hashes" in text
    assert "USER jiaoheng" in text
