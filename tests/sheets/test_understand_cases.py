"""The small shared inputs, each with the right value."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sheet_kit import from_file

from jiaoheng.sheets.answers import Answers
from jiaoheng.sheets.places import Severity
from jiaoheng.sheets.reading_model import Measure, PupilBlock, Role, RowClass, ScoreState, SheetKind, SheetReading
from jiaoheng.sheets.understand import understand


def read(folder: Path, name: str, answers: Answers | None = None) -> SheetReading:
    return understand(from_file(folder / name)[0], answers=answers)


def block(reading: SheetReading) -> PupilBlock:
    assert reading.pupils is not None
    return reading.pupils


def states(reading: SheetReading, column: int = 0) -> list[ScoreState]:
    return [ScoreState(value) for value in block(reading).scores[column].states]


def test_c01_ids_keep_zeros_and_are_never_padded(shared_cases: Path) -> None:
    raw = replace(from_file(shared_cases / "C01.xlsx")[0], zero_formats={(2, 0): 10})
    reading = understand(raw)
    assert block(reading).texts[Role.EXAM_NO] == ["0118030001", "0118030002", "118030003"]
    told = {problem.code: problem for problem in reading.problems}
    assert told["leading-zeros"].severity is Severity.NOTE
    assert told["leading-zeros"].place.cell == "A3"
    assert told["id-length"].severity is Severity.WARNING
    assert told["id-length"].place.cell == "A4"
    assert "118030003 有 9 位，本列通常为 10 位" in told["id-length"].message


def test_c02_identity_numbers(shared_cases: Path) -> None:
    reading = read(shared_cases, "C02.xlsx")
    assert block(reading).texts[Role.ID_CARD] == [
        "990000201204070001", "99000020120407001X", None, "990000201204070002", "H12345678(9)",
    ]  # fmt: skip
    told = {problem.code: problem for problem in reading.problems}
    assert told["precision-lost"].severity is Severity.ERROR
    assert told["precision-lost"].place.cell == "B4"
    assert "超过 15 位" in told["precision-lost"].message
    assert told["id-card-check"].place.cell == "B5"
    assert [p.place.cell for p in reading.problems if p.code in ("id-card-check", "precision-lost")] == ["B4", "B5"]


def test_c04_two_level_header_and_merged_class(shared_cases: Path) -> None:
    reading = read(shared_cases, "C04.xlsx")
    assert reading.header_rows == (1, 2)
    assert [column.header for column in reading.columns][:4] == [
        ("班级",), ("姓名",), ("语文", "得分"), ("语文", "班名次"),
    ]  # fmt: skip
    pupils = block(reading)
    assert pupils.texts[Role.CLASS] == ["九(1)班", "九(1)班", "九(2)班"]
    assert [(s.column.subject, s.values.tolist()) for s in pupils.scores] == [
        ("语文", [100_000, 95_000, 110_000]), ("数学", [90_000, 95_000, 120_000]),
    ]  # fmt: skip
    ranks = {(d.column.subject, d.column.rank_scope): (d.values // 1000).tolist() for d in pupils.declared}
    assert ranks["数学", "grade"] == [3, 2, 1]
    assert reading.declared.grade == "九年级"


def test_c06_states_stay_apart(shared_cases: Path) -> None:
    s = ScoreState
    reading = read(shared_cases, "C06.xlsx")
    expected = [s.SCORED, s.SCORED, s.ABSENT, s.MISSING, s.EXEMPT, s.CHEATED, s.UNRESOLVED, s.UNRESOLVED]
    assert states(reading) == expected
    assert block(reading).scores[0].values.tolist()[:2] == [90_000, 0]
    asked = {question.key: question for question in reading.questions}
    assert set(asked) == {("marks", "/"), ("marks", "-")}
    assert asked["marks", "/"].default is None
    assert all(question.blocking for question in reading.questions)
    assert [choice.value for choice in asked["marks", "/"].choices][:2] == ["缺考", "缺失"]
    answered = read(shared_cases, "C06.xlsx", Answers(marks={"/": "未选", "-": "缺考"}))
    assert states(answered)[-2:] == [s.NOT_CHOSEN, s.ABSENT]
    assert answered.questions == ()


def test_c12_blank_is_missing_and_not_zero(shared_cases: Path) -> None:
    assert states(read(shared_cases, "C12_v1.xlsx")) == [ScoreState.SCORED] * 3
    second = read(shared_cases, "C12_v2.xlsx")
    assert states(second) == [ScoreState.SCORED, ScoreState.MISSING, ScoreState.ABSENT]
    assert block(second).scores[0].values.tolist() == [85_000, 0, 0]


def test_c14_two_columns_of_one_subject_are_asked(shared_cases: Path) -> None:
    reading = read(shared_cases, "C14.xlsx")
    questions = reading.questions
    assert [q.key for q in questions] == [("columns", "C14.xlsx|Sheet1|C"), ("columns", "C14.xlsx|Sheet1|D")]
    assert {q.code for q in questions} == {"duplicate-subject"}
    assert all(q.default is None and q.blocking for q in questions)
    assert "C 列“化学”、D 列“化学”" in questions[0].text
    assert "总分列里加的是 D 列" in questions[0].text
    answers = Answers(columns={"C14.xlsx|Sheet1|C": "原始分", "C14.xlsx|Sheet1|D": "赋分"})
    settled = read(shared_cases, "C14.xlsx", answers)
    assert settled.questions == ()
    assert [s.column.measure for s in block(settled).scores] == [Measure.RAW, Measure.SCALED]
    ignored = read(shared_cases, "C14.xlsx", Answers(columns={"C14.xlsx|Sheet1|C": "忽略"}))
    assert ignored.questions == ()
    assert [s.values.tolist()[0] for s in block(ignored).scores] == [70_000]


def test_c15_rows_by_class_and_date(shared_cases: Path) -> None:
    reading = read(shared_cases, "C15.xlsx")
    r = RowClass
    expected = [r.TITLE, r.UNIT_LINE, r.HEADER, r.PUPIL, r.PUPIL, r.PUPIL, r.FOOTER, r.FOOTER, r.BLANK, r.SIGNATURE]
    assert [RowClass(value) for value in reading.row_classes] == expected
    assert reading.declared.exam_date == "2025-06-20"
    assert reading.declared.school == "某校"
    assert reading.declared.means == {"语文": "83.33"}
    assert np.mean(block(reading).scores[0].values) / 1000 == pytest.approx(83.3333, abs=1e-4)
    assert [p.place.row for p in reading.problems if p.code == "row-left-out"] == [7, 8, 10]


def test_c21_range_and_text_numbers(shared_cases: Path) -> None:
    reading = read(shared_cases, "C21.xlsx", Answers(full_marks={"语文": 150_000, "数学": 150_000}))
    told = [(p.code, p.severity.value, p.place.cell) for p in reading.problems]
    assert told == [
        ("score-above-full", "error", "B2"),
        ("negative-score", "error", "B3"),
        ("many-decimals", "warning", "B5"),
        ("full-width-number", "note", "B4"),
        ("unit-removed", "note", "B7"),
    ]
    assert str(reading.problems[0]).endswith("B2：语文成绩 155 超过满分 150。请改正，或在考试设置中修改满分。")
    chinese = block(reading).scores[0]
    assert chinese.values.tolist() == [0, 0, 101_000, 99_111, 100_000, 100_000]
    assert states(reading)[:2] == [ScoreState.INVALID, ScoreState.INVALID]
    assert block(reading).declared[0].values.tolist()[4] == 195_000


def test_c27_words_are_no_numbers(shared_cases: Path) -> None:
    reading = read(shared_cases, "C27.xlsx")
    (problem,) = reading.problems
    assert (problem.code, problem.place.row, problem.place.cell) == ("not-a-score", 5, "C5")
    assert "数学成绩“八十”" in problem.message
    mended = read(shared_cases, "C27.xlsx", Answers(cells={"C27.xlsx|Sheet1|C5": "80"}))
    assert mended.problems == ()
    assert block(mended).scores[0].values.tolist() == [80_000, 70_000, 60_000, 80_000, 50_000]


def test_c30_full_marks_and_weights(shared_cases: Path) -> None:
    reading = read(shared_cases, "C30.xlsx")
    assert [RowClass(v) for v in reading.row_classes] == [
        RowClass.HEADER, RowClass.FULL_MARK, RowClass.WEIGHT, RowClass.PUPIL,
    ]  # fmt: skip
    assert reading.declared.full_marks["语文"] == 120_000
    assert reading.declared.weights == {
        "语文": "1", "数学": "1", "英语": "1", "政治": "0.5", "历史": "0.4", "物理": "0.5", "生物": "0.3", "地理": "0.3",
    }  # fmt: skip


def test_c31_make_up_scores(shared_cases: Path) -> None:
    reading = read(shared_cases, "C31.xlsx")
    scores = block(reading).scores[0]
    assert states(reading) == [ScoreState.SCORED, ScoreState.SCORED, ScoreState.UNRESOLVED]
    assert scores.values.tolist() == [57_000, 80_000, 0]
    assert dict(scores.make_up) == {0: 60_000}
    (question,) = reading.questions
    assert (question.code, question.key) == ("ambiguous-pair", ("cells", "C31.xlsx|Sheet1|B4"))
    answer = Answers(cells={"C31.xlsx|Sheet1|B4": question.choices[0].value})
    answered = read(shared_cases, "C31.xlsx", answer)
    assert answered.questions == ()
    assert dict(block(answered).scores[0].make_up) == {0: 60_000, 2: 5_000}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("C07.xlsx", SheetKind.OTHER), ("C10.xlsx", SheetKind.AGGREGATE), ("C11.xlsx", SheetKind.AGGREGATE), ("C28.xlsx", SheetKind.AGGREGATE)],
)  # fmt: skip
def test_tables_without_pupils(shared_cases: Path, name: str, kind: SheetKind) -> None:
    reading = read(shared_cases, name)
    assert reading.kind is kind
    assert reading.pupils is None
    assert len(reading.problems) == 1
