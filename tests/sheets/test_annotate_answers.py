"""Answers given in the sheet 待确认 come back as settings, the sheets under their original names."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest
from annotate_kit import (
    ERROR,
    QUESTION,
    QUOTED,
    SHEET,
    WARNING,
    column_question,
    fill_in,
    fills,
    full_question,
    mark_question,
    notes,
    parts,
    problem,
    read,
    rich_workbook,
)
from hypothesis import given
from hypothesis import strategies as st

from jiaoheng.sheets.annotate import annotate, read_answers, restore
from jiaoheng.sheets.annotate_memory import decode_key, encode_key, match_origins
from jiaoheng.sheets.places import Choice, Place, Question, Severity
from jiaoheng.sheets.question_answers import cell_text, matched
from jiaoheng.sheets.workbook import Sheet

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
MARKS, FULL = ("marks", "/"), ("subjects", "数学", "full")
COLUMN = ("columns", f"甲校.xlsx|{SHEET}|C")
QUESTIONS = [mark_question(), full_question(), column_question()]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    found = [problem(5, 3), problem(3, 2), problem(10, 4, Severity.WARNING)]
    return annotate(rich_workbook(tmp_path / "甲校.xlsx"), None, found, QUESTIONS, tmp_path / "OUT.xlsx").path


def test_answers_and_origins_come_back(copy: Path) -> None:
    """Labels become values, sheets their originals, and our own two sheets are gone."""
    fill_in(copy, {4: "缺考", 5: 150, 6: "一门名称很长的科目,第3门"}, {(SHEET, "C5"): 84.5})
    sheets, answered = restore(read(copy))
    assert answered.answers == {MARKS: "缺考", FULL: "150", COLUMN: "一门名称很长的科目,第3门"}
    assert answered.problems == ()
    assert answered.origin == {
        ("OUT.xlsx", SHEET): ("甲校.xlsx", SHEET),
        ("OUT.xlsx", QUOTED): ("甲校.xlsx", QUOTED),
    }
    assert [(sheet.file, sheet.name) for sheet in sheets] == [("甲校.xlsx", SHEET), ("甲校.xlsx", QUOTED)]
    assert sheets[0].rows[4][2] == 84.5


def test_other_files_are_left_alone(copy: Path) -> None:
    other = Sheet("乙校.xlsx", "待确认", [["待确认名单"], ["甲"]])
    sheets, answered = restore([other, *read(copy)])
    assert sheets[0] is other
    assert answered.answers == {}
    assert len(sheets) == 3


@pytest.mark.parametrize(
    "text",
    ["未选考", "未选", "未选：未选考", "1. 未选：未选考", " 未 选 考", "1", "１", "1.0", "1. 未选考", "默认", 1, 1.0],
)
def test_answers_are_understood_in_every_spelling(copy: Path, text: object) -> None:
    fill_in(copy, {4: text})
    assert read_answers(read(copy)).answers == {MARKS: "未选"}


def test_a_wrong_answer_is_named_with_its_cell(copy: Path) -> None:
    fill_in(copy, {4: "也许", 6: "41"})
    answered = read_answers(read(copy))
    assert answered.answers == {}
    first, second = answered.problems
    assert str(first) == (
        "OUT.xlsx 工作表“待确认” F4：答复“也许”不在可选范围内（可选：未选、缺考、缺失）。"
        "请在该单元格的下拉列表中选一项。"
    )
    assert (first.code, first.severity) == ("answer-not-a-choice", Severity.ERROR)
    assert second.place.cell == "F6"


def test_answers_beside_no_question_are_said(copy: Path) -> None:
    """A person who writes into the list of errors must learn that nobody reads it."""
    fill_in(copy, {10: "已改"})
    (problem_found,) = read_answers(read(copy)).problems
    assert problem_found.message == "这一行不是问题，填写的“已改”没有采用"
    assert problem_found.severity is Severity.WARNING


def test_rows_may_be_sorted_copied_and_moved(copy: Path) -> None:
    """The key stands in the row: order does not matter; two different answers to one question do."""
    book = openpyxl.load_workbook(copy)
    sheet = book["待确认"]
    rows = [[cell.value for cell in row] for row in sheet["A4:G6"]]
    for offset, row in enumerate(reversed(rows)):
        for column, value in enumerate(row, 1):
            sheet.cell(4 + offset, column).value = value
    sheet["F6"] = "缺考"
    sheet["F9"], sheet["G9"] = "没有成绩", sheet["G6"].value
    book.save(copy)
    answered = read_answers(read(copy))
    assert answered.answers == {MARKS: "缺考"}
    assert [found.code for found in answered.problems] == ["answer-conflict"]
    assert answered.problems[0].message == "同一个问题有两个不同的答复：“缺考”和“缺失”"


def test_two_copies_that_contradict_each_other(copy: Path, tmp_path: Path) -> None:
    other = tmp_path / "OUT2.xlsx"
    shutil.copy(copy, other)
    fill_in(copy, {4: "缺考"})
    fill_in(other, {4: "未选考"})
    answered = read_answers([*read(copy), *read(other)])
    assert [found.code for found in answered.problems] == ["answer-conflict"]


def test_renamed_and_new_sheets(copy: Path) -> None:
    """One renamed sheet is the one left over; with a new sheet beside it nothing is guessed."""
    book = openpyxl.load_workbook(copy)
    book[SHEET].title = "改名"
    book.save(copy)
    assert read_answers(read(copy)).origin["OUT.xlsx", "改名"] == ("甲校.xlsx", SHEET)
    book = openpyxl.load_workbook(copy)  # openpyxl can save a picture once only
    book.create_sheet("新").append(["考号"])
    book.save(copy)
    answered = read_answers(read(copy))
    assert set(answered.origin) == {("OUT.xlsx", QUOTED)}
    assert {found.place.sheet for found in answered.problems} == {"改名", "新"}
    assert {found.code for found in answered.problems} == {"annotated-sheet-unknown"}


def test_a_lost_memory_is_an_error_only_where_answers_stand(copy: Path) -> None:
    book = openpyxl.load_workbook(copy)
    del book["_教衡"]
    book.save(copy)
    assert read_answers(read(copy)).problems == ()
    fill_in(copy, {4: "缺考"})
    answered = read_answers(read(copy))
    assert [found.code for found in answered.problems] == ["answer-memory-missing"]
    assert answered.answers == {}


def test_a_lost_header_is_an_error(copy: Path) -> None:
    book = openpyxl.load_workbook(copy)
    book["待确认"].delete_rows(3)
    book.save(copy)
    assert [found.code for found in read_answers(read(copy)).problems] == ["answer-sheet-changed"]


def test_second_run_replaces_and_restores(copy: Path, tmp_path: Path) -> None:
    """Fixed cells get their format back, answers stay although nobody asks any more, nothing is stacked."""
    fill_in(copy, {4: "缺考", 5: "150"})
    answered = read_answers(read(copy))
    again = annotate(
        copy, None, [problem(10, 4)], [column_question()], tmp_path / "AGAIN.xlsx", answered=answered.answers
    )
    assert fills(again.path, SHEET) == {"D10": ERROR, "C2": QUESTION}
    assert set(notes(again.path, SHEET)) == {"B3", "D10", "C2"}
    assert notes(again.path, SHEET)["B3"] == "自己的批注：转学生"
    book = openpyxl.load_workbook(again.path)
    assert [sheet.title for sheet in book.worksheets] == ["待确认", SHEET, QUOTED, "_教衡"]
    assert book[SHEET]["C5"].fill.fill_type is None
    assert book[SHEET]["D2"].fill.fgColor.rgb == "FFDDEEFF"
    assert book[SHEET]["C5"].number_format == "0.0"
    answers = {row[0].value: row[5].value for row in book["待确认"]["A4:G6"]}
    assert answers == {"1": None, "2": "缺考", "3": "150"}
    assert book["待确认"]["A1"].value == "1 个问题等您答复，2 个问题已经答复，1 处错误要改。填完后保存，再次运行。"
    assert read_answers(read(again.path)).answers == {MARKS: "缺考", FULL: "150"}
    origin = read_answers(read(again.path)).origin
    assert origin["AGAIN.xlsx", SHEET] == ("甲校.xlsx", SHEET)


def test_repeated_runs_do_not_grow(copy: Path) -> None:
    """In place, again and again: the same parts, the same formats."""
    found = [problem(5, 3), problem(3, 2)]
    sizes = set()
    annotate(copy, None, found, QUESTIONS, copy)
    for _ in range(4):
        annotate(copy, None, found, QUESTIONS, copy)
        now = parts(copy)
        sizes.add((len(now), len(now["xl/styles.xml"]), len(now["xl/comments1.xml"]), len(now["xl/workbook.xml"])))
    assert len(sizes) == 1


def test_answered_questions_are_prefilled(tmp_path: Path) -> None:
    book = rich_workbook(tmp_path / "甲校.xlsx")
    done = annotate(book, None, [], QUESTIONS, tmp_path / "OUT.xlsx", answered={MARKS: "缺失", FULL: "120"})
    sheet = openpyxl.load_workbook(done.path)["待确认"]
    assert [sheet.cell(row, 6).value for row in (4, 5, 6)] == ["缺失", "120", None]
    assert read_answers(read(done.path)).answers == {MARKS: "缺失", FULL: "120"}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_opens_saves_and_the_second_run_still_finds_its_marks(copy: Path, tmp_path: Path) -> None:
    """Another program renumbers every format and rewrites the notes; they are found by look and by words."""
    fill_in(copy, {4: "缺考"})
    (tmp_path / "lo").mkdir()
    command = ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to", "xlsx"]
    subprocess.run(
        [*command, "--outdir", str(tmp_path / "lo"), str(copy)], check=True, capture_output=True, timeout=180
    )
    saved = tmp_path / "lo" / "OUT.xlsx"
    assert read_answers(read(saved)).answers == {MARKS: "缺考"}
    again = annotate(saved, None, [problem(10, 4, Severity.WARNING)], [], tmp_path / "AGAIN.xlsx")
    assert fills(again.path, SHEET) == {"D10": WARNING}
    assert set(notes(again.path, SHEET)) == {"B3", "D10"}
    assert "教衡" not in notes(again.path, SHEET)["B3"]
    assert openpyxl.load_workbook(again.path)[SHEET]["D2"].fill.fgColor.rgb == "FFDDEEFF"


@given(st.lists(st.text(), min_size=1).map(tuple))
def test_keys_survive_the_cell(key: tuple[str, ...]) -> None:
    assert decode_key(encode_key(key)) == key


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_value_always_finds_itself(first: str, second: str) -> None:
    """Label or value of a lone choice is understood whatever characters it has."""
    choices = [Choice(first, second)]
    for text in (first, second):
        if text.strip() and matched(text, choices) != first:
            assert not "".join(text.split())  # nothing but blanks


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""), (150.0, "150"), (0.5, "0.5"), (7, "7"), (True, "是"), (" 甲\u3000", "甲"), ("'001", "001"),
        (dt.datetime(2025, 6, 20), "2025-06-20"), (dt.date(2025, 6, 20), "2025-06-20"),
    ],
)  # fmt: skip
def test_answer_cells_become_text(cell: object, text: str) -> None:
    assert cell_text(cell) == text


def test_garbage_in_the_key_column_is_no_key() -> None:
    assert [decode_key(text) for text in ("[", "[]", "[1]", "{}", None, 3.0, "[" * 5000)] == [None] * 7


def test_free_numbers_in_full_width_are_numbers() -> None:
    assert matched("１５０．５ ", []) == "150.5"
    assert matched(" 第一中学（东）", []) == "第一中学（东）"


def test_numbers_that_are_values_are_not_positions() -> None:
    """With the choices 100 and 2 the answer 2 means the value 2, not the second."""
    assert matched("2", [Choice("2", "2 分"), Choice("100", "100 分")]) == "2"


def test_origins_are_matched_by_name_first() -> None:
    memory = {"甲": ("a", "1"), "乙": ("b", "2")}
    assert match_origins(memory, ["乙", "丙"]) == {"乙": ("b", "2"), "丙": ("a", "1")}
    assert match_origins(memory, ["丙", "丁"]) == {}


def test_question_without_a_place_is_asked(tmp_path: Path) -> None:
    """A question about the exam as a whole has no cell."""
    question = Question("nature", ("nature",), Place(), "考试性质是什么？", (Choice("校内考试", "校内考试"),))
    done = annotate(rich_workbook(tmp_path / "甲校.xlsx"), None, [], [question], tmp_path / "OUT.xlsx")
    assert openpyxl.load_workbook(done.path)["待确认"]["B4"].value == "全部文件"
    assert done.marked == 0
