"""docs/operations.md followed to the letter: every command of it, in its order, in an empty folder."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
GUIDE = ROOT / "docs" / "operations.md"
_BLOCK = re.compile(r"^```(\w+)?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str, str]]:
    """(language, what stands behind it, text) of every code block."""
    return [(one[1] or "", one[2].strip(), one[3]) for one in _BLOCK.finditer(GUIDE.read_text(encoding="utf-8"))]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def script(port: int, postgresql: bool) -> str:
    """All blocks as one shell script that stops, and says where, at the first command that fails."""
    lines = [
        "set -u",
        'NEW_DATABASE_URL="${DATABASE_URL:-}"; unset DATABASE_URL; server=""',
        'stop() { [ -z "$server" ] || { kill -TERM "$server"; wait "$server"; server=""; }; }',
        "trap stop EXIT",
    ]
    for language, more, text in blocks():
        if language != "sh" or ("postgresql" in more and not postgresql):
            continue
        for command in text.replace("8000", str(port)).strip().splitlines():
            told = f'{{ echo "FAILED($?): {command.replace(chr(34), chr(39)).replace("$", "")}" >&2; exit 9; }}'
            if "background" in more:
                ready = f"for i in $(seq 240); do curl -fs http://127.0.0.1:{port}/readyz >/dev/null && break; sleep 0.5; done"
                lines += [f"{command} >serve.log 2>&1 &", "server=$!", ready]
            elif command == "jiaoheng upgrade":
                lines += ["stop", f"{command} || {told}"]
            else:
                lines.append(f"{command} || {told}" if "||" not in command else f"{{ {command}; }} || {told}")
    return "\n".join([*lines, "echo FOLLOWED"]) + "\n"


def test_the_guide_from_nothing_to_a_moved_county(tmp_path: Path) -> None:
    folder = tmp_path / "机器"
    (folder / "bin").mkdir(parents=True)
    (folder / "keys").mkdir(mode=0o700)
    shim = folder / "bin" / "jiaoheng"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m jiaoheng "$@"\n')
    shim.chmod(0o755)
    (folder / "units.csv").write_text(next(text for name, _, text in blocks() if name == "csv"), encoding="utf-8")
    given = {name: value for name, value in os.environ.items() if not name.startswith(("JIAOHENG", "DJANGO"))}
    given.pop("DATABASE_URL", None)
    given["PATH"] = f"{folder / 'bin'}:{given['PATH']}"
    given["PYTHONPATH"] = str(ROOT / "src")
    postgresql = bool(shutil.which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb")))
    (folder / "guide.sh").write_text(script(free_port(), postgresql), encoding="utf-8")
    command = ["bash", "guide.sh"]
    if postgresql:
        command = ["bash", str(ROOT / "scripts" / "postgres.sh"), *command]
    done = subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, timeout=420)
    log = folder / "serve.log"
    told = f"{done.stdout}\n{done.stderr}\n{log.read_text(encoding='utf-8') if log.exists() else ''}"
    assert done.returncode == 0, told
    assert "FOLLOWED" in done.stdout
    assert "已建好青槐县：5 个单位" in done.stdout
    assert done.stdout.count("操作记录") >= 2
    assert "没有启动" not in told
    assert (folder / "restored" / "audit-anchor.log").is_file()
    if postgresql:
        assert "逐行核对一致" in done.stdout


def test_every_setting_of_the_guide_is_one_of_the_program() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    named = set(re.findall(r"\bJIAOHENG_[A-Z_]+\b|\bDATABASE_URL\b", GUIDE.read_text(encoding="utf-8")))
    assert {name for name in named if name not in source} == set()
    assert len(named) >= 9


@pytest.mark.parametrize("path", sorted(re.findall(r"`(deploy/[\w./-]+)`", GUIDE.read_text(encoding="utf-8"))))
def test_every_file_of_the_guide_is_there(path: str) -> None:
    assert (ROOT / path).exists()
