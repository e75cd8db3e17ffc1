"""Who is who: numbers that identify, lost zeros, homonyms, two schools, spellings of schools."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from readings import reading
from test_roster_joining import codes, message, question, roster_of, scores

from jiaoheng.exams.names import clean_name, likely_same_school, name_key, number_key
from jiaoheng.sheets.places import Severity


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("王　某", "王某"),
        ("阿不都·热合曼", "阿不都•热合曼"),
        ("阿不都・热合曼", "阿不都·热合曼"),
        ("李\u00a0四 ", "李四"),
        ("Ａnna Li", "annali"),
    ],
)
def test_spellings_of_one_name(one: str, two: str) -> None:
    assert name_key(one) == name_key(two)


def test_names_for_print() -> None:
    assert clean_name(" 王　某 ") == "王某"
    assert clean_name("Student  1") == "Student 1"
    assert number_key(" '０１23x ") == "0123X"


@given(st.text(alphabet="王李张·• 　a1", min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_cleaning_is_settled_at_once(text: str) -> None:
    assert name_key(clean_name(text)) == name_key(text)
    assert clean_name(clean_name(text)) == clean_name(text)


@pytest.mark.parametrize(
    ("one", "two", "alike"),
    [
        ("青槐一中", "青槐县第一中学", True),
        ("兴华小学", "兴华小学校", True),
        ("实验小学", "青槐县实验小学", True),
        ("青槐县第一中学", "青槐县第十一中学", False),
        ("青槐县第一中学", "青槐县第二中学", False),
        ("刘家小学", "李家小学", False),
        ("东关小学", "西关小学", False),
        ("城南中学", "城南新中学", False),
    ],
)
def test_schools_that_may_be_one(one: str, two: str, alike: bool) -> None:
    assert likely_same_school(one, two) is alike
    assert likely_same_school(two, one) is alike


def _school(name: str, start: int, file: str):  # type: ignore[no-untyped-def]
    rows = [[f"S{start + i}", f"生{start + i}", name, 60 + i] for i in range(3)]
    return reading(["学号", "姓名", "学校", "语文"], rows, file=file)


def test_near_school_names_are_asked_and_never_merged_silently() -> None:
    sheets = (
        _school("青槐一中", 0, "a.xlsx"),
        _school("青槐县第一中学 ", 10, "b.xlsx"),
        _school("青槐县第一中学", 20, "c.xlsx"),
    )
    roster = roster_of(*sheets)
    assert sorted(set(roster.pupils["school"])) == ["青槐一中", "青槐县第一中学"]
    asked = question(roster, "school-names")
    assert asked.key == ("schools", "青槐一中")
    assert [choice.value for choice in asked.choices] == ["青槐县第一中学", "青槐一中"]
    assert asked.blocking
    merged = roster_of(*sheets, schools={"青槐一中": "青槐县第一中学"})
    assert set(merged.pupils["school"]) == {"青槐县第一中学"}
    apart = roster_of(*sheets, schools={"青槐一中": "青槐一中"})
    assert not apart.questions or all(q.code != "school-names" for q in apart.questions)


def test_constant_number_does_not_identify() -> None:
    """A column 考号 with one value for all is no pupil's number: names identify, and it is told."""
    rows = [["1", f"同学{i}", 60 + i] for i in range(20)]
    roster = roster_of(reading(["考号", "姓名", "语文"], rows))
    assert roster.pupils.height == 20
    assert set(roster.pupils["id_kind"]) == {"name"}
    assert "不同姓名的学生用了同一个号码（如 1）" in message(roster, "number-not-identifying")


def test_numbers_that_are_unique_only_within_a_class() -> None:
    sheets = [
        reading(
            ["考号", "姓名", "班级", "语文"],
            [[str(i), f"{c}班{i}", f"{c}班", 50 + i] for i in range(1, 11)],
            sheet=f"{c}班",
        )
        for c in (1, 2, 3)
    ]
    roster = roster_of(*sheets)
    assert roster.pupils.height == 30
    assert set(roster.pupils["id_kind"]) == {"exam_no"}
    assert not codes(roster, Severity.ERROR)


def test_numbers_alone_identify() -> None:
    roster = roster_of(
        reading(["学号", "数学"], [["S1", 80], ["S2", 70]]), reading(["学号", "语文"], [["S2", 60]], sheet="语文")
    )
    assert roster.pupils["key"].to_list() == ["S1", "S2"]
    assert scores(roster, "语文") == {"S1": "MISSING", "S2": "60"}


def test_lost_zeros_are_restored_where_names_agree_and_asked() -> None:
    one = reading(["考号", "姓名", "语文"], [["0118030001", "甲", 80], ["0118030002", "乙", 70]], sheet="语文")
    two = reading(["考号", "姓名", "数学"], [["118030001", "甲", 60], ["118030002", "乙", 50]], sheet="数学")
    roster = roster_of(one, two)
    assert roster.pupils["key"].to_list() == ["0118030001", "0118030002"]
    asked = question(roster, "lost-zeros")
    assert asked.key == ("accept", "lost-zeros-exam_no")
    assert "2 个考号在不同工作表中只差开头的 0（如 118030001 与 0118030001）" in asked.text
    refused = roster_of(one, two, accept={"lost-zeros-exam_no": "不同号码"})
    assert refused.pupils.height == 4
    assert all(q.code != "lost-zeros" for q in refused.questions)


def test_zeros_with_other_names_stay_two_pupils() -> None:
    one = reading(["考号", "姓名", "语文"], [["01", "甲", 80], ["02", "乙", 70]], sheet="语文")
    two = reading(["考号", "姓名", "数学"], [["1", "丙", 60], ["2", "丁", 50]], sheet="数学")
    roster = roster_of(one, two)
    assert roster.pupils.height == 4
    assert "姓名不同，按两名学生处理" in message(roster, "lost-zeros-names-differ")


def test_homonyms_without_number_are_asked() -> None:
    rows = [["1班", "张伟", 90], ["1班", "张伟", 60], ["2班", "张伟", 70]]
    sheet = reading(["班级", "姓名", "语文"], rows)
    roster = roster_of(sheet)
    asked = question(roster, "homonym")
    assert asked.key == ("people", "1班|张伟")
    assert asked.default is None
    assert asked.blocking
    assert "第2行、第3行都是“1班 张伟”，没有可区分的号码，成绩不同，是同一名学生吗" in asked.text
    two = roster_of(sheet, people={"1班|张伟": "不同人"})
    assert two.pupils.height == 3
    assert not two.questions
    one = roster_of(sheet, people={"1班|张伟": "同一人"})
    assert "scores-differ" in codes(one, Severity.ERROR)


def test_homonyms_with_equal_scores_default_to_one_pupil() -> None:
    roster = roster_of(reading(["班级", "姓名", "语文", "数学"], [["1班", "张伟", 90, 80], ["1班", "张伟", 90, 80]]))
    assert question(roster, "homonym").default == "同一人"
    assert roster.pupils.height == 1


def test_homonyms_with_numbers_are_not_asked() -> None:
    roster = roster_of(
        reading(["学号", "班级", "姓名", "语文"], [["S1", "1班", "张伟", 90], ["S2", "1班", "张伟", 60]])
    )
    assert roster.pupils.height == 2
    assert not roster.questions


def test_many_homonyms_are_one_question() -> None:
    rows = [["1班", f"张{i}", 50 + k] for k in range(2) for i in range(40)]
    sheet = reading(["班级", "姓名", "语文"], rows)
    roster = roster_of(sheet)
    assert [q.key for q in roster.questions] == [("people", "*")]
    assert "40 组学生同校同班同名" in roster.questions[0].text
    assert roster_of(sheet, people={"*": "不同人"}).pupils.height == 80


def test_one_number_with_two_names_is_asked() -> None:
    rows = [["S1", "甲", 90], ["S2", "乙", 80], ["S2", "丙", 70], ["S3", "丁", 60], ["S4", "戊", 60]]
    sheet = reading(["学号", "姓名", "语文"], rows)
    roster = roster_of(sheet)
    asked = question(roster, "number-with-names")
    assert asked.key == ("people", "S2")
    assert asked.default is None
    assert "学号 S2 有不同的姓名：乙、丙" in asked.text
    assert roster_of(sheet, people={"S2": "不同人"}).pupils.height == 5


def test_pupil_in_two_schools_is_asked() -> None:
    sheets = (
        reading(
            ["学号", "姓名", "学校", "语文"],
            [["S1", "甲", "东镇中学", 90], ["S2", "乙", "东镇中学", 80]],
            file="东.xlsx",
        ),
        reading(
            ["学号", "姓名", "学校", "语文"],
            [["S1", "甲", "西河中学", 90], ["S3", "丙", "西河中学", 70]],
            file="西.xlsx",
        ),
    )
    roster = roster_of(*sheets)
    asked = question(roster, "two-places")
    assert asked.key == ("people", "S1")
    assert "S1（甲）出现在两个学校" in asked.text
    assert [choice.value for choice in asked.choices] == ["东镇中学", "西河中学"]
    moved = roster_of(*sheets, people={"S1": "西河中学"})
    assert dict(zip(moved.pupils["key"], moved.pupils["school"], strict=True))["S1"] == "西河中学"
    assert not moved.questions


def test_a_name_in_two_sheets_of_other_pupils_is_asked() -> None:
    """Two classes whose sheets do not say their class meet in one name: never merged, never an error of scores."""
    sheets = [
        reading(["姓名", "语文"], [["张伟", 60 + c], *[[f"{c}生{i}", 50 + i] for i in range(9)]], file=f"{c}.xlsx")
        for c in (1, 2)
    ]
    roster = roster_of(*sheets)
    asked = question(roster, "homonym")
    assert asked.key == ("people", "张伟")
    assert asked.default is None
    assert "1.xlsx 工作表“Sheet1” 第2行、2.xlsx 工作表“Sheet1” 第2行都是“张伟”" in asked.text
    assert roster.pupils.height == 20
    assert roster_of(*sheets, people={"张伟": "不同人"}).pupils.height == 20
    assert "scores-differ" in codes(roster_of(*sheets, people={"张伟": "同一人"}), Severity.ERROR)


def test_numbers_without_names_in_several_classes() -> None:
    sheets = [
        reading(["班级", "学号", "语文"], [[f"{c}班", str(i), 10 * c + i] for i in range(1, 9)], sheet=f"{c}班")
        for c in (1, 2)
    ]
    roster = roster_of(*sheets)
    assert roster.pupils.height == 16
    assert not roster.questions


def test_number_under_another_heading() -> None:
    """One office writes 学号 and the other 考号 for the same numbers; homonyms of one class still find their rows."""
    rows = [[f"2025{i:03}", "张伟" if i < 2 else f"生{i}", "1班", 60 + i] for i in range(10)]
    roster = roster_of(
        reading(["学号", "姓名", "班级", "语文"], rows, sheet="语文"),
        reading(["考号", "姓名", "班级", "数学"], [[*row[:3], 90 - i] for i, row in enumerate(rows)], sheet="数学"),
    )
    assert roster.pupils.height == 10
    assert roster.scores["数学"].values.tolist() == list(range(90, 80, -1))
    assert not roster.questions


def test_class_without_its_grade_is_the_same_class() -> None:
    roster = roster_of(
        reading(["学号", "姓名", "班级", "语文"], [["S1", "甲", "九(1)班", 90]], sheet="九年级"),
        reading(["学号", "姓名", "班级", "数学"], [["S1", "甲", "1班", 80]], sheet="数学"),
    )
    assert roster.pupils["class"].to_list() == ["九(1)班"]
    assert not roster.questions


def test_row_without_name_is_an_error_and_a_nameless_sheet_is_not() -> None:
    roster = roster_of(reading(["学号", "姓名", "语文"], [["S1", "甲", 90], [None, None, 80]]))
    assert "第3行：这一行有成绩，但没有姓名和号码。请补上姓名或学号，或删除这一行。" in message(
        roster, "row-without-name"
    )
    anonymous = roster_of(reading(["班级", "语文"], [["1班", 90], ["1班", 90]]))
    assert anonymous.pupils.height == 2
    assert "2 行各算一名学生" in message(anonymous, "anonymous-sheet")


@given(st.permutations(range(12)), st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_splitting_sheets_changes_nothing(order: list[int], parts: int) -> None:
    """However the rows and subjects of one table are dealt to sheets, the pupils and scores are the same."""
    table = {f"S{i:02}": (f"生{i}", 40 + 5 * i, 90 - i) for i in range(12)}
    sheets = []
    for part in range(parts):
        keys = [f"S{i:02}" for i in order[part::parts]]
        sheets.append(
            reading(["学号", "姓名", "语文"], [[k, table[k][0], table[k][1]] for k in keys], sheet=f"语{part}")
        )
        sheets.append(reading(["学号", "数学"], [[k, table[k][2]] for k in reversed(keys)], sheet=f"数{part}"))
    roster = roster_of(*sheets)
    assert roster.pupils.height == 12
    for i, key in enumerate(roster.pupils["key"]):
        assert roster.pupils["name"][i] == table[key][0]
        assert roster.scores["语文"].values[i] == table[key][1]
        assert roster.scores["数学"].values[i] == table[key][2]
