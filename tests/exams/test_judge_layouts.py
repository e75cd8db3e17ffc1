"""Layouts that schools send, judged by what a careful person would read out of them."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from pathlib import Path

import pytest
from judge_kit import NAMES, asked, book, codes, judged, scores, told

from jiaoheng.exams.grade_names import grades_in
from jiaoheng.sheets.declared import find_grade
from jiaoheng.sheets.places import Severity


@pytest.mark.parametrize("head", ["成绩", "分数", "得分", "实得分", "分数（满分100分）"])
def test_long_layout_under_any_word_for_score(tmp_path: Path, head: str) -> None:
    """分数 ends in 分 and begins with 数, and is no score of 数学."""
    rows = [[f"26{i:02d}", NAMES[i], s, 60 + i + at] for i in range(6) for at, s in enumerate(("语文", "数学", "英语"))]
    path = book(tmp_path / "八年级期中.xlsx", {"Sheet1": [["学号", "姓名", "科目", head], *rows]})
    found = judged(path, yes=True)
    assert found.ready
    assert [subject.name for subject in found.roster.subjects] == ["语文", "数学", "英语"]
    assert scores(found, "英语")[NAMES[5]] == "67"


@pytest.mark.parametrize("head", ["分数", "成绩", "总分", "总成绩"])
def test_a_sheet_of_one_subject_named_by_its_file(tmp_path: Path, head: str) -> None:
    rows = [[f"{i:02d}", NAMES[i], 70 + i] for i in range(5)]
    found = judged(book(tmp_path / "初二(3)班 英语.xlsx", {"Sheet1": [["学号", "姓名", head], *rows]}), yes=True)
    assert found.ready
    assert list(scores(found, "英语").values()) == ["70", "71", "72", "73", "74"]


def test_class_names_in_every_spelling_are_one_class_each(tmp_path: Path) -> None:
    """九(1), 901, 9.1, 初三1班 over several sheets, and the summary with its own spelling."""
    spelled = {"901": "九(1)", "九(2)": "9.2", "初三3班": "初三3班"}
    sheets = {name: [["姓名", "语文", "数学"]] for name in spelled}
    summary = [["姓名", "班级", "语文", "数学", "总分"]]
    for i in range(12):
        own = list(spelled)[i % 3]
        sheets[own].append([NAMES[i], 80 + i, 70 + i])
        summary.append([NAMES[i], spelled[own], 80 + i, 70 + i, 150 + 2 * i])
    found = judged(book(tmp_path / "各班.xlsx", {**sheets, "汇总": summary}), yes=True)
    assert found.ready
    assert found.roster.pupils.height == 12
    assert set(found.roster.pupils["class"]) == {"九(1)班", "九(2)班", "九(3)班"}
    message = told(found, "repeated-sheet")
    assert str(message).count("各班.xlsx") == 1, "the file is named once, by the place"


def test_ids_that_lost_their_zeros_in_one_file_are_asked_and_joined(tmp_path: Path) -> None:
    for subject, number in (("语文", str), ("数学", int), ("英语", str)):
        rows = [[number(f"09{i:04d}"), NAMES[i], 80 + i] for i in range(8)]
        book(tmp_path / "校" / f"{subject}.xlsx", {"Sheet1": [["考号", "姓名", subject], *rows]})
    found = judged(tmp_path / "校")
    assert asked(found, "lost-zeros").default == "同一号码"
    assert found.roster.pupils.height == 8
    apart = judged(tmp_path / "校", {("accept", "lost-zeros-exam_no"): "不同号码"})
    assert apart.roster.pupils.height == 16


def test_paper_and_folded_score_under_a_subject(tmp_path: Path) -> None:
    """卷面 under 语文 is the score of the paper, not an item; 折分 beside it gives the fold."""
    rows = [[NAMES[i], 100 - 2 * i, 50 - i, 80 - 4 * i, 20 - i, 70 - 2 * i] for i in range(6)]
    head = [["姓名", "语文", "", "数学", "", "总分"], ["", "卷面", "折分", "卷面", "折分", ""]]
    full = ["满分", 120, 60, 100, 25, 85]
    merged = {"成绩": [(0, 1, 0, 2, "语文"), (0, 3, 0, 4, "数学"), (0, 0, 1, 0, "姓名"), (0, 5, 1, 5, "总分")]}
    path = book(tmp_path / "八年级期末.xlsx", {"成绩": [*head, full, *rows]}, merged=merged)
    found = judged(path, yes=True)
    assert found.ready
    assert not found.roster.items
    assert {s.name: (s.full, s.fold) for s in found.roster.subjects} == {
        "语文": (120, Fraction(1, 2)), "数学": (100, Fraction(1, 4)),
    }  # fmt: skip
    assert found.roster.total is not None
    assert found.roster.total.subject.full == 85


def test_long_items_become_item_scores(tmp_path: Path) -> None:
    """One line a pupil and item, with full marks, a line of the sum, and items in the spelling of the blueprint."""
    fulls = {"1": 3, "2": 3, "3(1)": 4}
    lines = [
        [f"26{i:02d}", NAMES[i], item, (i + at) % (full + 1), full]
        for i in range(10)
        for at, (item, full) in enumerate(fulls.items())
    ]
    total = [["2600", NAMES[0], "合计", sum(line[3] for line in lines[:3]), 10]]
    path = book(
        tmp_path / "八年级数学小题分.xlsx", {"Sheet1": [["考号", "姓名", "题号", "得分", "满分"], *lines, *total]}
    )
    found = judged(path, yes=True)
    assert found.ready
    assert found.roster.pupils.height == 10
    items = found.roster.items["数学"]
    assert (items.items, [int(full) for full in items.full]) == (("1", "2", "3(1)"), [3, 3, 4])
    assert scores(found, "数学")[NAMES[1]] == str(sum(line[3] for line in lines[3:6]))


@pytest.mark.parametrize(
    ("line", "code", "cell"),
    [
        (["2600", NAMES[0], "1", 1], "item-differs", "D6"),
        (["2600", NAMES[0], "", 1], "item-without-number", "C6"),
        (["2600", NAMES[0], "1", 2], "repeated-row", "第6行"),
    ],
)
def test_faults_of_long_items_name_their_line(tmp_path: Path, line: list[object], code: str, cell: str) -> None:
    lines = [
        ["2600", NAMES[0], "1", 2],
        ["2600", NAMES[0], "2", 3],
        ["2601", NAMES[1], "1", 2],
        ["2601", NAMES[1], "2", 0],
    ]
    found = judged(book(tmp_path / "数学小题.xlsx", {"S": [["考号", "姓名", "题号", "得分"], *lines, line]}))
    assert told(found, code).place.cell == cell


@pytest.mark.parametrize(("mark", "sheet_fulls"), [(6, [3, 3]), (3, [3, 3]), (3, None)])
def test_a_blueprint_line_for_several_items(tmp_path: Path, mark: int, sheet_fulls: list[int] | None) -> None:
    """1-2 with 6 marks together or 3 each, as the item sheet (its full marks or best scores) shows; T1 is item 1."""
    rows = [[f"26{i:02d}", NAMES[i], 3 if i else 2, i % 4, 5] for i in range(6)]
    full = [["满分", "", *sheet_fulls, 5]] if sheet_fulls else []
    plan = [["题号", "题型", "知识点", "分值"], ["1-2", "选择题", "数与式", mark], ["3", "解答题", "几何", 5]]
    path = book(
        tmp_path / "数学.xlsx", {"小题分": [["考号", "姓名", "T1", "T2", "T3"], *full, *rows], "双向细目表": plan}
    )
    found = judged(path)
    assert "blueprint-extra" not in codes(found)
    items = found.roster.items["数学"]
    assert [int(full) for full in items.full] == [3, 3, 5]
    assert [line.knowledge for line in items.blueprint] == [("数与式",), ("数与式",), ("几何",)]


def test_pupils_in_columns_are_refused_with_the_remedy(tmp_path: Path) -> None:
    rows = [["姓名", *NAMES[:6]], ["语文", *range(80, 86)], ["数学", *range(70, 76)]]
    found = judged(book(tmp_path / "八年级.xlsx", {"Sheet1": rows}))
    assert "转置" in told(found, "pupils-in-columns").remedy
    assert not found.open, "nothing is asked about pupils who look like columns"


def test_only_totals_are_told(tmp_path: Path) -> None:
    found = judged(book(tmp_path / "八年级.xlsx", {"Sheet1": [["姓名", "班级", "总分"], [NAMES[0], "801", 400]]}))
    assert "没有各科成绩" in told(found, "only-totals").message
    assert not found.open
    assert not found.ready


def test_a_cohort_is_no_grade() -> None:
    """高2023届 begins with 高2 and names a year; a grade comes from it only together with a date."""
    for text in ("本高2023届", "高2023级", "初2024届3班", "初1901班"):
        assert not grades_in([text]), text
        assert find_grade(text) is None, text
    assert list(grades_in(["高2(3)班"])) == ["高二"]
    assert find_grade("高2期末") == "高二"


def test_a_cohort_column_does_not_contradict_the_grade(tmp_path: Path) -> None:
    rows = [["本高2023届", "1班", NAMES[i], 80 + i, 90 + i] for i in range(5)]
    found = judged(book(tmp_path / "高一上_期末.xlsx", {"Sheet1": [["年级", "班级", "姓名", "语文", "数学"], *rows]}))
    assert found.resolution.settings.grade == "高一"
    assert not {"grade-many", "several-grades", "stage-unknown"} & codes(found)


def test_several_grades_in_a_folder_are_asked_once(tmp_path: Path) -> None:
    """The grade settles the stage: both asked together could be answered against each other."""
    for at, grade in enumerate(("六年级", "七年级")):
        rows = [["1班", NAMES[i + 10 * at], 80, 90] for i in range(5)]
        book(tmp_path / "校" / f"{grade}期末.xlsx", {"成绩": [["班级", "姓名", "语文", "数学"], *rows]})
    found = judged(tmp_path / "校")
    question = asked(found, "several-grades")
    assert question.place.file == "六年级期末.xlsx"
    assert "stage-unknown" not in codes(found)
    chosen = judged(tmp_path / "校", {("grade",): "七年级"})
    assert chosen.roster.pupils.height == 5
    assert told(chosen, "other-grade").place.file == "六年级期末.xlsx"


def test_two_exams_name_each_other_and_not_themselves(tmp_path: Path) -> None:
    for at, exam in enumerate(("期中", "期末")):
        rows = [["1班", NAMES[i], 60 + 3 * i + at, 90 - 2 * i - at] for i in range(12)]
        book(tmp_path / "校" / f"八年级{exam}.xlsx", {"成绩": [["班级", "姓名", "语文", "数学"], *rows]})
    found = judged(tmp_path / "校")
    texts = {question.place.file: question.text for question in found.open if question.code == "which-exam"}
    assert set(texts) == {"八年级期中.xlsx", "八年级期末.xlsx"}
    for file, text in texts.items():
        assert file not in text
        assert text.startswith("这张表与")


def test_a_wrong_total_does_not_hide_how_totals_are_folded(tmp_path: Path) -> None:
    rows = [["姓名", "语文", "数学", "英语", "政治", "历史", "总分"]]
    for i in range(30):
        own = [60 + (7 * i) % 50, 50 + (11 * i) % 60, 40 + (13 * i) % 70, 30 + (17 * i) % 60, 35 + (19 * i) % 55]
        rows.append([NAMES[i], *own, own[0] + own[1] + own[2] + own[3] * 0.5 + own[4] * 0.5])
    rows[5][6] = 999
    found = judged(book(tmp_path / "九年级一模.xlsx", {"成绩": rows}))
    assert asked(found, "total-subjects").default == "语文+数学+英语+政治×0.5+历史×0.5"
    assert told(found, "total-differs").place.cell == "G6"


def test_raw_and_scaled_as_the_total_means_them(tmp_path: Path) -> None:
    rows = [["姓名", "语文", "数学", "化学原始分", "化学赋分", "总分"]]
    rows += [[NAMES[i], 90 + i, 80 + 2 * i, 50 + i, 62 + i, 232 + 4 * i] for i in range(10)]
    found = judged(book(tmp_path / "高三二模.xlsx", {"Sheet1": rows}))
    question = asked(found, "raw-or-scaled")
    assert question.default == "是"
    assert "总分加的是赋分" in question.text
    assert scores(judged(tmp_path / "高三二模.xlsx", {question.key: "否"}), "化学")[NAMES[0]] == "50"


def test_transferred_pupil_in_two_classes_keeps_the_class_and_scores_that_were_answered(tmp_path: Path) -> None:
    head = ["学号", "姓名", "班级", "语文"]
    sheets = {
        "一班": [head, ["01", NAMES[0], "801", 80], ["02", NAMES[1], "801", 81], ["03", NAMES[2], "801", 82]],
        "二班": [head, ["01", NAMES[0], "802", 90], ["04", NAMES[3], "802", 83], ["05", NAMES[4], "802", 84]],
    }
    path = book(tmp_path / "八年级.xlsx", sheets)
    assert told(judged(path), "scores-differ").severity is Severity.ERROR
    found = judged(path, {("people", "01"): "八(2)班"})
    assert not found.errors
    assert scores(found, "语文")[NAMES[0]] == "90"


@pytest.mark.parametrize("bytes_of", [b"", b"PK\x03\x04junk"])
def test_a_file_that_cannot_be_read_is_told_once(tmp_path: Path, bytes_of: bytes) -> None:
    (tmp_path / "空.xlsx").write_bytes(bytes_of)
    found = judged(tmp_path / "空.xlsx")
    assert len(found.errors) == 1
    assert found.errors[0].place.file == "空.xlsx"


def test_sheets_that_hold_no_pupils_say_what_they_lack(tmp_path: Path) -> None:
    """The reader's own precise words reach the user, as a warning where nothing else is there and a note beside scores."""
    lacking = [["成绩表"], ["语文", "数学", "总分"], [80, 90, 170], [81, 91, 172]]
    alone = judged(book(tmp_path / "甲.xlsx", {"汇总": lacking}))
    assert told(alone, "no-pupil-column").severity is Severity.WARNING
    good = [["姓名", "语文", "数学"], *([NAMES[i], 80 + i, 90] for i in range(4))]
    beside = judged(book(tmp_path / "乙.xlsx", {"八年级": good, "汇总": lacking}))
    assert told(beside, "no-pupil-column").severity is Severity.NOTE
    assert beside.roster.pupils.height == 4


def test_subjects_in_english(tmp_path: Path) -> None:
    rows = [["Name", "Class", "Chinese", "Math", "English", "Total"]]
    rows += [[NAMES[i], "8-1", 80 + i, 70, 60, 210 + i] for i in range(4)]
    found = judged(book(tmp_path / "g8.xlsx", {"Sheet1": rows}), yes=True)
    assert [subject.name for subject in found.roster.subjects] == ["语文", "数学", "英语"]


def test_dates_are_told_with_how_they_came_about(tmp_path: Path) -> None:
    rows = [["姓名", "语文", "数学"], [NAMES[0], 80, dt.date(2026, 3, 5)], [NAMES[1], 81, 70]]
    problem = told(judged(book(tmp_path / "八年级.xlsx", {"成绩": rows})), "date-in-score")
    assert (problem.place.cell, problem.severity) == ("C2", Severity.ERROR)
