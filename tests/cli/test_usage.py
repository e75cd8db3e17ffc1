"""Calls that the command line does not understand: Chinese words, code 2."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jiaoheng.cli.main import app

CASES = [
    (["exam", "report"], "缺少“文件或文件夹”"),
    (["exam", "report", "x.xlsx"], "缺少选项“--out”"),
    (["exam", "report", "x.xlsx", "--out"], "“--out”后面缺少它的值"),
    (["exam", "report", "x.xlsx", "--nope"], "没有选项“--nope”"),
    (["exam", "report", "x.xlsx", "--ot", "y"], "是不是 --out"),
    (["exam", "nope"], "没有命令“nope”"),
    (["nope"], "没有命令“nope”"),
    (["exam", "sample", "--out", "x", "--schools", "许多"], "“--schools”的值不合要求，应为整数"),
    (["exam", "sample", "--out", "x", "--schools", "0"], "应为不小于 1 的整数"),
    (["exam", "sample", "--out", "x", "--schools", "9999"], "应为不大于 2000 的整数"),
    (["exam", "template", "--out", "x", "多余"], "多出了不认识的“多余”"),
]


@pytest.mark.parametrize(("words", "told"), CASES, ids=[" ".join(case[0]) for case in CASES])
def test_usage_errors_are_chinese(words: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong, where to read on, nothing in English, nothing written."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert told in done.stderr
    assert "--help" in done.stderr
    assert not re.search(r"[A-Z][a-z]+ [a-z]+", done.stderr)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["report", "check"])
def test_nonsense_limits_are_named(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit of the environment that is no number: its name and value, code 2."""
    monkeypatch.setenv("JIAOHENG_READ_CELLS", "很多")
    words = ["exam", command, str(tmp_path)] + (["--out", str(tmp_path / "结果")] if command == "report" else [])
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert "环境变量 JIAOHENG_READ_CELLS 应为正整数，现为“很多”" in done.stderr
    assert "取消" in done.stderr
    assert not list(tmp_path.iterdir())
