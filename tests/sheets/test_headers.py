"""The header is found wherever it stands and however its columns lie."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sheet_kit import sheet, table

from jiaoheng.sheets.reading_model import Measure, Role, RowClass, SheetKind
from jiaoheng.sheets.understand import understand

SUBJECTS = ["语文", "数学", "英语", "物理", "化学", "道法", "历史"]
CANONICAL = {"道法": "道德与法治"}
PREAMBLE = [
    "某县2025年春季学期期末质量检测",
    "成绩统计表",
    "单位：城关中学　　日期：2025-06-20",
    "请勿改动本表格式",
    "",
]


@settings(max_examples=80, deadline=None)
@given(
    preamble=st.lists(st.sampled_from(PREAMBLE), max_size=6),
    left=st.integers(0, 3),
    subjects=st.lists(st.sampled_from(SUBJECTS), min_size=1, max_size=7, unique=True),
    data=st.data(),
)
def test_found_under_any_preamble_and_in_any_order(
    preamble: list[str], left: int, subjects: list[str], data: st.DataObject
) -> None:
    words = data.draw(st.permutations(["班级", "姓名", "学号", *subjects]))
    values: dict[str, list[Any]] = {"班级": ["901", "902"], "姓名": ["王某", "李某"], "学号": ["0001", "0002"]}
    values |= {subject: [60.0 + n, 70.5] for n, subject in enumerate(subjects)}
    pad = [""] * left
    rows = [[*pad, text] for text in preamble]
    rows += [[*pad, *words], *([*pad, *(values[word][n] for word in words)] for n in range(2))]
    reading = understand(sheet(rows))
    assert reading.header_rows == (len(preamble),)
    assert reading.pupils is not None
    assert reading.pupils.texts[Role.NAME] == ["王某", "李某"]
    assert reading.pupils.texts[Role.PUPIL_ID] == ["0001", "0002"]
    found = {score.column.subject: score.values.tolist() for score in reading.pupils.scores}
    assert found == {CANONICAL.get(s, s): [60_000 + 1000 * n, 70_500] for n, s in enumerate(subjects)}


@settings(max_examples=60, deadline=None)
@given(
    subjects=st.lists(st.sampled_from(SUBJECTS), min_size=1, max_size=5, unique=True),
    sub=st.lists(st.sampled_from(["得分", "班名次", "级名次"]), min_size=2, max_size=3, unique=True),
    title=st.booleans(),
    merged=st.booleans(),
)
def test_two_levels_with_or_without_merges(subjects: list[str], sub: list[str], title: bool, merged: bool) -> None:
    top: list[Any] = ["班级", "姓名"]
    low: list[Any] = ["", ""]
    for subject in subjects:
        top += [subject, *[""] * (len(sub) - 1)]
        low += sub
    width = len(top)
    rows: list[list[Any]] = [["某校九年级成绩"]] if title else []
    start = len(rows)
    rows += [top, low, ["九1", "王某", *range(1, width - 1)], ["九1", "李某", *range(2, width)]]
    spans = [((0, 0), (0, width - 1))] if title else []
    spans += [((start, c), (start + 1, c)) for c in range(2)]
    spans += [((start, 2 + len(sub) * n), (start, 1 + len(sub) * (n + 1))) for n in range(len(subjects))]
    reading = understand(sheet(rows, merged=tuple(spans) if merged else ()))
    assert reading.header_rows == (start, start + 1)
    assert reading.pupils is not None
    assert len(reading.pupils.rows) == 2
    wanted = [(CANONICAL.get(s, s), w) for s in subjects for w in sub]
    columns = [(c.subject, c.header[-1]) for c in reading.columns if c.index >= 2]
    assert columns == wanted
    roles = {"得分": Role.SCORE, "班名次": Role.RANK, "级名次": Role.RANK}
    assert [c.role for c in reading.columns if c.index >= 2] == [roles[w] for _, w in wanted]


def test_three_levels() -> None:
    rows = [
        ["姓名", "期末考试", "", "", ""],
        ["", "化学", "", "物理", ""],
        ["", "原始分", "赋分", "原始分", "赋分"],
        ["甲", 60, 70, 61, 71],
    ]
    merged = (((0, 0), (2, 0)), ((0, 1), (0, 4)), ((1, 1), (1, 2)), ((1, 3), (1, 4)))
    reading = understand(sheet(rows, merged=merged))
    assert reading.header_rows == (0, 1, 2)
    found = [(c.subject, c.measure) for c in reading.columns if c.role is Role.SCORE]
    assert found == [(s, m) for s in ("化学", "物理") for m in (Measure.RAW, Measure.SCALED)]


def test_codes_above_the_header_are_not_items() -> None:
    reading = understand(table("采集表 _ _ _\n_ _ yuwen shuxue\n序号 姓名 语文 数学\n1 甲 80 90"))
    assert [RowClass(v) for v in reading.row_classes] == [
        RowClass.TITLE, RowClass.CODE_LINE, RowClass.HEADER, RowClass.PUPIL,
    ]  # fmt: skip
    assert reading.kind is SheetKind.SCORES


@pytest.mark.parametrize("words", [["姓名"], ["姓名", "学号"], ["考号", "语文"]])
def test_small_headers(words: list[str]) -> None:
    reading = understand(sheet([words, ["甲" if w == "姓名" else 5 for w in words]]))
    assert reading.header_rows == (0,)
    assert reading.pupils is not None
    assert len(reading.pupils.rows) == 1


def test_a_subject_in_every_row_is_data() -> None:
    reading = understand(table("学号 学科 成绩\nS1 语文 80\nS1 数学 缺考\nS2 语文 70\nS2 总分 70"))
    assert reading.header_rows == (0,)
    assert reading.pupils is not None
    assert reading.pupils.long
    assert reading.pupils.texts[Role.SUBJECT] == ["语文", "数学", "语文"]
    assert RowClass(int(reading.row_classes[4])) is RowClass.SKIPPED


def test_item_numbers_under_unmerged_groups() -> None:
    reading = understand(sheet([["考号", "语文", "", "", "数学", ""], ["", 1, 2, 3, 1, 2], ["01", 1, 2, 3, 4, 5]]))
    assert reading.kind is SheetKind.ITEMS
    assert [(c.subject, c.item) for c in reading.columns if c.item] == [
        ("语文", "1"), ("语文", "2"), ("语文", "3"), ("数学", "1"), ("数学", "2"),
    ]  # fmt: skip


def test_a_line_of_numbers_under_complete_words_is_no_level() -> None:
    reading = understand(table("姓名 语文 数学\n_ 150 120\n甲 90 80"))
    assert reading.header_rows == (0,)
    (question,) = reading.questions
    assert (question.code, question.key, question.default) == (
        "row-without-name",
        ("rows", "一中.xlsx|Sheet1|2"),
        "满分",
    )
