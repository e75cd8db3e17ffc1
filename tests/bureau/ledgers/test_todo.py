"""The home page: what each role reads first, in words, with a fixed number of queries."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bureau.ledgers.rounds_stage import Stage, add_school, make_stage
from bureau.world import World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.ledgers.models import Record, RegisterRow, RegisterVersion
from jiaoheng.bureau.ledgers.rounds.actions import (
    CellRemark,
    do_approve_filing,
    do_open_round,
    do_return_filing,
)
from jiaoheng.bureau.ledgers.rounds.deadlines import Light
from jiaoheng.bureau.ledgers.todo import todo_of


@pytest.fixture
def stage(world: World) -> Stage:
    made = make_stage(world)
    with clock.at(clock.beijing(2025, 9, 20)):
        made.open(due_at=clock.beijing(2025, 10, 10, 17, 30))
    return made


def test_a_filler_reads_what_is_owed_with_its_deadline_and_what_is_missing(stage: Stage) -> None:
    with clock.at(clock.beijing(2025, 10, 9, 9)):
        todo = todo_of(stage.world["甲填报"])
        owed = todo.owed[0]
        assert (owed.title, owed.sub) == ("2025 年秋季师资概况", "基础教育股 · 每学期")
        assert (owed.light, owed.missing, owed.due, owed.action) == (
            Light("soon", "还有 1 个工作日"), "1 项，还没开始", "10 月 10 日（周五）17:30", "开始填报",
        )  # fmt: skip
        assert todo.sentence == "要交 1 项。"
    with clock.at(clock.beijing(2025, 10, 14, 9)):
        stage.fill("甲", classes=3)
        todo = todo_of(stage.world["甲填报"])
        assert (todo.owed[0].action, todo.owed[0].light.words) == ("补报", "逾期 3 个工作日")
        assert todo.sentence == "要交 1 项，其中 1 项逾期。"
        assert todo.approving == todo.managed == []


def test_a_returned_ledger_shows_reason_cells_and_who_sent_it_back(stage: Stage) -> None:
    with clock.at(clock.beijing(2025, 10, 9, 9)):
        stage.fill("甲", teachers=45)
        stage.submit("甲")
        todo = todo_of(stage.world["甲填报"])
        assert todo.waiting_words == "已交、在等别人的 1 项：待学区审核 1 项"
        record = Record.objects.get(unit=stage.world["甲"]).pk
        do_return_filing(
            stage.filing("甲"), reason="教师数不对", acting_user=stage.world["东学区"],
            remarks=[CellRemark("编制台账是 54 名", record, "teachers")],
        )  # fmt: skip
    with clock.at(clock.beijing(2025, 10, 10, 9)):
        todo = todo_of(stage.world["甲填报"])
    (back,) = todo.returned
    assert (back.light.words, back.sub, back.reason, back.action) == (
        "退回 1 格", "东镇学区 东学区　昨天 09:00", "教师数不对", "改这 1 格",
    )  # fmt: skip
    assert [(one.place, one.words) for one in back.cells] == [("教师数", "编制台账是 54 名")]
    assert back.due == "10 月 13 日（周一）"
    assert todo.sentence == "退回 1 项，共 1 格要改。"
    assert todo.owed == []
    assert [one.title for one in todo.changed] == ["2025 年秋季师资概况退回，1 格要改"]


def test_each_level_reads_what_waits_for_it(stage: Stage) -> None:
    world = stage.world
    with clock.at(clock.beijing(2025, 10, 9, 9)):
        stage.fill("甲", teachers=45)
        stage.submit("甲")
    with clock.at(clock.beijing(2025, 10, 13, 9)):
        (item,) = todo_of(world["东学区"]).approving
        assert (item.count, item.names, item.light.words, item.action) == (1, "东镇甲小学", "待审 3 个工作日", "去审核")
        assert todo_of(world["西学区"]).approving == []
        assert todo_of(world["股长"]).approving == []
        do_approve_filing(stage.filing("甲"), acting_user=world["东学区"])
        office = todo_of(world["股长"])
        assert [one.names for one in office.approving] == ["东镇甲小学"]
        assert [one.words for one in office.managed] == ["4 个单位，已审定 0 个，3 个逾期未交"]
        assert [one.words for one in todo_of(world["局长"]).managed] == ["4 个单位，已审定 0 个，3 个逾期未交"]
        assert todo_of(world["局长"]).approving == []
        assert todo_of(world["甲教师"]).count == 0


def test_p03_an_ended_schools_item_stands_in_its_districts_list(stage: Stage) -> None:
    with clock.at(clock.beijing(2025, 9, 21)):
        assert todo_of(stage.world["东学区"]).owed == []
    stage.world["乙"].ends_on = dt.date(2025, 10, 1)
    stage.world["乙"].save()
    with clock.at(clock.beijing(2025, 10, 1, 9)):
        assert len(todo_of(stage.world["东学区"]).owed) == 1
        assert todo_of(stage.world["乙填报"]).owed == []


def test_queries_do_not_grow_with_schools_and_rounds(stage: Stage) -> None:
    world = stage.world

    def count(who: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            todo_of(world[who])
        return len(seen)

    with clock.at(clock.beijing(2025, 10, 9, 9)):
        stage.fill("甲", teachers=45)
        stage.submit("甲")
        few = {who: count(who) for who in ("甲填报", "东学区", "股长")}
    for number in range(12):
        add_school(world, f"校{number}", f"东镇第{number + 3}小学", "东", f"21990001{number:02d}")
    schema = RegisterVersion.objects.get(register=stage.row)
    with clock.at(clock.beijing(2025, 10, 9, 10)):
        for number in range(5):
            row = RegisterRow.objects.create(name=f"more{number}", title=f"台账{number}", created_at=clock.now())
            RegisterVersion.objects.create(
                register=row, number=1, effective_from=schema.effective_from, hash=f"{number}", loaded_at=clock.now(),
                schema={**schema.schema, "name": f"more{number}"},
            )  # fmt: skip
            do_open_round(
                row, stage.period, f"台账{number}", world["县"], [], dt.date(2025, 10, 1), clock.beijing(2025, 10, 1),
                clock.beijing(2025, 11, 1), acting_user=world["股长"],
            )  # fmt: skip
        many = {who: count(who) for who in few}
    assert all(many[who] <= few[who] + 2 for who in few), (few, many)
    assert max(many.values()) < 40
