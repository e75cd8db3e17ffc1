"""From files on disk to the roster: the small cases with their right values, and real files of several schools."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from test_roster_joining import codes, message, question, scores

from jiaoheng.exams.observations import observe
from jiaoheng.exams.reimport import Change, merge_import
from jiaoheng.exams.roster import assemble
from jiaoheng.exams.roster_model import Roster
from jiaoheng.exams.selection import select
from jiaoheng.exams.settings import ExamSettings
from jiaoheng.exams.totals import TotalPolicy
from jiaoheng.sheets.answers import Answers
from jiaoheng.sheets.places import Severity
from jiaoheng.sheets.reading import read_files
from jiaoheng.sheets.understand import understand_file


def roster_from(*paths: Path, **settings: Any) -> Roster:
    said = ExamSettings.model_validate(settings)
    answers = Answers(
        marks=said.marks,
        columns=said.columns,
        sheets=said.sheets,
        rows=said.rows,
        cells=said.cells,
        accept=said.accept,
        full_marks={name: int(own.full * 1000) for name, own in said.subjects.items() if own.full is not None},
        grade=said.grade,
    )
    files = read_files(list(paths))
    readings = [reading for file in files for reading in understand_file(file, answers=answers)]
    return assemble(readings, files, said)


def full(*names: str, mark: int = 150) -> dict[str, dict[str, int]]:
    return {name: {"full": mark} for name in names}


def mean(roster: Roster, subject: str) -> Fraction:
    own = roster.scores[subject]
    scored = own.values[own.states == 0]
    return Fraction(int(scored.sum()), len(scored)) * own.subject.step


def total_text(roster: Roster) -> list[str]:
    assert roster.total is not None
    own = roster.total
    return [str(v * own.subject.step) if s == 0 else "—" for v, s in zip(own.values.tolist(), own.states, strict=True)]


def test_c04_merged_header_and_ranks(shared_cases: Path) -> None:
    roster = roster_from(shared_cases / "C04.xlsx", subjects=full("语文", "数学"))
    assert roster.pupils["class"].to_list() == ["九(1)班", "九(1)班", "九(2)班"]
    assert scores(roster, "数学") == {"学生甲": "90", "学生乙": "95", "学生丙": "120"}
    assert not [code for code in codes(roster) if code.startswith("rank")]


def test_c08_ties(shared_cases: Path) -> None:
    roster = roster_from(shared_cases / "C08.xlsx", subjects=full("语文", "数学", "英语", mark=100))
    assert total_text(roster) == ["300", "1053/5", "1053/5", "150", "—"]


def test_c12_versions(shared_cases: Path) -> None:
    said = {"subjects": full("数学", mark=100)}
    first, second = (roster_from(shared_cases / f"C12_v{number}.xlsx", **said) for number in (1, 2))
    merged = merge_import(first, second, TotalPolicy())
    assert scores(merged.roster, "数学") == {"S1": "85", "S2": "70", "S3": "ABSENT"}
    assert (merged.preview.counts[Change.CHANGED], merged.preview.counts[Change.KEPT]) == (2, 1)
    assert merged.history["before"].to_list() == ["80", "60"]
    again = merge_import(merged.roster, second, TotalPolicy(), merged.history)
    assert (again.preview.counts[Change.CHANGED], again.preview.counts[Change.NEW]) == (0, 0)


def test_c14_columns_rows_and_conflict(shared_cases: Path) -> None:
    roster = roster_from(shared_cases / "C14.xlsx", subjects=full("化学", mark=100))
    assert any(q.key[0] == "columns" for q in roster.questions)
    assert "第3行：这一行与第2行完全相同" in message(roster, "repeated-row")
    assert "S2 的化学成绩在 C4 是 50，在 C5 是 55" in message(roster, "scores-differ")
    assert roster.pupils.is_empty()


def test_c15_footer_mean(shared_cases: Path) -> None:
    roster = roster_from(shared_cases / "C15.xlsx", subjects=full("语文", mark=100))
    assert roster.pupils.height == 3
    assert mean(roster, "语文") == Fraction(250, 3)
    assert "83.33 与计算的一致" in message(roster, "mean-agrees")


def test_c21_range_and_totals(shared_cases: Path) -> None:
    roster = roster_from(shared_cases / "C21.xlsx", subjects=full("语文", "数学"))
    errors = [str(problem) for problem in roster.problems if problem.severity is Severity.ERROR]
    assert len(errors) == 2
    assert any("B2：语文成绩 155 超过满分 150" in text for text in errors)
    assert any("B3：语文成绩 -1 是负数" in text for text in errors)
    assert "D6：总分 195 与各科之和 190 不一致" in message(roster, "total-differs")
    assert codes(roster).count("total-differs") == 1
    assert roster.pupils.is_empty()


def test_c27_all_or_nothing(shared_cases: Path) -> None:
    said = {"subjects": full("数学", mark=100)}
    broken = roster_from(shared_cases / "C27.xlsx", **said)
    assert "C5：数学成绩“八十”" in message(broken, "not-a-score")
    assert broken.pupils.is_empty()
    fixed = roster_from(shared_cases / "C27.xlsx", **said, cells={"C27.xlsx|Sheet1|C5": "80"})
    assert scores(fixed, "数学") == {"甲": "80", "乙": "70", "丙": "60", "丁": "80", "戊": "50"}
    again = merge_import(fixed, fixed, TotalPolicy())
    assert again.roster.pupils.height == 5
    assert again.preview.same_files


def test_c30_folded_total(shared_cases: Path) -> None:
    roster = roster_from(shared_cases / "C30.xlsx")
    assert total_text(roster) == ["457"]
    assert roster.total is not None
    assert roster.total.subject.full == 560


def test_c31_make_up(shared_cases: Path) -> None:
    roster = roster_from(
        shared_cases / "C31.xlsx", subjects=full("英语", mark=100), cells={"C31.xlsx|Sheet1|B4": "缺考"}
    )
    assert mean(roster, "英语") == Fraction("68.5")
    assert roster.scores["英语"].make_up == {0: 60}


FIVE = "语文+数学+英语+道德与法治+历史"


def test_real_total_of_five_subjects(shared_real: Path) -> None:
    names = ["语文", "数学", "英语", "道德与法治", "历史", "生物", "地理"]
    file = shared_real / "cyr_测试数据2.xlsx"
    roster = roster_from(file, subjects=full(*names, mark=120))
    assert roster.pupils.height == 400
    assert mean(roster, "语文") == Fraction("56.915")
    asked = question(roster, "total-subjects")
    assert asked.default == FIVE
    assert f"总分 = {FIVE}（不含生物、地理）与 400 人中的 400 人一致；全部科目之和只与 0 人一致" in asked.text
    assert total_text(roster)[:3] == ["281", "306", "137"]
    assert not [code for code in codes(roster) if code.startswith("rank")]
    answered = roster_from(file, subjects=full(*names, mark=120), accept={"total-subjects": FIVE})
    assert not answered.questions
    assert total_text(answered) == total_text(roster)


def test_real_totals_that_nothing_explains(shared_real: Path) -> None:
    roster = roster_from(shared_real / "eas_sample.xlsx")
    assert roster.pupils.height == 200
    assert "200 人中的 0 人一致" in question(roster, "total-unexplained").text
    own = roster_from(shared_real / "eas_sample.xlsx", accept={"total-subjects": "文件总分"})
    assert total_text(own)[roster.pupils["key"].to_list().index("2026000001")] == "761"


SCHOOL_FILES = (
    "fengyec2_1",
    "fengyec2_4_中途缺考测试",
    "fengyec2_5_新同学测试",
    "fengyec2_5_缺列测试",
    "fengyec2_5_重复编号测试",
)


@pytest.mark.parametrize(("name", "pupils"), list(zip(SCHOOL_FILES, (59, 58, 60, 59, 59), strict=True)))
def test_real_exam_number_is_no_pupil_number(shared_real: Path, name: str, pupils: int) -> None:
    roster = roster_from(shared_real / f"{name}.xlsx")
    assert roster.pupils.height == pupils
    assert set(roster.pupils["id_kind"]) == {"name"}
    assert "可能是按更大的范围排的" in message(roster, "rank-unexplained")


def test_real_five_exams_at_once_are_asked_and_answered(shared_real: Path) -> None:
    files = [shared_real / f"{name}.xlsx" for name in SCHOOL_FILES]
    roster = roster_from(*files)
    assert {q.code for q in roster.questions} == {"which-exam"}
    assert len(roster.questions) == 5
    said = dict(zip((q.key[1] for q in roster.questions), ("前次考试", "忽略", "采用", "采用", "采用"), strict=True))
    answered = roster_from(*files, sheets=said)
    assert answered.pupils.height == 60
    assert answered.prior is not None
    assert int(answered.prior.matched.sum()) == 59
    assert codes(answered).count("repeated-sheet") == 2


def test_real_two_exams_in_one_workbook(shared_real: Path) -> None:
    file = shared_real / "lxz_考试成绩.masked.xlsx"
    keys = [f"{file.name}|高二12月月考", f"{file.name}|高二11月期中考"]
    roster = roster_from(file)
    assert [q.key for q in roster.questions if q.code == "which-exam"] == [("sheets", key) for key in keys]
    assert roster.pupils.is_empty()
    assert not codes(roster, Severity.ERROR)
    answered = roster_from(file, sheets={keys[0]: "采用", keys[1]: "前次考试"}, marks={"空白": "未选"})
    assert answered.pupils.height == 574
    assert answered.prior is not None
    assert int(answered.prior.matched.sum()) == 567
    assert answered.total is not None
    assert int((answered.total.states == 0).sum()) == 562
    assert "total-differs" not in codes(answered)


def test_real_two_exams_years_apart(shared_real: Path) -> None:
    files = [shared_real / "deepchirp_04高一上_期末.csv", shared_real / "deepchirp_20高三上_七月检测.csv"]
    roster = roster_from(*files)
    assert [q.key[1] for q in roster.questions if q.code == "which-exam"] == [f"{file.name}|" for file in files]
    said = {
        "marks": {"/": "未选", "必考|/": "缺考"},
        "sheets": {f"{files[0].name}|": "前次考试", f"{files[1].name}|": "采用"},
    }
    answered = roster_from(*files, **said)
    assert answered.pupils.height == 669
    assert answered.prior is not None
    assert (int(answered.prior.matched.sum()), answered.prior.prior_only) == (663, 138)
    assert set(answered.prior.subjects) == set(answered.scores)


def test_real_collection_forms(shared_real: Path) -> None:
    bad = roster_from(shared_real / "myr_chengji_20181127_a67eeb86.xlsx")
    assert bad.pupils.is_empty()
    assert {"not-a-score", "negative-score"} <= set(codes(bad, Severity.ERROR))
    good = roster_from(shared_real / "myr_chengji_20190429_8fb8bebc.xls")
    assert good.pupils.height == 16
    assert set(good.pupils["class"]) == {"一(1)班"}


@pytest.fixture
def county(tmp_path: Path) -> Path:
    """Two schools' workbooks with a sheet a class, one with a summary beside them, and a list of pupils."""
    for school, classes in (("东镇中学", 2), ("西河中学", 3)):
        book = xlsxwriter.Workbook(str(tmp_path / f"{school}.xlsx"))
        whole: list[list[object]] = []
        for number in range(1, classes + 1):
            rows = [
                [
                    f"{school[0]}{number}{i:02}",
                    f"{school[0]}生{number}{i}",
                    f"九({number})班",
                    60 + i,
                    50.5 + number + i,
                    110.5 + number + 2 * i,
                ]
                for i in range(12)
            ]
            _write(book.add_worksheet(f"九({number})班"), f"{school}九年级期末成绩", rows)
            whole += rows
        if classes == 3:
            _write(book.add_worksheet("汇总"), f"{school}九年级期末成绩", whole)
        book.close()
    return tmp_path


def _write(sheet: Any, title: str, rows: list[list[object]]) -> None:
    sheet.write_row(0, 0, [title])
    sheet.write_row(1, 0, ["学号", "姓名", "班级", "语文", "数学", "总分"])
    for line, row in enumerate(rows, 2):
        sheet.write_row(line, 0, row)


def test_county_of_two_schools(county: Path) -> None:
    roster = roster_from(
        county / "东镇中学.xlsx", county / "西河中学.xlsx", subjects=full("语文", "数学", mark=120), grade="九年级"
    )
    assert roster.pupils.height == 5 * 12
    assert roster.pupils.group_by("school").len().sort("school").rows() == [("东镇中学", 24), ("西河中学", 36)]
    assert roster.pupils["class"].unique().sort().to_list() == ["九(1)班", "九(2)班", "九(3)班"]
    assert codes(roster).count("repeated-sheet") == 1
    assert not codes(roster, Severity.ERROR)
    assert not codes(roster, Severity.WARNING)
    assert not roster.questions
    assert roster.total is not None
    assert roster.total.subject.step == Fraction(1, 2)


def test_selection_and_observation_before_assembling(county: Path) -> None:
    files = read_files([county / "东镇中学.xlsx"])
    readings = [reading for file in files for reading in understand_file(file)]
    chosen = select(readings, files, ExamSettings())
    seen = observe(chosen.main)
    assert (seen["数学"].n, seen["数学"].step) == (24, Fraction(1, 2))
