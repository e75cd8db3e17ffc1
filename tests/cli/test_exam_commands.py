"""The commands as a person runs them: exit codes, words, nothing half written."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import xlsxwriter
from typer.testing import CliRunner

from jiaoheng.cli.main import app

COMMAND = [sys.executable, "-m", "jiaoheng"]
SETTINGS = """
name: 2026年九年级期末考试
date: 2026-06-20
stage: 初中
grade: 九年级
nature: 校内考试
subjects:
  语文: {full: 120}
  数学: {full: 120}
"""
Rows = list[list[object]]
GOOD: Rows = [
    ["学号", "姓名", "班级", "语文", "数学"],
    ["001", "甲", "九(1)班", 100, 90],
    ["002", "乙", "九(1)班", 80.5, 60],
    ["003", "丙", "九(2)班", "缺考", 70],
]


def book(path: Path, rows: Rows, sheet: str = "成绩") -> Path:
    """A workbook of plain cells."""
    with xlsxwriter.Workbook(str(path)) as made:
        page = made.add_worksheet(sheet)
        for r, row in enumerate(rows):
            for c, value in enumerate(row):
                page.write(r, c, value)
    return path


@dataclass(frozen=True)
class Done:
    """How a command ended and what it said."""

    returncode: int
    stdout: str
    stderr: str


def run(*arguments: object) -> Done:
    """Run the command line in this process; no terminal."""
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    return Done(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "设置.yaml"
    path.write_text(SETTINGS, encoding="utf-8")
    return path


def test_report_writes_all_outputs(tmp_path: Path, settings: Path) -> None:
    """Four outputs and the lists; the summary says what the sheet holds."""
    out = tmp_path / "结果"
    done = run("exam", "report", book(tmp_path / "成绩.xlsx", GOOD), "--out", out, "--settings", settings, "--yes")
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in out.iterdir()) == [
        "lists.xlsx",
        "report.docx",
        "report.html",
        "summary.json",
        "tables.xlsx",
    ]
    data = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    rows = {row["paper"]: row for row in next(t for t in data["tables"] if t["key"] == "county.papers")["rows"]}
    assert rows["语文"]["mean"] == {"value": 90.25, "text": "90.25", "few": True}
    assert rows["数学"]["n"]["value"] == 3
    assert "Traceback" not in done.stderr


def test_help_and_version_speak() -> None:
    """Help is Chinese and lists the commands."""
    done = run("exam", "--help")
    assert done.returncode == 0
    assert all(word in done.stdout for word in ("check", "report", "template", "sample", "检查成绩文件"))
    assert run("--version").stdout.startswith("jiaoheng ")


BAD: list[tuple[str, Rows, list[str]]] = [
    ("no score column", [["学号", "姓名", "班级"], ["001", "甲", "九(1)班"]], ["成绩"]),
    ("empty sheet", [], ["空"]),
    ("above full", [*GOOD, ["004", "丁", "九(2)班", 155, 60]], ["D5", "155", "120"]),
    ("negative", [*GOOD, ["004", "丁", "九(2)班", -1, 60]], ["D5", "-1"]),
    ("words", [*GOOD, ["004", "丁", "九(2)班", "八十", 60]], ["D5", "八十"]),
    ("two values of one pupil", [*GOOD, ["001", "甲", "九(1)班", 99, 90]], ["001", "99", "100"]),
]


@pytest.mark.parametrize(("what", "rows", "words"), BAD, ids=[case[0] for case in BAD])
def test_bad_sheets_are_refused_with_the_place(
    what: str, rows: Rows, words: list[str], tmp_path: Path, settings: Path
) -> None:
    """Exit 2, the place and the value in words, no output folder, no traceback."""
    out = tmp_path / "结果"
    done = run("exam", "report", book(tmp_path / "表.xlsx", rows), "--out", out, "--settings", settings, "--yes")
    assert done.returncode == 2, (what, done.stdout, done.stderr)
    assert not out.exists()
    for word in words:
        assert word in done.stderr, (what, word, done.stderr)
    assert "Traceback" not in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["表.xlsx", "设置.yaml"]


ODD: list[tuple[str, Rows]] = [
    ("one pupil", GOOD[:2]),
    ("all absent", [GOOD[0], ["001", "甲", "九(1)班", "缺考", "缺考"], ["002", "乙", "九(1)班", "缺考", "缺考"]]),
    ("zero variance", [GOOD[0], *[[f"{i:03}", f"生{i}", "九(1)班", 60, 70 + i] for i in range(12)]]),
    ("all zero", [GOOD[0], *[[f"{i:03}", f"生{i}", "九(1)班", 0, 0] for i in range(12)]]),
    ("one subject absent for all", [GOOD[0], *[[f"{i:03}", f"生{i}", "九(1)班", 60 + i, "缺考"] for i in range(12)]]),
]


@pytest.mark.parametrize(("what", "rows"), ODD, ids=[case[0] for case in ODD])
def test_odd_but_valid_exams_give_a_report(what: str, rows: Rows, tmp_path: Path, settings: Path) -> None:
    """Few pupils, nobody there, no spread: a report with dashes, never a fault."""
    out = tmp_path / "结果"
    done = run(
        "exam",
        "report",
        book(tmp_path / "表.xlsx", rows),
        "--out",
        out,
        "--settings",
        settings,
        "--yes",
        "--school-packs",
    )
    assert done.returncode == 0, (what, done.stderr)
    assert (out / "report.html").stat().st_size > 10_000


def test_full_mark_zero_is_refused(tmp_path: Path) -> None:
    """A full mark of 0 in the settings names file, line and field."""
    path = tmp_path / "设置.yaml"
    path.write_text(SETTINGS.replace("语文: {full: 120}", "语文: {full: 0}"), encoding="utf-8")
    done = run("exam", "report", book(tmp_path / "表.xlsx", GOOD), "--out", tmp_path / "结果", "--settings", path)
    assert done.returncode == 2
    assert "设置.yaml" in done.stderr
    assert "满分" in done.stderr


@pytest.mark.parametrize("name", ["没有这个文件.xlsx", "没有这个文件夹"])
def test_a_vanished_file_is_named(name: str, tmp_path: Path) -> None:
    """A path that does not exist is bad input with its name."""
    done = run("exam", "report", tmp_path / name, "--out", tmp_path / "结果")
    assert done.returncode == 2
    assert name in done.stderr
    assert not (tmp_path / "结果").exists()


def test_out_that_is_a_file_is_refused(tmp_path: Path, settings: Path) -> None:
    """The output folder's name is taken by a file: said before any work."""
    out = tmp_path / "结果"
    out.write_text("我的文件", encoding="utf-8")
    done = run("exam", "report", book(tmp_path / "表.xlsx", GOOD), "--out", out, "--settings", settings, "--yes")
    assert done.returncode == 2
    assert "是一个文件" in done.stderr
    assert out.read_text(encoding="utf-8") == "我的文件"


def test_joint_exam_of_a_lower_grade_is_barred(tmp_path: Path) -> None:
    """Two schools, grade 8, 2026, no nature declared: refused with the rule's name; monitoring with number passes."""
    rows: Rows = [["学校", "学号", "姓名", "语文", "数学"]]
    rows += [[f"{'甲乙'[i % 2]}校", f"{i:03}", f"生{i}", 60 + i, 70 + i] for i in range(24)]
    path = book(tmp_path / "表.xlsx", rows)
    base = (
        SETTINGS.replace("九年级期末", "八年级期末")
        .replace("grade: 九年级", "grade: 八年级")
        .replace("nature: 校内考试\n", "")
    )
    settings = tmp_path / "设置.yaml"
    settings.write_text(base, encoding="utf-8")
    done = run("exam", "report", path, "--out", tmp_path / "一", "--settings", settings, "--yes")
    assert done.returncode == 2
    assert "进一步加强中小学日常考试管理" in done.stderr
    assert "批准文号" in done.stderr
    settings.write_text(base + "nature: 质量监测\napproval_document: 教监〔2026〕3号\n", encoding="utf-8")
    done = run("exam", "report", path, "--out", tmp_path / "二", "--settings", settings, "--yes", "--school-packs")
    assert done.returncode == 0, done.stderr
    tables = json.loads((tmp_path / "二" / "summary.json").read_text(encoding="utf-8"))["tables"]
    schools = next(t for t in tables if t["key"] == "school.总分")
    assert not [c for c in schools["columns"] if c["key"] == "rank"]


def test_existing_results_are_replaced_whole_and_strangers_stay(tmp_path: Path, settings: Path) -> None:
    """A second run replaces its own files and touches no other."""
    out = tmp_path / "结果"
    out.mkdir()
    (out / "我的笔记.txt").write_text("留着", encoding="utf-8")
    path = book(tmp_path / "表.xlsx", GOOD)
    for _ in range(2):
        assert run("exam", "report", path, "--out", out, "--settings", settings, "--yes").returncode == 0
    assert (out / "我的笔记.txt").read_text(encoding="utf-8") == "留着"
    assert not [p for p in out.iterdir() if p.name.startswith(".")]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_interruption_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C in the middle: words, not a traceback; no output, no temporary folder."""
    folder = tmp_path / "样例"
    assert run("exam", "sample", "--out", folder, "--schools", "6", "--pupils", "1200").returncode == 0
    out = tmp_path / "结果"
    words = [*COMMAND, "exam", "report", str(folder), "--out", str(out), "--yes", "--school-packs"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not list(tmp_path.glob(".结果-*")):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "已中断" in said
    assert "Traceback" not in said
    assert [p.name for p in tmp_path.iterdir()] == ["样例"]


def test_full_disk_is_said_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No space left while writing: the place, the remedy, no half result."""
    from jiaoheng.cli.console import FAULT, guarded
    from jiaoheng.cli.outputs import whole_folder

    out = tmp_path / "结果"

    def work() -> int:
        with whole_folder(out) as folder:
            (folder / "tables.xlsx").write_text("半个", encoding="utf-8")
            raise OSError(errno.ENOSPC, "No space left on device", str(folder / "report.docx"))
        return 0

    assert guarded(work) == FAULT
    assert "磁盘空间不足" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_template_is_usable(tmp_path: Path) -> None:
    """The empty workbook and the commented settings come out and are understood."""
    out = tmp_path / "模板"
    assert run("exam", "template", "--out", out).returncode == 0
    assert {p.name for p in out.iterdir()} == {"成绩模板.xlsx", "exam.yaml"}
    done = run("exam", "check", out, "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["pupils"] == 0


def test_annotated_workbook_gives_the_report(tmp_path: Path, settings: Path) -> None:
    """Mark, answer in the drop-down's cell, mend the bad cell, report: a person who knows only Excel is done."""
    import openpyxl

    rows: Rows = [*GOOD, ["004", "丁", "九(2)班", 155, "/"], ["005", "戊", "九(2)班", 66, 77]]
    path = book(tmp_path / "表.xlsx", rows)
    marked = tmp_path / "待确认.xlsx"
    assert run("exam", "check", path, "--settings", settings, "--annotate", marked).returncode == 2
    work = openpyxl.load_workbook(marked)
    assert work.sheetnames[0] == "待确认"
    assert work["成绩"]["D5"].comment is not None
    page = work["待确认"]
    header = next(row for row in page.iter_rows() if row[5].value == "您的答复")
    answered = 0
    for row in page.iter_rows(min_row=header[0].row + 1):
        if row[6].value and "marks" in str(row[6].value):
            row[5].value = "缺考"
            answered += 1
    assert answered == 1
    work["成绩"]["D5"] = 115
    work.save(marked)
    out = tmp_path / "结果"
    done = run("exam", "report", marked, "--out", out, "--settings", settings, "--yes")
    assert done.returncode == 0, done.stderr
    data = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    papers = {row["paper"]: row for row in next(t for t in data["tables"] if t["key"] == "county.papers")["rows"]}
    assert papers["语文"]["max"]["value"] == 115
    assert papers["数学"]["participants"]["value"] == 4
