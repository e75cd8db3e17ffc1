"""`jiaoheng pack`: every error with file and line; loading twice changes nothing; refusals store nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jiaoheng.cli.main import app

REGISTER = """name: t_shelf
title: 书架
version: {version}
effective_from: {day}
level: school
period: none
fields:
  - {{name: no, type: string, title: 编号, constraints: {{required: true}}}}
  - {{name: kind, type: string, title: 种类, codes: t_shelf_kind}}
{more}
"""
CODES = """name: t_shelf_kind
title: 书架种类
items:
  "1": 木
  "2": 铁
"""


def folder(place: Path, version: int = 1, day: str = "2025-01-01", more: str = "", codes: str = CODES) -> Path:
    for name in ("registers", "codes"):
        (place / name).mkdir(parents=True, exist_ok=True)
    (place / "registers" / f"shelf{version}.yaml").write_text(
        REGISTER.format(version=version, day=day, more=more), "utf-8"
    )
    (place / "codes" / "kind.yaml").write_text(codes, "utf-8")
    return place


def check(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["pack", "check", *words])
    return done.exit_code, done.stdout, done.stderr


def test_check_tells_what_is_there(tmp_path: Path) -> None:
    """A good folder: its registers, code 0."""
    code, out, _ = check(str(folder(tmp_path)))
    assert code == 0
    assert "书架（t_shelf）：第 1 版，2 个字段" in out
    assert "没有错误：1 张台账，1 张代码表" in out


def test_check_lists_every_error_with_file_and_line(tmp_path: Path) -> None:
    """Three faults in two files: three lines, each with its place, sentence and remedy; code 2."""
    more = "  - {name: Bad Name, type: string, title: 坏}\n  - {name: size, type: integr, title: 大小}"
    place = folder(tmp_path, more=more, codes=CODES + '  "2": 钢\n')
    code, out, told = check(str(place))
    assert code == 2
    lines = out.splitlines()
    for where in ("registers/shelf1.yaml:10 ", "registers/shelf1.yaml:11 ", "codes/kind.yaml:6 "):
        assert any(line.startswith(where) for line in lines), (where, lines)
    assert "integer" in out
    assert f"共 {len(lines)} 处错误" in told


def test_the_pack_of_the_document_is_right(tmp_path: Path) -> None:
    """The example of docs/registers.md, as it stands there."""
    text = (Path(__file__).parents[2] / "docs" / "registers.md").read_text("utf-8")
    blocks = re.findall(r"^```yaml\n# (\S+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    for name, content in blocks:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, "utf-8")
    code, out, told = check(str(tmp_path))
    assert code == 0, out + told
    assert "学校食堂（canteens）：第 1 版，7 个字段" in out


@pytest.mark.parametrize("words", [["无此处"], []])
def test_check_of_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    """A folder that is not there, no folder: code 2 in Chinese."""
    monkeypatch.chdir(tmp_path)
    code, _, told = check(*words)
    assert code == 2
    assert "文件夹" in told


def load(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: this one's Django has the tests' database."""
    environment = os.environ | {"JIAOHENG_DATA": str(data), "JIAOHENG_ENV": "demo", "PYTHONIOENCODING": "utf-8"}
    environment.pop("DATABASE_URL", None)
    environment["DJANGO_SETTINGS_MODULE"] = "jiaoheng.bureau.settings"
    return subprocess.run(
        [sys.executable, "-m", *words], env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )


def test_load_twice_then_a_new_version_then_a_changed_old_one(tmp_path: Path) -> None:
    """First everything, then nothing, then the new version field by field; a changed old version is refused."""
    data, pack = tmp_path / "数据", folder(tmp_path / "包")
    bare = load(data, "jiaoheng", "pack", "load", str(pack))
    assert bare.returncode == 2
    assert "jiaoheng serve" in bare.stderr
    assert load(data, "django", "migrate", "-v0").returncode == 0
    first = load(data, "jiaoheng", "pack", "load", str(pack))
    assert first.returncode == 0, first.stderr
    assert "书架 第 1 版（2025-01-01 起）：2 个字段" in first.stdout
    again = load(data, "jiaoheng", "pack", "load", str(pack))
    assert "共改动 0 处，1 个版本原样未动" in again.stdout
    folder(pack, version=2, day="2025-09-01", more="  - {name: rows, type: integer, title: 层数}")
    newer = load(data, "jiaoheng", "pack", "load", str(pack))
    assert "新增“层数”，旧记录里没有这一项" in newer.stdout
    folder(pack, version=2, day="2025-09-01", more="  - {name: rows, type: integer, title: 格数}")
    refused = load(data, "jiaoheng", "pack", "load", str(pack))
    assert refused.returncode == 2
    assert "version 改为 3" in refused.stderr
    assert "没有装入任何内容" in refused.stderr
