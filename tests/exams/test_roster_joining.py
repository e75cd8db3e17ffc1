"""Sheets of several files become one row a pupil: parts, subjects, schools, lists, long layouts, repeats."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from readings import empty_kind, files_of, names_only, reading

from jiaoheng.exams.roster import assemble
from jiaoheng.exams.roster_model import Roster
from jiaoheng.exams.settings import ExamSettings
from jiaoheng.sheets.places import Severity
from jiaoheng.sheets.reading_model import ScoreState, SheetKind, SheetReading

FULL = {"subjects": {name: {"full": 150} for name in ("语文", "数学", "英语", "物理", "化学")}}


def roster_of(*readings: SheetReading, sha: dict[str, str] | None = None, **settings: object) -> Roster:
    return assemble(readings, files_of(*readings, sha=sha), ExamSettings.model_validate({**FULL, **settings}))


def scores(roster: Roster, subject: str) -> dict[str, str]:
    own = roster.scores[subject]
    names = roster.pupils["name"].to_list()
    return {
        names[i] or roster.pupils["key"][i]: str(own.values[i] * own.subject.step)
        if own.states[i] == ScoreState.SCORED
        else ScoreState(own.states[i]).name
        for i in range(len(names))
    }


def codes(roster: Roster, severity: Severity | None = None) -> list[str]:
    return [problem.code for problem in roster.problems if severity in (None, problem.severity)]


def message(roster: Roster, code: str) -> str:
    return str(next(problem for problem in roster.problems if problem.code == code))


def question(roster: Roster, code: str):  # type: ignore[no-untyped-def]
    return next(question for question in roster.questions if question.code == code)


def test_one_sheet_a_class() -> None:
    """Classes in every spelling are one class; order is by class number, then appearance."""
    roster = roster_of(
        reading(["班级", "姓名", "语文"], [["九(10)班", "丁", 60]], sheet="九(10)班"),
        reading(["班级", "姓名", "语文"], [["902", "丙", 70]], sheet="902"),
        reading(["班级", "姓名", "语文"], [["九（2）班", "甲", 90], ["九(2)班", "乙", 80]], sheet="九(2)班"),
        grade="九年级",
    )
    assert roster.pupils["class"].to_list() == ["九(2)班", "九(2)班", "九(2)班", "九(10)班"]
    assert scores(roster, "语文") == {"丙": "70", "甲": "90", "乙": "80", "丁": "60"}
    assert roster.total is None
    assert not codes(roster, Severity.ERROR)


def test_one_sheet_a_subject() -> None:
    """The same pupils with other subjects are joined by number although names are spelled with a space."""
    roster = roster_of(
        reading(["学号", "姓名", "语文"], [["S1", "王　某", 90], ["S2", "李四", 80]], sheet="语文"),
        reading(["学号", "姓名", "数学"], [["S2", "李四", "缺考"], ["S1", "王某", 70]], sheet="数学"),
    )
    assert roster.pupils["name"].to_list() == ["王某", "李四"]
    assert scores(roster, "数学") == {"王某": "70", "李四": "ABSENT"}
    assert roster.total is not None
    assert roster.total.states.tolist() == [ScoreState.SCORED, ScoreState.ABSENT]
    assert roster.total.values[0] * roster.total.subject.step == 160


def test_subject_sheets_without_numbers_join_by_class_and_name() -> None:
    """Same name in different classes is fine; a sheet without classes joins where the name is unique."""
    roster = roster_of(
        reading(
            ["班级", "姓名", "语文"], [["1班", "张伟", 90], ["2班", "张伟", 80], ["2班", "李四", 70]], sheet="语文"
        ),
        reading(["班级", "姓名", "数学"], [["2班", "张伟", 60], ["1班", "张伟", 50]], sheet="数学"),
        reading(["姓名", "英语"], [["李四", 40]], sheet="英语"),
    )
    assert roster.pupils.height == 3
    by_class = dict(zip(roster.pupils["class"], roster.scores["数学"].values.tolist(), strict=False))
    assert by_class["1班"] == 50
    assert scores(roster, "英语")["李四"] == "40"
    assert not roster.questions


def test_name_without_class_and_two_of_that_name_is_asked() -> None:
    roster = roster_of(
        reading(["班级", "姓名", "语文"], [["1班", "张伟", 90], ["2班", "张伟", 80]], sheet="语文"),
        reading(["姓名", "数学"], [["张伟", 40]], sheet="数学"),
    )
    asked = question(roster, "homonym-ambiguous")
    assert asked.blocking
    assert asked.default is None
    assert "同名的学生有 2 名" in asked.text


def test_summary_beside_its_parts_is_counted_once() -> None:
    part = [["S1", "甲", 90, 80], ["S2", "乙", 70, 60]]
    more = [["S3", "丙", 50, 40]]
    heads = ["学号", "姓名", "语文", "数学"]
    roster = roster_of(
        reading(heads, part, sheet="1班"), reading(heads, more, sheet="2班"), reading(heads, part + more, sheet="汇总")
    )
    assert roster.pupils.height == 3
    assert "3 名学生的成绩与工作表“1班”、工作表“2班”相同，只计一次" in message(roster, "repeated-sheet")
    assert not codes(roster, Severity.ERROR)


def test_summary_that_contradicts_its_part_is_an_error_at_both_cells() -> None:
    heads = ["学号", "姓名", "语文"]
    part = [[f"S{i}", f"生{i}", 50 + i] for i in range(10)]
    whole = [list(row) for row in part]
    whole[4][2] = 99
    roster = roster_of(reading(heads, part, sheet="1班"), reading(heads, whole, sheet="汇总"))
    text = message(roster, "scores-differ")
    assert "工作表“汇总” C6：同一学生 S4 的语文成绩在 工作表“1班” C6 是 54，在 C6 是 99" in text
    assert roster.pupils.is_empty()
    assert not roster.scores


def test_long_layout() -> None:
    roster = roster_of(
        reading(
            ["学号", "姓名", "学科", "分数"],
            [
                ["S1", "甲", "语文", 90],
                ["S1", "甲", "数学", 80],
                ["S2", "乙", "语文", 70],
                ["S2", "乙", "数学", "缺考"],
            ],
        )
    )
    assert roster.pupils.height == 2
    assert scores(roster, "数学") == {"甲": "80", "乙": "ABSENT"}
    assert not [code for code in codes(roster) if code.startswith("repeated")]


def test_exact_repeat_is_dropped_and_contradiction_stores_nothing() -> None:
    """C14: S1 twice the same, S2 with 50 and 55."""
    rows = [["S1", "甲", 62], ["S1", "甲", 62], ["S2", "乙", 50], ["S2", "乙", 55]]
    roster = roster_of(reading(["学号", "姓名", "化学"], rows))
    assert "第3行：这一行与第2行完全相同，只计一次" in message(roster, "repeated-row")
    assert "C5：同一学生 S2 的化学成绩在 C4 是 50，在 C5 是 55" in message(roster, "scores-differ")
    assert roster.pupils.is_empty()
    settled = roster_of(reading(["学号", "姓名", "化学"], rows), people={"S2": "保留最后一行"})
    assert scores(settled, "化学") == {"甲": "62", "乙": "55"}
    assert "按设置采用 55" in message(settled, "scores-differ-settled")


def test_blank_never_contradicts() -> None:
    rows = [["S1", "甲", 62, None], ["S1", "甲", None, 70]]
    roster = roster_of(reading(["学号", "姓名", "语文", "数学"], rows))
    assert scores(roster, "语文") == {"甲": "62"}
    assert scores(roster, "数学") == {"甲": "70"}


def test_same_file_twice() -> None:
    rows = [["S1", "甲", 62]]
    one, two = (reading(["学号", "姓名", "语文"], rows, file=name) for name in ("一.xlsx", "副本.xlsx"))
    roster = roster_of(one, two, sha={"一.xlsx": "x", "副本.xlsx": "x"})
    assert "“副本.xlsx”与“一.xlsx”内容完全相同，只读入一次" in message(roster, "same-file")
    assert [file["label"] for file in roster.files] == ["一.xlsx"]


def test_two_exams_in_one_workbook_are_asked_and_answered() -> None:
    heads = ["考号", "姓名", "语文", "数学"]
    first = [[f"43{i:04}", f"生{i}", 60 + i % 30, 50 + i % 7] for i in range(40)]
    second = [[f"43{i:04}", f"生{i}", 50 + i * 7 % 40, 40 + i * 3 % 50] for i in range(2, 40)]
    sheets = (reading(heads, first, sheet="12月月考"), reading(heads, second, sheet="11月期中考"))
    roster = roster_of(*sheets)
    asked = [q for q in roster.questions if q.code == "which-exam"]
    assert [q.key for q in asked] == [("sheets", "成绩.xlsx|12月月考"), ("sheets", "成绩.xlsx|11月期中考")]
    assert all(q.default is None and [c.value for c in q.choices] == ["采用", "前次考试", "忽略"] for q in asked)
    assert "38 名相同的学生" in asked[0].text
    assert roster.pupils.is_empty()
    answered = roster_of(*sheets, sheets={"成绩.xlsx|12月月考": "采用", "成绩.xlsx|11月期中考": "前次考试"})
    assert answered.pupils.height == 40
    assert answered.prior is not None
    assert int(answered.prior.matched.sum()) == 38
    assert answered.prior.subjects["语文"].states.tolist().count(ScoreState.MISSING) == 2


def test_exams_in_two_files_are_asked_by_file() -> None:
    heads = ["学号", "姓名", "语文"]
    sheets = [
        reading(heads, [[f"S{c}{i}", f"生{c}{i}", (i * step + c) % 90] for i in range(20)], file=file, sheet=f"{c}班")
        for file, step in (("期中.xlsx", 7), ("期末.xlsx", 11))
        for c in (1, 2)
    ]
    roster = roster_of(*sheets)
    assert [q.key for q in roster.questions] == [("sheets", "期中.xlsx|"), ("sheets", "期末.xlsx|")]
    answered = roster_of(*sheets, sheets={"期中.xlsx|": "前次考试", "期末.xlsx|": "采用"})
    assert answered.pupils.height == 40
    assert answered.prior is not None
    assert answered.prior.matched.all()


def test_several_exams_named_in_one_sheet() -> None:
    rows = [["期中", "S1", "甲", 80], ["期末", "S1", "甲", 85]]
    sheet = reading(["考试", "学号", "姓名", "语文"], rows)
    assert question(roster_of(sheet), "several-exams").key == ("accept", "exam")
    assert scores(roster_of(sheet, accept={"exam": "期末"}), "语文") == {"甲": "85"}


def test_two_grades_are_asked_and_the_other_is_left_out() -> None:
    rows = [["七年级", "S1", "甲", 80], ["八年级", "S2", "乙", 85]]
    sheet = reading(["年级", "学号", "姓名", "语文"], rows)
    assert question(roster_of(sheet), "several-grades").key == ("grade",)
    only = roster_of(sheet, grade="八年级")
    assert scores(only, "语文") == {"乙": "85"}
    assert "有 1 名学生不是八年级的，没有采用" in message(only, "other-grade")


def test_list_of_pupils_gives_enrolment() -> None:
    """B2 needs everybody: a pupil of the list without scores is blank in all subjects; one outside is told."""
    roster = roster_of(
        names_only(["学号", "姓名", "班级"], [["S1", "甲", "1班"], ["S2", "乙", "1班"]], sheet="名单"),
        reading(["学号", "姓名", "语文", "数学"], [["S1", "甲", 80, 70], ["S9", "外", 60, 50]], sheet="成绩"),
    )
    assert scores(roster, "语文") == {"甲": "80", "乙": "MISSING", "外": "60"}
    assert "1 名学生没有成绩" in message(roster, "listed-without-scores")
    assert "不在学生名单中：外" in message(roster, "not-in-list")


def test_sheets_that_are_not_used_are_listed() -> None:
    roster = roster_of(
        reading(["学号", "语文"], [["S1", 1]]),
        empty_kind(SheetKind.AGGREGATE, "一分三率"),
        empty_kind(SheetKind.EMPTY, "空"),
    )
    assert "这张表是统计结果，不是学生成绩，没有采用" in message(roster, "sheet-not-used")
    assert codes(roster).count("sheet-not-used") == 1


def test_no_scores_at_all() -> None:
    roster = roster_of(empty_kind(SheetKind.OTHER, "说明"))
    assert "没有找到学生成绩" in message(roster, "no-scores")
    assert roster.pupils.is_empty()


def test_foreign_language_and_english_of_two_files_are_one() -> None:
    roster = roster_of(
        reading(["学号", "英语"], [["S1", 90]], file="一中.xlsx"),
        reading(["学号", "外语"], [["S2", 80]], file="二中.xlsx"),
    )
    assert scores(roster, "英语") == {"S1": "90", "S2": "80"}
    assert "外语" not in roster.scores
    both = roster_of(
        reading(["学号", "英语", "外语"], [["S1", 90, 80]]), subjects={"英语": {"full": 100}, "外语": {"full": 100}}
    )
    assert set(both.scores) == {"英语", "外语"}


@pytest.mark.parametrize("reverse", [False, True])
def test_order_of_files_does_not_matter(reverse: bool) -> None:
    sheets = [
        reading(
            ["学号", "姓名", "学校", "语文"],
            [[f"{s}{i}", f"生{s}{i}", f"{s}中学", 50 + i] for i in range(3)],
            file=f"{s}.xlsx",
        )
        for s in ("乙", "甲", "丙")
    ]
    roster = roster_of(*(reversed(sheets) if reverse else sheets))
    assert roster.pupils["key"].to_list() == [f"{s}{i}" for s in sorted("甲乙丙") for i in range(3)]
    assert roster.scores["语文"].values.tolist() == [50, 51, 52] * 3


def test_scores_are_exact_in_the_subject_step() -> None:
    roster = roster_of(reading(["学号", "语文", "数学", "英语"], [["S1", 80.5, 60.25, 0.3], ["S2", 70, 60, 0.1]]))
    steps = [roster.scores[name].subject.step for name in ("语文", "数学", "英语")]
    assert steps == [Fraction(1, 2), Fraction(1, 4), Fraction(1, 10)]
    assert roster.scores["语文"].values.dtype == np.int32
    assert roster.total is not None
    assert roster.total.values[0] * roster.total.subject.step == Fraction("141.05")


def test_make_up_scores_stand_beside_the_original() -> None:
    sheet = reading(["姓名", "英语"], [["甲", 57], ["乙", 80]], make_up={(0, "英语"): 60})
    roster = roster_of(sheet)
    assert scores(roster, "英语") == {"甲": "57", "乙": "80"}
    assert roster.scores["英语"].make_up == {0: 60}
