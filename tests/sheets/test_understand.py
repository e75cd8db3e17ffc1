"""Look-alikes of the sheets that schools send: what is read, what is left out, what is asked."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sheet_kit import sheet, table

from jiaoheng.sheets.answers import Answers
from jiaoheng.sheets.long_items import long_item_columns
from jiaoheng.sheets.places import Question, Severity
from jiaoheng.sheets.reading_model import Measure, PupilBlock, Role, RowClass, ScoreState, SheetKind, SheetReading
from jiaoheng.sheets.understand import understand, understand_all, understand_file
from jiaoheng.sheets.workbook import Sheet, SourceFile

KEY = "一中.xlsx|Sheet1"
R = RowClass


def block(reading: SheetReading) -> PupilBlock:
    assert reading.pupils is not None
    return reading.pupils


def names(reading: SheetReading) -> list[str | None]:
    return list(block(reading).texts[Role.NAME])


def classes(reading: SheetReading) -> list[RowClass]:
    return [RowClass(value) for value in reading.row_classes]


def codes(reading: SheetReading, severity: Severity | None = None) -> list[str]:
    return [p.code for p in reading.problems if severity in (None, p.severity)]


def the_question(reading: SheetReading, code: str) -> Question:
    (question,) = [question for question in reading.questions if question.code == code]
    return question


def test_a_full_form_with_every_kind_of_row() -> None:
    reading = understand(
        sheet(
            [
                ["某县九年级质量检测成绩统计表"],
                ["学校：城关中学　　考试时间：2025年6月20日"],
                ["序号", "姓名", "语文", "数学", "备注"],
                ["例", "张三", 90, 90, "此行不录"],
                ["满分", "", 120, 120, ""],
                ["折算比例", "", "50%", "100%", ""],
                [1, "学生甲", 80, 70, ""],
                [2, "学生乙", "９０ ", 60, "转学"],
                [3, "", "", "", ""],
                ["参考人数", "", 2, 2, ""],
                ["平均分", "", 85, 65, ""],
                ["优秀率", "", "0%", "0%", ""],
                ["任课教师", "", "王老师", "李老师", ""],
                ["注：缺考按0分计"],
                ["校长签字：", "", "填表人：", "", ""],
            ]
        )
    )
    assert classes(reading) == [
        R.TITLE, R.UNIT_LINE, R.HEADER, R.SAMPLE, R.FULL_MARK, R.WEIGHT, R.PUPIL, R.PUPIL, R.EMPTY_PUPIL,
        R.FOOTER, R.FOOTER, R.FOOTER, R.FOOTER, R.FOOTER, R.SIGNATURE,
    ]  # fmt: skip
    said = reading.declared
    assert (said.exam_name, said.exam_date, said.school, said.grade) == (
        "某县九年级质量检测", "2025-06-20", "城关中学", "九年级",
    )  # fmt: skip
    assert said.full_marks == {"语文": 120_000, "数学": 120_000}
    assert said.weights == {"语文": "0.5", "数学": "1"}
    assert said.means == {"语文": "85", "数学": "65"}
    assert codes(reading, Severity.ERROR) == []
    left_out = [p.message for p in reading.problems if p.code == "row-left-out"]
    assert "“参考人数”是统计行或说明行，不是考生，没有计入" in left_out


def test_pupils_whose_names_are_words_of_footers() -> None:
    reading = understand(
        table("""
        序号 学号 姓名 语文 数学
        1 a001 满分 90 80
        2 a002 总计 91 81
        3 a003 平均 60 61
        4 a004 高分 60 61
        _ _ 平均分 80 74
        _ _ 总计 80 74""")
    )
    assert names(reading) == ["满分", "总计", "平均", "高分"]
    assert classes(reading)[-2:] == [R.FOOTER, R.FOOTER]
    assert codes(reading, Severity.WARNING) == ["name-like-footer"] * 4
    assert reading.declared.means == {"语文": "80", "数学": "74"}


def test_a_running_number_makes_a_person_only_where_there_are_no_ids() -> None:
    without = understand(table("序号 姓名 语文\n1 满分 90\n2 甲 80\n_ 满分 150"))
    assert names(without) == ["满分", "甲"]
    assert without.declared.full_marks == {"语文": 150_000}
    dragged = understand(table("序号 姓名 语文\n1 甲 90\n2 平均分 90"))
    assert names(dragged) == ["甲"]


@pytest.mark.parametrize(
    "word", ["平均分", "及格率", "最高分", "合计", "九(1)班平均分", "全年级优秀率", "语文平均分：83"]
)
def test_footers_anywhere(word: str) -> None:
    reading = understand(sheet([["班级", "姓名", "语文"], ["九1", "甲", 90], ["九1", word, 90], ["九2", "乙", 80]]))
    assert names(reading) == ["甲", "乙"]
    assert classes(reading)[2] is R.FOOTER


def test_words_of_footers_in_other_columns_are_about_the_pupil() -> None:
    reading = understand(
        sheet(
            [
                ["姓名", "语文", "等第", "评价"],
                ["甲", 90, "优秀", "家长签字：王"],
                ["乙", "缺考", "及格", "病假，班主任签字"],
                ["丙", 60, "合格", "平均"],
            ]
        )
    )
    assert names(reading) == ["甲", "乙", "丙"]


def test_lines_with_formulas_of_totals_only_are_prepared() -> None:
    reading = understand(table("序号 姓名 语文 总分 名次\n1 甲 90 90 1\n2 _ _ 0 2\n3 _ _ 0 2"))
    assert classes(reading)[2:] == [R.EMPTY_PUPIL, R.EMPTY_PUPIL]
    assert reading.questions == ()


@pytest.mark.parametrize("form", ["满分150", "（150分）", "150分", "满分：150分"])
def test_full_marks_on_a_line_of_their_own(form: str) -> None:
    reading = understand(sheet([["姓名", "语文", "数学"], ["", form, form], ["甲", 90, 80]]))
    assert classes(reading) == [R.HEADER, R.FULL_MARK, R.PUPIL]
    assert reading.declared.full_marks == {"语文": 150_000, "数学": 150_000}


def test_full_marks_inside_a_merged_header() -> None:
    rows = [["姓名", "语文", "数学"], ["", 150, 120], ["甲", 90, 80]]
    reading = understand(sheet(rows, merged=(((0, 0), (1, 0)),)))
    assert classes(reading) == [R.HEADER, R.FULL_MARK, R.PUPIL]
    assert reading.declared.full_marks == {"语文": 150_000, "数学": 120_000}
    assert reading.questions == ()


@pytest.mark.parametrize(
    "text", ["缺考：王某、李某", "以下空白", "第1页 共3页", "共45人", "缺考学生：王某", "注：本表一式两份"]
)
def test_remarks_under_the_list_are_no_pupils(text: str) -> None:
    reading = understand(sheet([["姓名", "语文"], ["甲", 90], ["乙", 80], [text, ""]]))
    assert names(reading) == ["甲", "乙"]
    assert classes(reading)[-1] in (R.FOOTER, R.TITLE)


def test_a_pupil_with_nothing_but_a_name_stays() -> None:
    assert names(understand(table("姓名 语文\n甲 90\n乙 _"))) == ["甲", "乙"]


def test_running_numbers_are_no_ids() -> None:
    counting = understand(table("编号 姓名 语文\n1 甲 90\n2 乙 80\n3 _ _"))
    assert Role.SERIAL in block(counting).texts
    assert names(counting) == ["甲", "乙"]
    own = understand(table("编号 姓名 语文\n20250101 甲 90\n20250102 乙 80"))
    assert block(own).texts[Role.EXAM_NO] == ["20250101", "20250102"]


def test_two_words_for_names_are_one_list() -> None:
    reading = understand(table("姓名 学生姓名 语文\n甲 甲 90"))
    assert names(reading) == ["甲"]
    assert reading.problems == ()


def test_subtotals_of_classes_in_the_middle() -> None:
    reading = understand(
        table("""
        班级 姓名 语文
        九1 甲 90
        _ 小计 90
        九2 乙 80
        _ 小计 80
        _ 合计 85""")
    )
    assert names(reading) == ["甲", "乙"]
    assert reading.declared.means == {}
    assert any(p.message.startswith("第 3、5 行“小计”") for p in reading.problems)


def test_printed_pages_repeat_title_and_header() -> None:
    page = [["某校成绩表"], ["姓 名", "语\n文", "数　学"]]
    reading = understand(sheet([*page, ["甲", 1, 2], *page, ["乙", 3, 4], ["制表人：王某", "", "审核：李某"]]))
    assert names(reading) == ["甲", "乙"]
    assert classes(reading)[3:5] == [R.TITLE, R.REPEATED_HEADER]
    assert classes(reading)[-1] is R.SIGNATURE


def test_one_table_a_class_under_each_other() -> None:
    def part(number: int, name: str) -> list[list[Any]]:
        return [[f"某中学九({number})班成绩表"], ["姓名", "语文"], [name, 90], ["平均分", 90], []]

    reading = understand(sheet([*part(1, "甲"), *part(2, "乙"), *part(3, "丙")]))
    assert names(reading) == ["甲", "乙", "丙"]
    assert reading.declared.class_name == "九(1)班"
    assert block(reading).texts[Role.CLASS] == [None, "九(2)班", "九(3)班"]


def test_a_second_header_with_other_columns_is_refused() -> None:
    reading = understand(table("姓名 语文 数学\n甲 1 2\n姓名 数学 语文\n乙 1 2"))
    (problem,) = [p for p in reading.problems if p.severity is Severity.ERROR]
    assert (problem.code, problem.place.row) == ("header-changed", 3)


def test_class_is_filled_within_its_merge_only() -> None:
    rows = [["班级", "姓名", "语文"], ["九(1)班", "甲", 1], ["", "乙", 2], ["九(2)班", "丙", 3], ["", "丁", 4]]
    reading = understand(sheet(rows, merged=(((1, 0), (2, 0)),)))
    assert block(reading).texts[Role.CLASS] == ["九(1)班", "九(1)班", "九(2)班", None]
    (problem,) = reading.problems
    assert (problem.code, problem.place.cell) == ("blank-class", "A5")


def test_merged_scores_are_errors_and_merged_states_hold_for_all() -> None:
    rows = [
        ["姓名", "语文", "数学", "英语"],
        ["甲", "缺考", "", ""],
        ["乙", 80, "", 90],
        ["丙", 70, 70, 70],
        ["丁", "", 71, 71],
    ]
    merged = (((1, 1), (1, 3)), ((2, 1), (2, 2)), ((3, 1), (4, 1)))
    reading = understand(sheet(rows, merged=merged))
    states = [[ScoreState(v) for v in s.states] for s in block(reading).scores]
    assert [column[0] for column in states] == [ScoreState.ABSENT] * 3
    wrong = [p.place.cell for p in reading.problems if p.code == "merged-score"]
    assert wrong == ["B3", "C3", "B4", "B5"]
    assert states[0][1:] == [ScoreState.INVALID] * 3


def test_lists_side_by_side_are_taken_apart() -> None:
    both = table("""
        九年级成绩表
        姓名 语文 数学 _ 姓名 语文 数学
        甲 90 80 _ 丙 70 60
        乙 91 81 _ _ _ _
        平均分 90.5 80.5 _ 平均分 70 60""")
    readings = understand_all(both)
    assert [names(reading) for reading in readings] == [["甲", "乙"], ["丙"]]
    assert [reading.pupils.scores[0].column.index for reading in readings if reading.pupils] == [1, 5]
    assert all(reading.sheet is both for reading in readings)
    alone = understand(both)
    assert codes(alone) == ["side-by-side"]
    assert "（A–D 列、E–G 列）" in alone.problems[0].message
    different = understand_all(table("姓名 语文 _ 姓名 数学\n甲 1 _ 乙 2"))
    assert [codes(reading) for reading in different] == [["side-by-side"]]


def test_a_small_table_at_the_side_is_left_out() -> None:
    reading = understand(
        table("""
        姓名 语文 数学 _ 分数段 人数
        甲 90 80 _ 90以上 1
        乙 91 81 _ 80-89 2
        丙 91 81
        丁 91 81
        戊 91 81""")
    )
    assert len(names(reading)) == 5
    assert [s.column.subject for s in block(reading).scores] == ["语文", "数学"]
    assert codes(reading) == ["side-table"]


def test_a_table_of_figures_below_is_left_out() -> None:
    reading = understand(table("班级 姓名 语文\n1 甲 90\n1 乙 91\n_\n班级 人数 平均分\n1 45 80.1\n2 46 79"))
    assert names(reading) == ["甲", "乙"]
    assert classes(reading)[4:] == [R.FOOTER] * 3


def test_rows_without_a_name_are_asked() -> None:
    reading = understand(table("姓名 语文 数学\n_ 150 120\n甲 90 80\n_ 90 80"))
    asked = {q.key: q.default for q in reading.questions}
    assert asked == {("rows", f"{KEY}|2"): "满分", ("rows", f"{KEY}|4"): "忽略"}
    assert names(reading) == ["甲"]
    answers = Answers(rows={f"{KEY}|2": "满分", f"{KEY}|4": "采用"})
    answered = understand(table("姓名 语文 数学\n_ 150 120\n甲 90 80\n_ 90 80"), answers=answers)
    assert answered.questions == ()
    assert answered.declared.full_marks == {"语文": 150_000, "数学": 120_000}
    assert names(answered) == ["甲", None]


def test_many_rows_without_a_name_are_one_error() -> None:
    rows = [["姓名", "语文"], ["甲", 80], *([["", 70 + n % 20]] * 1 for n in range(30))]
    reading = understand(sheet([row if isinstance(row[0], str) else row[0] for row in rows]))
    assert codes(reading, Severity.ERROR) == ["rows-without-name"]
    assert "等 30 行" in reading.problems[0].message


def test_hidden_rows_are_asked_and_counted_meanwhile() -> None:
    rows = table("姓名 语文\n甲 90\n乙 80\n丙 70")
    hidden = Sheet(rows.file, rows.name, rows.rows, hidden_rows=frozenset({2}), filtered=True)
    reading = understand(hidden)
    question = the_question(reading, "hidden-rows")
    assert (question.key, question.default, question.blocking) == (("rows", KEY), "采用", True)
    assert "（由筛选造成）：第 3 行" in question.text
    assert len(names(reading)) == 3
    without = understand(hidden, answers=Answers(rows={KEY: "忽略"}))
    assert names(without) == ["甲", "丙"]
    assert without.questions == ()
    assert classes(without)[2] is R.SKIPPED


def test_a_hidden_sheet_is_asked() -> None:
    rows = table("姓名 语文\n甲 90")
    question = the_question(understand(Sheet(rows.file, rows.name, rows.rows, hidden=True)), "hidden-sheet")
    assert (question.key, question.default) == (("sheets", KEY), "采用")


def test_dates_errors_and_uncalculated_formulas_in_score_cells() -> None:
    reading = understand(
        sheet(
            [["学号", "姓名", "语文", "数学"], ["1", "甲", dt.datetime(2025, 3, 5), True], ["2", "乙", None, None]],
            error_cells={(2, 2): "#REF!"},
            formulas_without_value=frozenset({(2, 3)}),
        )
    )
    assert [(p.code, p.place.cell) for p in reading.problems] == [
        ("date-in-score", "C2"), ("truth-value-in-score", "D2"), ("error-value", "C3"), ("formula-without-value", "D3"),
    ]  # fmt: skip
    assert "输入 3/5 会自动变成日期" in reading.problems[0].message
    assert all(state == ScoreState.INVALID for s in block(reading).scores for state in s.states)


def test_errors_in_footers_do_not_matter() -> None:
    rows = [["姓名", "语文"], ["甲", 90], ["平均分", None]]
    assert codes(understand(sheet(rows, error_cells={(2, 1): "#DIV/0!"})), Severity.ERROR) == []


def test_full_marks_in_headers_bound_the_scores() -> None:
    reading = understand(table("姓名 语文(满分120) 数学150分\n甲 130 140\n乙 120 150"))
    assert reading.declared.full_marks == {"语文": 120_000, "数学": 150_000}
    assert [(p.code, p.place.cell) for p in reading.problems] == [("score-above-full", "B2")]


def test_full_marks_of_the_settings_bound_raw_scores_only() -> None:
    rows = sheet([["姓名", "化学", ""], ["", "原始分", "赋分"], ["甲", 61, 90]])
    reading = understand(rows, answers=Answers(full_marks={"化学": 60_000}))
    assert [p.place.cell for p in reading.problems if p.code == "score-above-full"] == ["B3"]


def test_subjects_already_scaled_by_the_settings() -> None:
    reading = understand(table("姓名 化学\n甲 90"), answers=Answers(scaled=frozenset({"化学"})))
    assert block(reading).scores[0].column.measure is Measure.SCALED


def test_one_mark_is_one_question_with_all_places() -> None:
    reading = understand(table("姓名 语文 数学\n甲 / 80\n乙 90 ／\n丙 - 70"))
    asked = {q.key: [place.cell for place in q.places] for q in reading.questions}
    assert asked == {("marks", "/"): ["B2", "C3"], ("marks", "-"): ["B4"]}


def test_marks_may_be_answered_for_a_subject() -> None:
    reading = understand(
        table("姓名 语文 物理\n甲 / /\n乙 - 5"), answers=Answers(marks={"/": "未选", "语文|/": "缺考", "-": "零分"})
    )
    chinese, physics = block(reading).scores
    assert [ScoreState(v) for v in chinese.states] == [ScoreState.ABSENT, ScoreState.SCORED]
    assert [ScoreState(v) for v in physics.states] == [ScoreState.NOT_CHOSEN, ScoreState.SCORED]
    assert reading.questions == ()


def test_a_pattern_of_electives_gives_a_default() -> None:
    rows = [["姓名", "语文", "物理", "化学", "生物", "政治", "历史", "地理"]]
    choices = ["111000", "110001", "011100", "100110", "111000"]
    rows += [[f"生{n}", "90", *("80" if c == "1" else "/" for c in chosen)] for n, chosen in enumerate(choices)]
    reading = understand(sheet(rows))
    question = the_question(reading, "unknown-mark")
    assert (question.key, question.default, len(question.places)) == (("marks", "/"), "未选", 15)


def test_duplicate_columns_that_are_equal_have_a_default() -> None:
    reading = understand(table("姓名 化学 数学 化学\n甲 62 5 62\n乙 70 6 70"))
    assert [(q.key[1][-1], q.default) for q in reading.questions] == [("B", "原始分"), ("D", "忽略")]


def test_raw_and_scaled_columns_are_no_duplicates() -> None:
    assert understand(table("姓名 化学 化学赋分\n甲 62 70")).questions == ()


def test_unknown_columns_are_listed_and_asked_where_they_look_like_scores() -> None:
    reading = understand(table("姓名 语文 书写态度 德育\n甲 90 好 90\n乙 80 差 85\n丙 70 好 70"))
    assert [(p.code, p.place.cell) for p in reading.problems] == [("ignored-column", "C列")]
    question = the_question(reading, "unknown-column")
    assert (question.key, question.default) == (("columns", f"{KEY}|D"), "忽略")
    answered = understand(table("姓名 语文 德育\n甲 90 90\n乙 80 85"), answers=Answers(columns={f"{KEY}|C": "德育"}))
    assert [s.column.subject for s in block(answered).scores] == ["语文", "德育"]
    assert answered.questions == ()


def test_a_column_of_levels_is_one_message() -> None:
    reading = understand(table("姓名 语文 数学\n甲 A 90\n乙 B 80\n丙 A+ 70"))
    assert [s.column.subject for s in block(reading).scores] == ["数学"]
    assert codes(reading) == ["level-column"]


def test_one_subject_from_the_sheets_name_or_asked() -> None:
    rows = "姓名 成绩\n甲 90"
    assert block(understand(table(rows, name="物理"))).scores[0].column.subject == "物理"
    question = the_question(understand(table(rows)), "unknown-subject")
    assert question.key == ("sheets", KEY)
    answered = understand(table(rows), answers=Answers(sheets={KEY: "物理"}))
    assert block(answered).scores[0].column.subject == "物理"


def test_item_sheet_with_full_marks_and_subtotals() -> None:
    reading = understand(
        table(
            """
            考号 姓名 1 2 3 4(1) 4(2) 客观题 总分
            _ 满分 3 3 4 5 5 10 20
            a1 甲 3 3 4 2 2.5 10 14.5
            a2 乙 0 3 缺考 2 6 3 7""",
            name="数学小题分",
        )
    )
    assert reading.kind is SheetKind.ITEMS
    assert [s.column.item for s in block(reading).scores] == ["1", "2", "3", "4(1)", "4(2)"]
    assert {s.column.subject for s in block(reading).scores} == {"数学"}
    assert reading.declared.item_full_marks == {"1": 3000, "2": 3000, "3": 4000, "4(1)": 5000, "4(2)": 5000}
    assert [(d.column.role, d.column.total_of) for d in block(reading).declared] == [
        (Role.TOTAL, "客观题"), (Role.TOTAL, None),
    ]  # fmt: skip
    assert [(p.code, p.place.cell) for p in reading.problems if p.severity is Severity.ERROR] == [
        ("score-above-full", "G4"),
    ]  # fmt: skip


def test_items_that_begin_again_in_each_part_keep_its_name() -> None:
    reading = understand(sheet([["考号", "一", "", "二", ""], ["", 1, 2, 1, 2], ["01", 1, 2, 3, 4]], name="英语"))
    assert [s.column.item for s in block(reading).scores] == ["一(1)", "一(2)", "二(1)", "二(2)"]


def test_blueprint_by_lines_and_by_columns() -> None:
    lines = [
        ["九年级数学双向细目表"],
        ["题号", "题型", "分值", "知识点", "能力层次"],
        [1, "选择题", 3, "有理数、实数", "了解"],
        [2, "", 3, "函数", ""],
        ["第3题", "解答题", 10, "几何", "应用"],
        ["合计", "", 16, "", ""],
    ]
    reading = understand(sheet(lines, merged=(((2, 1), (3, 1)),)))
    assert reading.kind is SheetKind.BLUEPRINT
    found = [(i.subject, i.item, i.full, i.type, i.knowledge, i.ability) for i in reading.blueprint]
    assert found == [
        ("数学", "1", 3000, "选择题", ("有理数", "实数"), "了解"),
        ("数学", "2", 3000, "选择题", ("函数",), None),
        ("数学", "3", 10_000, "解答题", ("几何",), "应用"),
    ]
    lying = understand(sheet([["题号", 1, 2], ["分值", 3, 4], ["知识点", "甲", "乙"]], name="物理细目表"))
    assert [(i.subject, i.item, i.full, i.knowledge) for i in lying.blueprint] == [
        ("物理", "1", 3000, ("甲",)), ("物理", "2", 4000, ("乙",)),
    ]  # fmt: skip


def test_blueprint_with_missing_full_mark_or_double_item() -> None:
    reading = understand(sheet([["题号", "分值"], [1, 3], [1, 3], [2, ""], [3, "x"]], name="语文"))
    assert codes(reading) == ["duplicate-item", "item-full-missing", "item-full-missing"]
    assert len(reading.blueprint) == 1


@pytest.mark.parametrize(
    ("name", "kind"), [("设置", SheetKind.SETTINGS), ("待确认", SheetKind.ANSWERS), ("填写说明", SheetKind.OTHER)]
)
def test_sheets_known_by_their_name(name: str, kind: SheetKind) -> None:
    assert understand(table("姓名 语文\n甲 90", name=name)).kind is kind


def test_empty_and_blank_sheets() -> None:
    assert understand(sheet([])).kind is SheetKind.EMPTY
    assert understand(sheet([["", "　"], [None, ""]])).kind is SheetKind.EMPTY


def test_an_empty_score_form_says_what_is_missing() -> None:
    reading = understand(table("序号 姓名 语文 数学\n1 _ _ _\n2 _ _ _"))
    assert reading.kind is SheetKind.SCORES
    assert codes(reading, Severity.WARNING) == ["no-pupils"]
    assert "第 1 行是表头（序号、姓名、语文、数学），下面没有填写任何学生" in reading.problems[0].message


def test_scores_without_names_are_no_table_of_figures() -> None:
    reading = understand(table("班级 语文 数学\n九1 80.5 70\n九1 80 71\n九2 81 60"))
    assert reading.kind is SheetKind.OTHER
    assert codes(reading) == ["no-pupil-column"]
    figures = understand(table("班级 人数 语文平均分\n九1 40 80.5\n九2 41 80.5"))
    assert (figures.kind, codes(figures)) == (SheetKind.AGGREGATE, ["no-pupils-aggregate"])


def test_columns_in_another_language_by_the_settings() -> None:
    rows = sheet([["", "tmathssk", "treadssk"], ["2", 473, 447], ["3", 536, 450]], file="star.csv", name="")
    assert understand(rows).kind is SheetKind.OTHER
    answers = Answers(columns={"star.csv||A": "学号", "tmathssk": "数学", "treadssk": "阅读"})
    reading = understand(rows, answers=answers)
    assert block(reading).texts[Role.PUPIL_ID] == ["2", "3"]
    assert [s.column.subject for s in block(reading).scores] == ["数学", "阅读"]


def test_exam_number_of_all_or_of_each() -> None:
    same = understand(table("考试编号 姓名 语文\n5 甲 1\n5 乙 2\n5 丙 3"))
    assert Role.EXAM in block(same).texts
    each = understand(table("考试编号 姓名 语文\n51 甲 1\n52 乙 2\n53 丙 3"))
    assert block(each).texts[Role.EXAM_NO] == ["51", "52", "53"]


def test_names_are_joined_by_one_spelling() -> None:
    reading = understand(
        sheet([["姓名", "语文"], ["王　某", 1], ["阿依古丽•买买提", 2], ["John  Smith", 3], [" 㛃 ", 4]])
    )
    assert names(reading) == ["王某", "阿依古丽·买买提", "John Smith", "㛃"]


def test_ids_of_every_make() -> None:
    rows = [["学号", "姓名", "语文"], [12.0, "甲", 1], ["'007", "乙", 2], ['="008"', "丙", 3], ["9.0", "丁", 4]]
    reading = understand(sheet(rows))
    assert block(reading).texts[Role.PUPIL_ID] == ["12", "007", "008", "9"]
    lost = understand(sheet([["学籍号", "姓名"], ["1.18E+17", "甲"], [1.18e17, "乙"]]))
    assert codes(lost, Severity.ERROR) == ["precision-lost", "precision-lost"]
    assert block(lost).texts[Role.PUPIL_ID] == [None, None]


def test_tenth_class_typed_as_a_number() -> None:
    rows = [["班级", "姓名", "语文"], *([9 + n / 10, f"生{n}", 60] for n in range(1, 10)), [9.1, "生10", 60]]
    reading = understand(sheet(rows))
    (problem,) = reading.problems
    assert (problem.code, problem.place.cell) == ("class-number-lost-zero", "A11")


def test_wide_hidden_column_is_told() -> None:
    rows = table("姓名 语文 数学\n甲 90 80")
    reading = understand(Sheet(rows.file, rows.name, rows.rows, hidden_columns=frozenset({2})))
    assert [(p.code, p.place.cell) for p in reading.problems] == [("hidden-column", "C列")]


def test_a_sheet_left_out_by_the_settings_is_not_read() -> None:
    reading = understand(table("姓名 语文\n甲 x"), answers=Answers(sheets={KEY: "忽略"}))
    assert (reading.kind, reading.problems, reading.pupils) == (SheetKind.OTHER, (), None)


def test_understand_file_keeps_the_order_of_sheets() -> None:
    sheets = (table("姓名 语文\n甲 90", name="一班"), sheet([], name="空"), table("姓名 语文\n乙 90", name="二班"))
    source = SourceFile("p", "一中.xlsx", "0", 1, "xlsx", None, sheets)
    readings = understand_file(source)
    assert [reading.sheet.name for reading in readings] == ["一班", "空", "二班"]
    assert [reading.declared.class_name for reading in readings] == ["一班", None, "二班"]
    assert readings[0].declared.school == "一中"


cells = st.one_of(
    st.none(),
    st.floats(allow_nan=True),
    st.integers(-5, 200),
    st.booleans(),
    st.datetimes(),
    st.sampled_from(
        [
            "姓名",
            "语文",
            "缺考",
            "/",
            "平均分",
            "满分",
            "1",
            "签字：",
            "九1",
            "3/5",
            "题号",
            "分值",
            "学校",
            "注：",
            "　",
        ]
    ),
    st.text(max_size=5),
)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 7).flatmap(lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), max_size=9)),
    st.booleans(),
)
def test_any_sheet_has_a_reading(rows: list[list[Any]], headed: bool) -> None:
    if headed and rows and len(rows[0]) >= 3:
        rows[0][:3] = ["姓名", "语文", "班级"]
    reading = understand(sheet(rows))
    assert len(reading.row_classes) == len(rows)
    if reading.pupils is not None:
        count = len(reading.pupils.rows)
        lines = int((reading.row_classes == RowClass.PUPIL).sum())
        # item scores in long layout have several lines a pupil
        assert count <= lines if long_item_columns(reading.columns) else count == lines
        assert all(len(texts) == count for texts in reading.pupils.texts.values())
        for score in reading.pupils.scores:
            assert len(score.values) == len(score.states) == count
            assert np.all(score.values[score.states != ScoreState.SCORED] == 0)
            assert np.all(score.values >= 0)
    for problem in reading.problems:
        assert problem.message
        assert "None" not in str(problem)
