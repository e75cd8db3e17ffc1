"""Item sheets and blueprints: full marks, sums, and scores of subjects that have items only."""

from __future__ import annotations

from fractions import Fraction

from readings import blueprint, reading
from test_roster_joining import codes, message, question, roster_of, scores

from jiaoheng.sheets.places import Severity
from jiaoheng.sheets.reading_model import SheetKind

ITEMS = [["S1", 5, 10, 7.5], ["S2", 3, None, 4]]


def _items(rows: list[list[object]] = ITEMS, subject: str | None = "数学", **declared: object):  # type: ignore[no-untyped-def]
    return reading(
        ["学号", "题1", "题2", "题3"], rows, sheet="数学小题分", kind=SheetKind.ITEMS, subject=subject, **declared
    )


def test_items_join_scores_by_number() -> None:
    whole = reading(
        ["学号", "姓名", "数学", "语文"], [["S3", "丙", 20, 1], ["S1", "甲", 22.5, 2], ["S2", "乙", 8, 3]], sheet="成绩"
    )
    roster = roster_of(
        whole,
        _items(item_full_marks={"1": 5000, "2": 10000, "3": 10000}),
        subjects={"数学": {"full": 25}, "语文": {"full": 100}},
    )
    items = roster.items["数学"]
    assert items.items == ("1", "2", "3")
    assert items.full == (5, 10, 10)
    assert items.step == Fraction(1, 2)
    assert [roster.pupils["name"][int(i)] for i in items.pupils] == ["甲", "乙"]
    assert items.values.tolist() == [[10, 20, 15], [6, -1, 8]]
    assert not codes(roster, Severity.ERROR)
    assert not roster.questions


def test_blueprint_gives_full_marks_and_subject() -> None:
    roster = roster_of(_items(subject=None), blueprint("数学", [("1", 5), ("2", 10), ("3", 10)]), subjects={})
    assert roster.items["数学"].full == (5, 10, 10)
    assert len(roster.items["数学"].blueprint) == 3
    assert scores(roster, "数学") == {"S1": "45/2", "S2": "MISSING"}
    assert roster.scores["数学"].subject.full == 25
    assert "成绩取各小题得分之和" in message(roster, "score-from-items")


def test_item_above_its_full_mark() -> None:
    roster = roster_of(_items([["S1", 6, 10, 7]]), blueprint("数学", [("1", 5), ("2", 10), ("3", 10)]))
    assert "工作表“数学小题分” B2：第 1 题得分 6 超过满分 5。请改正得分，或改正该题的满分。" in message(
        roster, "item-above-full"
    )
    assert roster.pupils.is_empty()


def test_items_that_do_not_add_up() -> None:
    whole = reading(["学号", "姓名", "数学"], [["S1", "甲", 23], ["S2", "乙", 8]], sheet="成绩")
    roster = roster_of(
        whole, _items(item_full_marks={"1": 5000, "2": 10000, "3": 10000}), subjects={"数学": {"full": 30}}
    )
    assert "数学有 1 名学生的小题分之和与成绩不一致：甲 小题和 22.5，成绩 23" in message(roster, "items-sum-differs")
    assert "数学各小题满分之和 25 与全卷满分 30 不一致" in message(roster, "items-sum-full")


def test_full_marks_of_items_that_nobody_stated() -> None:
    roster = roster_of(_items())
    asked = question(roster, "item-full")
    assert asked.key == ("accept", "item-full-数学")
    assert "数学第 1、2、3 题没有满分" in asked.text
    assert roster_of(_items(), accept={"item-full-数学": "取最高得分"}).items["数学"].full == (5, 10, Fraction(15, 2))


def test_blueprint_and_sheet_that_contradict() -> None:
    roster = roster_of(_items(item_full_marks={"1": 6000}), blueprint("数学", [("1", 5), ("2", 10), ("3", 10)]))
    assert "第 1 题的满分在双向细目表中是 5，在小题分表中是 6" in message(roster, "item-full-differs")
    extra = roster_of(_items(), blueprint("数学", [("1", 5), ("2", 10), ("3", 10), ("4", 2)]))
    assert "双向细目表中的第 4 题没有得分列" in message(extra, "blueprint-extra")


def test_items_without_a_subject() -> None:
    assert "看不出学科" in message(roster_of(_items(subject=None)), "items-without-subject")


def test_same_item_given_twice_with_another_mark() -> None:
    second = reading(["学号", "题1"], [["S1", 4]], sheet="补", kind=SheetKind.ITEMS, subject="数学")
    roster = roster_of(_items(), second, blueprint("数学", [("1", 5), ("2", 10), ("3", 10)]))
    assert "工作表“补” B2：同一学生第 1 题的得分前后不同：5 与 4" in message(roster, "item-differs")
