"""A person who knows only Excel: the marked workbook, answered in its drop-downs, gives the same report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from judge_kit import NAMES, TODAY, Key, annotated, asked, book, choose_in_excel, judged, told, yaml_file
from test_judge_questions import SCALED, messy
from typer.testing import CliRunner

from jiaoheng.cli.main import app
from jiaoheng.exams.pipeline import Prepared, prepare
from jiaoheng.exams.report import build_report
from jiaoheng.exams.sample import make_sample
from jiaoheng.exams.summary_json import summary

_OF_FILES = {"sha256", "size", "files", "label", "format"}


def figures(prepared: Prepared) -> Any:
    """summary.json without what says which file was read (the marked copy is another file)."""
    data = json.loads(json.dumps(summary(build_report(prepared), prepared)))
    data["tables"] = [table for table in data["tables"] if table["key"] != "data.files"]
    return {key: value for key, value in data.items() if key != "files"}


def answered_in_excel(folder: Path, out: Path) -> tuple[Path, dict[Key, str]]:
    """Check, annotate, answer; again while answers uncover questions."""
    path, answers = annotated(prepare([folder], today=TODAY), out), {}
    for _ in range(4):
        answers |= choose_in_excel(path, SCALED)
        again = prepare([path], today=TODAY)
        if not again.open:
            break
        path = annotated(again, path)
    return path, answers


@pytest.mark.parametrize("kind", ["messy", "sample"])
def test_answers_in_the_drop_downs_give_the_same_figures_as_in_the_settings(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "成绩"
    if kind == "messy":
        folder.mkdir()
        messy(folder)
    else:
        make_sample(tmp_path, schools=3, pupils=90, seed=5, messy=True)
    marked, answers = answered_in_excel(folder, tmp_path / "待确认.xlsx")
    excel = prepare([marked], today=TODAY)
    written = prepare([folder], settings_path=yaml_file(tmp_path, answers), today=TODAY)
    assert excel.ready, [str(problem) for problem in excel.errors]
    assert written.ready
    assert figures(excel) == figures(written)


def test_the_marked_copy_beside_its_original_counts_once(tmp_path: Path) -> None:
    """People leave both in one folder: the copy, with its answers and corrections, is taken."""
    rows = [[name, 70 + i, "/" if i == 2 else 60 + i] for i, name in enumerate(NAMES[:6])]
    folder = tmp_path / "校"
    first = book(folder / "八年级.xlsx", {"成绩": [["姓名", "语文", "数学"], *rows]})
    marked = annotated(judged(first), folder / "八年级（已填）.xlsx")
    choose_in_excel(marked)
    workbook = openpyxl.load_workbook(marked)
    workbook["成绩"]["B2"] = 99
    workbook.save(marked)
    found = prepare([folder], today=TODAY)
    assert told(found, "annotated-copy").place.file == "八年级.xlsx"
    assert found.ready
    assert found.roster.pupils.height == 6
    assert int(found.roster.scores["语文"].values.max()) == 99
    (folder / "又一份.xlsx").write_bytes(marked.read_bytes())
    assert told(prepare([folder], today=TODAY), "two-copies").remedy == "请只留一份"


def test_words_of_the_question_sheet(tmp_path: Path) -> None:
    """可选 says word and meaning; the drop-down holds the word; both are accepted."""
    rows = [[name, 70 + i, "/" if i == 2 else 60 + i] for i, name in enumerate(NAMES[:6])]
    path = book(tmp_path / "八年级.xlsx", {"成绩": [["姓名", "语文", "数学"], *rows]})
    marked = annotated(judged(path), tmp_path / "OUT.xlsx")
    workbook = openpyxl.load_workbook(marked)
    sheet = workbook["待确认"]
    row = next(row for row in range(4, 20) if sheet.cell(row, 7).value == '["marks", "/"]')
    assert "缺考：应考而没有参加" in sheet.cell(row, 4).value
    rule = next(r for r in sheet.data_validations.dataValidation if str(r.sqref) == f"F{row}")
    assert rule.formula1.strip('"').split(",")[0] == "缺考"
    for text in ("缺考", "应考而没有参加", "缺考：应考而没有参加", "1"):
        sheet.cell(row, 6).value = text
        workbook.save(marked)
        assert prepare([marked], today=TODAY).answered["marks", "/"] == "缺考"


def test_an_answer_against_the_rest_is_told_at_its_cell(tmp_path: Path) -> None:
    rows = [["八年级", name, 70 + i] for i, name in enumerate(NAMES[:6])]
    path = book(tmp_path / "成绩.xlsx", {"S": [["年级", "姓名", "语文"], *rows, ["九年级", NAMES[8], 80]]})
    found = judged(path)
    marked = annotated(found, tmp_path / "OUT.xlsx")
    workbook = openpyxl.load_workbook(marked)
    sheet = workbook["待确认"]
    row = next(row for row in range(4, 20) if sheet.cell(row, 7).value == '["subjects", "语文", "full"]')
    sheet.cell(row, 6).value = "一百"
    workbook.save(marked)
    assert asked(found, "several-grades").default is None
    (error,) = [problem for problem in prepare([marked], today=TODAY).errors if problem.place.sheet == "待确认"]
    assert error.place.cell == f"F{row}"


@pytest.mark.parametrize("kind", ["empty file", "empty folder", "no tables", "rubbish", "nothing there"])
def test_check_of_nothing_useful_says_why_and_ends_with_2(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "材料"
    folder.mkdir()
    target = folder
    if kind == "empty file":
        target = folder / "空.xlsx"
        target.write_bytes(b"")
    elif kind == "nothing there":
        target = folder / "没有.xlsx"
    elif kind != "empty folder":
        (folder / "说明.txt").write_text("请于周五前报送", encoding="utf-8")
    if kind == "rubbish":
        (folder / "照片.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"0" * 50)
        (folder / "乱.xlsx").write_bytes(bytes(range(256)) * 4)
        (folder / "~$成绩.xlsx").write_bytes(b"")
    done = CliRunner().invoke(app, ["exam", "check", str(target)])
    assert done.exit_code == 2
    assert "Traceback" not in done.output
    assert "错误 " in done.output
    assert "内容完全相同" not in done.output
