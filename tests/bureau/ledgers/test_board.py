"""The board: unit × status, tallies, strips, filters, inside the reader's scope; the list of rounds; a filing's page."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bureau.ledgers.rounds_stage import Stage, add_school, listing, make_stage
from bureau.world import World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.ledgers.models import Record
from jiaoheng.bureau.ledgers.rounds.actions import (
    CellRemark,
    do_approve_filing,
    do_remind,
    do_return_filing,
)
from jiaoheng.bureau.ledgers.rounds.board import board_of, rate_words
from jiaoheng.bureau.ledgers.rounds.board_model import Board, BoardRow, Choice
from jiaoheng.bureau.ledgers.rounds.deadlines import Light
from jiaoheng.bureau.ledgers.rounds.filing_view import view_of
from jiaoheng.bureau.ledgers.rounds.round_list import rounds_of

LATER = (2025, 10, 15, 9)


@pytest.fixture
def stage(world: World) -> Stage:
    """Due on Friday 10-10 17:30. 甲 returned with one cell, 乙 late in draft, 丙 waits for its district, 直 is approved."""
    made = make_stage(world)
    with clock.at(clock.beijing(2025, 9, 20)):
        made.open(due_at=clock.beijing(2025, 10, 10, 17, 30))
    with clock.at(clock.beijing(2025, 10, 9, 9)):
        for name in ("甲", "丙", "直"):
            made.fill(name, teachers=45)
            made.submit(name)
        made.fill("乙", classes=3)
        record = Record.objects.get(unit=world["甲"]).pk
        do_return_filing(
            made.filing("甲"), reason="核对", due_at=clock.beijing(2025, 10, 17, 17, 30),
            remarks=[CellRemark("是 54", record, "teachers")], acting_user=world["东学区"],
        )  # fmt: skip
        do_approve_filing(made.filing("直"), acting_user=world["股长"])
    return made


def seen(stage: Stage, who: str = "股长", choice: Choice | None = None) -> Board:
    with clock.at(clock.beijing(*LATER)):
        return board_of(stage.round, stage.world[who], choice)


def rows(board: Board) -> dict[str, BoardRow]:
    return {row.name: row for group in board.groups for row in group.rows}


def test_tallies_sentence_and_groups_in_the_order_of_need(stage: Stage) -> None:
    board = seen(stage)
    assert board.sentence == "4 所学校，1 所还没交。截止 10 月 10 日（周五）17:30，股长发起。"
    assert board.light == Light("late", "逾期 4 个工作日")
    assert {one.words: one.count for one in board.tallies} == {
        "逾期未交": 1, "退回待改": 1, "待学区审核": 1, "待局审定": 0, "已审定": 1,
    }  # fmt: skip
    assert [one.head for one in board.groups] == ["逾期未交 1 所", "退回待改 1 所", "待学区审核 1 所"]
    assert board.groups[0].words == "截止 10 月 10 日（周五）17:30，逾期 4 个工作日"
    assert (board.rate, board.open_count) == ("75.0 %", 3)


def test_rows_say_progress_steps_filler_and_what_waits(stage: Stage) -> None:
    with clock.at(clock.beijing(2025, 10, 15, 8, 30)):
        do_remind(stage.round, acting_user=stage.world["股长"])
    board = seen(stage, choice=Choice(show="all"))
    assert board.remind_words == "已选 1 所，都是逾期未交。1 所今天 08:30 已催过，这次跳过；没有要发的。"
    found = rows(board)
    late, back, wait, done = (found[name] for name in ("东镇乙小学", "东镇甲小学", "西镇丙小学", "青槐县实验中学"))
    assert (late.light, late.filled, late.owed, late.measure) == (Light("late", "填报中"), 0, 1, "项")
    assert (late.reminded, late.filler, late.chosen, late.submitted) == ("今天 08:30", "乙填报", True, "")
    assert (back.light, back.submitted, back.timing) == (Light("back", "退回 1 格"), "10 月 9 日", "按时")
    assert (wait.light, wait.district) == (Light("wait", "待审 5 个工作日"), "西镇学区")
    assert (done.county_step, done.district, done.light.words) == ("10 月 9 日", "县直", "已审定")


def test_strips_of_the_districts_stand_worst_first(stage: Stage) -> None:
    towns = seen(stage).towns
    assert [(one.name, list(one.cells), one.light.words) for one in towns] == [
        ("东镇学区", ["k-late", "k-back"], "逾期 1"),
        ("西镇学区", ["k-dist"], "待审 1"),
        ("县直", ["k-done"], "已审定"),
    ]
    assert towns[0].label == "东镇学区 2 所：逾期未交 1，退回待改 1"


def test_a_reader_sees_only_his_units(stage: Stage) -> None:
    assert list(rows(seen(stage, "东学区", Choice(show="all")))) == ["东镇乙小学", "东镇甲小学"]
    school = seen(stage, "甲填报", Choice(show="all"))
    assert (list(rows(school)), school.owed, [one.name for one in school.towns]) == (["东镇甲小学"], 1, ["东镇学区"])
    assert (school.may_manage, school.may_approve) == (False, False)


def test_filters_and_sort(stage: Stage) -> None:
    world = stage.world
    assert list(rows(seen(stage, choice=Choice(show="late")))) == ["东镇乙小学"]
    assert list(rows(seen(stage, choice=Choice(show="all", district_id=world["西"].pk)))) == ["西镇丙小学"]
    assert list(rows(seen(stage, choice=Choice(show="all", text="实验")))) == ["青槐县实验中学"]
    assert seen(stage, choice=Choice(show="all", sort="nothing")).groups


def test_sorting_by_last_touch_keeps_the_groups(world: World) -> None:
    stage = make_stage(world)
    with clock.at(clock.beijing(2025, 9, 20)):
        stage.open(due_at=clock.beijing(2025, 10, 10))
    for day, name in [(3, "丙"), (5, "甲"), (4, "乙")]:
        with clock.at(clock.beijing(2025, 10, day)):
            stage.fill(name, classes=day)
    board = seen(stage, choice=Choice(sort="touched", descending=True))
    assert [row.name for row in board.groups[0].rows] == ["东镇甲小学", "东镇乙小学", "西镇丙小学", "青槐县实验中学"]


def test_a_list_register_is_measured_against_the_last_period(world: World) -> None:
    stage = make_stage(world, listing())
    with clock.at(clock.beijing(2025, 9, 20)):
        stage.open(due_at=clock.beijing(2025, 10, 10))
        for number in range(3):
            stage.fill("甲", period=stage.before, name=f"{number}班", pupils=40)
        stage.fill("甲", name="1班", pupils=40)
    row = rows(seen(stage))["东镇甲小学"]
    assert (row.filled, row.owed, row.measure) == (1, 3, "条")
    assert rows(seen(stage))["东镇乙小学"].owed is None


def test_queries_do_not_grow_with_units(world: World) -> None:
    def count(stage: Stage, owed: int) -> int:
        with clock.at(clock.beijing(*LATER)), CaptureQueriesContext(connection) as seen:
            assert board_of(stage.round, world["股长"]).owed == owed
        return len(seen)

    stage = make_stage(world)
    with clock.at(clock.beijing(2025, 9, 20)):
        stage.open(due_at=clock.beijing(2025, 10, 10, 17, 30))
        few = count(stage, 4)
        for number in range(40):
            add_school(world, f"校{number}", f"东镇第{number + 3}小学", "东", f"21990001{number:02d}")
        stage.open(due_at=clock.beijing(2025, 10, 10, 17, 30), scope_unit=world["东"])
    assert count(stage, 42) <= few
    assert few < 40


def test_the_rate_is_rounded_half_up_and_absent_where_nothing_is_owed() -> None:
    assert [rate_words(*one) for one in [(1, 3), (2, 3), (1, 16), (0, 0), (0, 5)]] == [
        "33.3 %", "66.7 %", "6.3 %", "—", "0.0 %",
    ]  # fmt: skip


def test_the_list_of_rounds_counts_inside_the_readers_scope(stage: Stage) -> None:
    with clock.at(clock.beijing(*LATER)):
        (line,) = rounds_of(stage.world["股长"])
        assert (line.owed, line.filed, line.approved, line.late, line.rate) == (4, 3, 1, 1, "75.0 %")
        (line,) = rounds_of(stage.world["东学区"])
        assert (line.owed, line.filed, line.late) == (2, 1, 1)
    with clock.at(clock.beijing(2025, 10, 18)):
        assert rounds_of(stage.world["东学区"])[0].late == 2  # the correction of 甲 is overdue too


def test_the_page_of_a_filing_offers_each_reader_what_he_may_do(stage: Stage) -> None:
    world = stage.world
    with clock.at(clock.beijing(*LATER)):
        school = view_of(stage.filing("甲"), world["甲填报"])
        assert (school.may_submit, school.may_approve, school.may_return) == (True, False, False)
        assert [(one.place, one.was, one.settled) for one in school.remarks] == [("教师数", "45", False)]
        assert (school.due, school.light.words) == ("10 月 17 日（周五）17:30", "还有 2 个工作日")
        assert [line.words for line in school.history] == ["退回修改", "提交"]
        waiting = stage.filing("丙")
        district = view_of(waiting, world["西学区"])
        assert (district.may_approve, district.may_return, district.may_submit) == (True, True, False)
        assert [(one.words, one.done, one.now) for one in district.stops] == [
            ("学校提交", True, False), ("学区审核", False, True), ("局审定", False, False),
        ]  # fmt: skip
        assert view_of(waiting, world["丙填报"]).may_recall
        done = view_of(stage.filing("直"), world["股长"])
        assert (done.state, done.may_withdraw, done.may_return, done.may_approve) == ("县级已审", True, True, False)
        assert [one.words for one in done.stops] == ["学校提交", "局审定"]
    assert done.light == Light("done", "县级已审")


def test_p16_the_steps_of_an_earlier_content_are_history_and_count_no_more(stage: Stage) -> None:
    world = stage.world
    with clock.at(clock.beijing(2025, 10, 15)):
        do_return_filing(stage.filing("直"), reason="漏 2 名", acting_user=world["股长"])
        stage.fill("直", teachers=47)
        stage.submit("直")
        page = view_of(stage.filing("直"), world["股长"])
    assert [(line.words, line.counts) for line in page.history] == [
        ("提交（第 2 次提交）", True),
        ("退回修改（第 1 次提交）", False),
        ("县级已审（第 1 次提交）", False),
        ("提交（第 1 次提交）", False),
    ]
    assert [(one.words, one.done) for one in page.stops] == [("学校提交", True), ("局审定", False)]
    assert dt.timedelta(0) == page.history[0].at - clock.beijing(2025, 10, 15)
