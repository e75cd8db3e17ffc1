"""Real files: kind, header row, counts by class of row, pupils, columns."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sheet_kit import from_file, sheet

from jiaoheng.sheets.answers import Answers
from jiaoheng.sheets.reading_model import Measure, Role, RowClass, ScoreState, SheetKind, SheetReading
from jiaoheng.sheets.understand import understand
from jiaoheng.sheets.workbook import Sheet


def load(path: Path) -> list[Sheet]:
    if path.suffix != ".csv":
        return from_file(path)
    return [sheet(list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig")))), file=path.name, name="")]


def first(folder: Path, name: str, number: int = 0) -> SheetReading:
    path = folder / name
    if not path.is_file():
        pytest.skip(f"{name} is not on this machine")
    return understand(load(path)[number])


R = RowClass
NINE = ["语文", "数学", "英语", "物理", "化学", "生物", "政治", "历史", "地理"]


@pytest.mark.parametrize(
    ("name", "number", "kind", "header", "rows", "subjects"),
    [
        ("cyr_测试数据2.xlsx", 0, "scores", (1,), {R.TITLE: 1, R.HEADER: 1, R.PUPIL: 400},
         ["语文", "数学", "英语", "道德与法治", "历史", "生物", "地理"]),
        ("deepchirp_04高一上_期末.csv", 0, "scores", (0,), {R.HEADER: 1, R.PUPIL: 801}, NINE),
        ("deepchirp_20高三上_七月检测.csv", 0, "scores", (0,), {R.HEADER: 1, R.PUPIL: 669}, ["语文", "数学", "外语", *NINE[3:]]),
        ("eas_sample.xlsx", 0, "scores", (0,), {R.HEADER: 1, R.PUPIL: 200},
         ["语文", "数学", "英语", "物理", "化学", "生物", "历史", "地理", "道德与法治", "体育"]),
        ("fengyec2_1.xlsx", 0, "scores", (0,), {R.HEADER: 1, R.PUPIL: 59}, NINE[:6]),
        ("fengyec2_4_中途缺考测试.xlsx", 0, "scores", (0,), {R.HEADER: 1, R.PUPIL: 58}, NINE[:6]),
        ("fengyec2_5_新同学测试.xlsx", 0, "scores", (0,), {R.HEADER: 1, R.PUPIL: 60}, NINE[:6]),
        ("fengyec2_5_缺列测试.xlsx", 0, "scores", (0,), {R.HEADER: 1, R.PUPIL: 59}, NINE[:6]),
        ("lxz_考试成绩.masked.xlsx", 0, "scores", (0,), {R.HEADER: 1, R.PUPIL: 574}, [*NINE, "技术"]),
        ("lxz_考试成绩.masked.xlsx", 1, "scores", (0,), {R.HEADER: 1, R.PUPIL: 567}, [*NINE, "技术"]),
        ("myr_chengji_20181127_a67eeb86.xlsx", 0, "scores", (2,),
         {R.TITLE: 1, R.CODE_LINE: 1, R.HEADER: 1, R.PUPIL: 18}, ["语文", "数学", "外语"]),
        ("myr_chengji_20181203_4f342727.xlsx", 0, "scores", (2,),
         {R.TITLE: 1, R.CODE_LINE: 1, R.HEADER: 1, R.PUPIL: 2800}, ["语文", "数学", "外语"]),
        ("myr_chengji_20190429_8fb8bebc.xls", 0, "scores", (2,),
         {R.TITLE: 1, R.CODE_LINE: 1, R.HEADER: 1, R.PUPIL: 16}, ["语文", "外语"]),
        ("myr_chengji_20190429_98721326.xls", 0, "pupils", (0,), {R.HEADER: 1, R.PUPIL: 32}, []),
        ("myr_student_template.xlsx", 0, "pupils", (2,),
         {R.TITLE: 1, R.BLANK: 1, R.HEADER: 1, R.SAMPLE: 1, R.EMPTY_PUPIL: 500}, []),
        ("myr_student_template.xlsx", 1, "empty", (), {}, []),
        ("nyc_schools.csv", 0, "aggregate", (0,), {R.HEADER: 1, R.SKIPPED: 375}, []),
        ("uk_england_ks4final.csv", 0, "aggregate", (0,), {R.HEADER: 1, R.SKIPPED: 5516}, []),
        ("stema_200530-9-省份平均分统计.xlsx", 0, "aggregate", (0,), {R.HEADER: 1, R.SKIPPED: 35}, []),
        ("star_Ecdat_Star.csv", 0, "other", (), {R.SKIPPED: 5749}, []),
    ],
)  # fmt: skip
def test_kind_header_rows_and_subjects(
    shared_real: Path, name: str, number: int, kind: str, header: tuple[int, ...], rows: dict[RowClass, int], subjects: list[str]
) -> None:  # fmt: skip
    reading = first(shared_real, name, number)
    assert reading.kind == kind
    assert reading.header_rows == header
    assert Counter(RowClass(value) for value in reading.row_classes) == Counter(rows)
    scores = reading.pupils.scores if reading.pupils else ()
    assert [score.column.subject for score in scores] == subjects
    if reading.pupils is not None:
        assert len(reading.pupils.rows) == rows.get(RowClass.PUPIL, 0)


def test_lookalike_header_is_the_grade_rank(shared_real: Path) -> None:
    reading = first(shared_real, "fengyec2_5_缺列测试.xlsx")
    (rank,) = [column for column in reading.columns if column.role is Role.RANK]
    assert rank.header == ("！级名",)
    assert rank.rank_scope == "grade"
    assert [column.role for column in reading.columns][:2] == [Role.EXAM, Role.NAME]


def test_scaled_columns_and_blanks(shared_real: Path) -> None:
    reading = first(shared_real, "lxz_考试成绩.masked.xlsx")
    assert reading.pupils is not None
    physics = next(s for s in reading.pupils.scores if s.column.subject == "物理")
    assert physics.column.measure is Measure.SCALED
    assert int((physics.states == ScoreState.MISSING).sum()) > 0
    assert reading.declared.grade == "高二"
    assert reading.questions == ()


def test_slashes_of_electives_and_common_subjects_are_two_questions(shared_real: Path) -> None:
    reading = first(shared_real, "deepchirp_04高一上_期末.csv")
    asked = {question.key: (question.default, len(question.places)) for question in reading.questions}
    assert asked == {("marks", "/"): ("未选", 2405), ("marks", "必考|/"): ("缺考", 58)}
    (blank,) = [problem for problem in reading.problems if problem.code == "blank-class"]
    assert blank.message.startswith("82 名学生没有写班级")
    path = shared_real / "deepchirp_04高一上_期末.csv"
    one_answer = understand(load(path)[0], answers=Answers(marks={"/": "缺考"}))
    assert one_answer.questions == ()


def test_wrong_cells_of_collection_forms(shared_real: Path) -> None:
    reading = first(shared_real, "myr_chengji_20181128_e64337ff.xlsx")
    assert [(p.code, p.place.cell) for p in reading.problems] == [
        ("not-a-score", "G19"), ("negative-score", "F20"), ("many-decimals", "E20"),
    ]  # fmt: skip


def test_class_texts_lose_their_apostrophe(shared_real: Path) -> None:
    reading = first(shared_real, "myr_chengji_20190429_8fb8bebc.xls")
    assert reading.pupils is not None
    assert set(reading.pupils.texts[Role.CLASS]) == {"1.1"}


def test_form_without_a_score_column(shared_real: Path) -> None:
    reading = first(shared_real, "myr_chengji_20190429_98721326.xls")
    (problem,) = reading.problems
    assert problem.code == "no-score-column"
    assert problem.severity == "error"
    assert "“学科”列和 32 行学生，但没有成绩列" in problem.message


def test_template_without_pupils(shared_real: Path) -> None:
    codes = {problem.code for problem in first(shared_real, "myr_student_template.xlsx").problems}
    assert codes == {"no-pupils", "row-left-out", "prepared-rows"}


def test_template_of_one_pupils_exams(shared_real: Path) -> None:
    reading = first(shared_real, "dyf_成绩模板.xlsx")
    assert reading.kind is SheetKind.OTHER
    (problem,) = reading.problems
    assert problem.code == "no-pupil-column"
    assert "没有姓名、学号或考号列" in problem.message
    assert "以“初一上期中”等开头，也没有填写分数" in problem.message


def test_declared_totals_are_kept_as_stated(shared_real: Path) -> None:
    reading = first(shared_real, "cyr_测试数据2.xlsx")
    assert reading.pupils is not None
    total = next(d for d in reading.pupils.declared if d.column.role is Role.TOTAL)
    assert int(total.values[0]) == 281_000
    assert reading.pupils.texts[Role.EXAM_NO][0] == "0118030001"
    assert np.all(np.diff(reading.pupils.rows) == 1)
