"""Reminders: on working days around each unit's limit, once, as one message a person and day."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from bureau.ledgers.rounds_stage import Stage, add_person, add_school, make_stage
from bureau.world import World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import AuditEntry, Notice
from jiaoheng.bureau.core.refusals import ForbiddenError, RefusedError
from jiaoheng.bureau.ledgers.models import Reminder
from jiaoheng.bureau.ledgers.rounds.actions import do_remind, do_return_filing
from jiaoheng.bureau.ledgers.rounds.board import board_of
from jiaoheng.bureau.ledgers.rounds.reminding import outcomes_of, sweep

FRIDAY = clock.at_end_of(dt.date(2025, 10, 10))


@pytest.fixture
def stage(world: World) -> Stage:
    made = make_stage(world)
    with clock.at(clock.beijing(2025, 9, 20)):
        made.open(due_at=FRIDAY, scope_unit=world["东"])
    return made


def sweep_days(first: dt.date, last: dt.date, hours: tuple[int, ...] = (0, 8, 9, 23)) -> None:
    """Two workers sweep several times on each day."""
    day = first
    while day <= last:
        for hour in hours:
            with clock.at(clock.beijing(day.year, day.month, day.day, hour, 15)):
                sweep()
                sweep()
        day += dt.timedelta(days=1)


def sent() -> list[tuple[str, str, str]]:
    rows = Reminder.objects.filter(outcome="sent").select_related("receiver").order_by("on", "filing_id", "pk")
    return [(f"{row.on:%m-%d}", row.step, row.receiver.name) for row in rows]


def test_p21_each_receiver_gets_each_step_once_on_working_days(stage: Stage) -> None:
    sweep_days(dt.date(2025, 9, 20), dt.date(2025, 10, 20))
    once = Counter((day, name) for day, _, name in sent())
    assert sorted({day for day, _ in once}) == ["09-29", "10-09", "10-11", "10-14"]
    assert [name for day, name in once if day == "09-29"] == ["甲填报", "乙填报"]
    assert [name for day, name in once if day == "10-11"] == ["东学区"]
    assert [name for day, name in once if day == "10-14"] == ["股长"]
    assert len(sent()) == 2 + 2 + 2 + 2  # a row for each of the two schools


def test_p21_twenty_late_schools_of_one_head_are_one_message(world: World) -> None:
    stage = make_stage(world)
    for number in range(18):
        add_school(world, f"校{number}", f"东镇第{number + 3}小学", "东", f"21990001{number:02d}")
    with clock.at(clock.beijing(2025, 9, 20)):
        stage.open(due_at=FRIDAY, scope_unit=world["东"])
    sweep_days(dt.date(2025, 10, 11), dt.date(2025, 10, 11))
    notice = Notice.objects.get(account=world["东学区"])
    assert len(notice.text.splitlines()) == 20
    assert notice.title == "催办：2025 年秋季师资概况，20 所未交"


def test_p21_a_person_who_is_filler_and_head_gets_one_message(stage: Stage) -> None:
    both = stage.world["甲校长"]
    from jiaoheng.bureau.core.models import Membership

    Membership.objects.create(account=both, role="clerk", unit=stage.world["甲"], starts_on=dt.date(2024, 9, 1))
    with clock.at(clock.beijing(2025, 10, 12, 9)):
        do_remind(stage.round, acting_user=stage.world["股长"])
    assert Reminder.objects.filter(receiver=both).count() == 1
    assert Notice.objects.filter(account=both).count() == 1


def test_p21_filed_units_get_no_later_step_and_it_is_listed_why(stage: Stage) -> None:
    sweep_days(dt.date(2025, 9, 28), dt.date(2025, 10, 8))
    with clock.at(clock.beijing(2025, 10, 9, 0, 30)):
        stage.fill("甲", teachers=20)
    with clock.at(clock.beijing(2025, 10, 9, 12)):
        stage.submit("甲")
    sweep_days(dt.date(2025, 10, 10), dt.date(2025, 10, 15))
    mine = Reminder.objects.filter(filing=stage.filing("甲")).order_by("on")
    assert [(f"{one.on:%m-%d}", one.outcome) for one in mine] == [
        ("09-29", "sent"), ("10-09", "filed"), ("10-11", "filed"), ("10-14", "filed"),
    ]  # fmt: skip
    assert mine[2].reason == "10-09 12:00 已提交，不再催办"


def test_p21_returned_counts_anew_from_the_new_date(stage: Stage) -> None:
    with clock.at(clock.beijing(2025, 10, 9, 12)):
        stage.fill("甲", teachers=20)
        stage.submit("甲")
    with clock.at(clock.beijing(2025, 10, 10, 12)):
        due = clock.at_end_of(dt.date(2025, 10, 17))
        do_return_filing(stage.filing("甲"), reason="核对", due_at=due, acting_user=stage.world["东学区"])
    sweep_days(dt.date(2025, 10, 10), dt.date(2025, 10, 22))
    mine = Reminder.objects.filter(filing=stage.filing("甲"), outcome="sent").order_by("on")
    assert [f"{one.on:%m-%d}" for one in mine] == ["10-14", "10-16", "10-20", "10-22"]


def test_p21_a_closed_head_passes_the_step_to_the_county(stage: Stage) -> None:
    head = stage.world["东学区"]
    head.closed_at = clock.beijing(2025, 9, 25)
    head.save()
    sweep_days(dt.date(2025, 10, 11), dt.date(2025, 10, 11))
    assert {name for _, _, name in sent()} == {"股长"}
    assert {one.reason for one in Reminder.objects.filter(outcome="no_receiver")} == {"东镇学区无接收人，转局里"}
    with clock.at(clock.beijing(2025, 10, 11, 12)):
        rows = [row for group in board_of(stage.round, stage.world["股长"]).groups for row in group.rows]
        assert all(row.no_receiver for row in rows)
        listed = outcomes_of(stage.round, stage.world["股长"])
    assert {(one.outcome, one.reason) for one in listed} == {
        ("已发", "东镇学区无接收人，转局里"), ("无接收人", "东镇学区无接收人，转局里"), ("未发：已过", "当天没有发出，日子已过"),
    }  # fmt: skip


def test_p21_a_step_after_the_limit_is_made_up_for(stage: Stage) -> None:
    """The server was off on 10-11 (Saturday): the district head is told on 10-13, before the county is on 10-14."""
    sweep_days(dt.date(2025, 10, 13), dt.date(2025, 10, 14))
    assert {(day, name) for day, _, name in sent()} == {("10-11", "东学区"), ("10-14", "股长")}


def test_p21_an_idle_sweep_leaves_no_entry(stage: Stage) -> None:
    sweep_days(dt.date(2025, 9, 29), dt.date(2025, 9, 29))
    before = AuditEntry.objects.count()
    sweep_days(dt.date(2025, 9, 29), dt.date(2025, 9, 30), hours=(23,))
    assert AuditEntry.objects.count() == before


def test_by_hand_all_late_in_one_press_and_who_was_reminded_today_is_skipped(stage: Stage) -> None:
    world = stage.world
    with clock.at(clock.beijing(2025, 10, 9, 8, 30)), pytest.raises(RefusedError, match="没有逾期未交"):
        do_remind(stage.round, acting_user=world["股长"])
    with clock.at(clock.beijing(2025, 10, 12, 8, 30)):
        assert do_remind(stage.round, [stage.filing("甲")], acting_user=world["东学区"]).sent == ["东镇甲小学"]
    with clock.at(clock.beijing(2025, 10, 12, 10)):
        done = do_remind(stage.round, acting_user=world["股长"])
    assert (done.sent, done.skipped) == (["东镇乙小学"], [("东镇甲小学", "今天 08:30 已催过")])
    assert done.words == "已催办 1 所；跳过 1 所：今天 08:30 已催过"
    assert Reminder.objects.filter(filing=stage.filing("甲"), receiver=world["甲校长"]).count() == 1
    with clock.at(clock.beijing(2025, 10, 12, 11)), pytest.raises(ForbiddenError):
        do_remind(stage.round, acting_user=world["乙填报"])


def test_the_head_who_left_is_replaced_by_a_newer_one(stage: Stage) -> None:
    stage.world["东学区"].closed_at = clock.beijing(2025, 9, 25)
    stage.world["东学区"].save()
    add_person(stage.world, "新学区", "district", "东")
    sweep_days(dt.date(2025, 10, 11), dt.date(2025, 10, 11))
    assert {name for _, _, name in sent()} == {"新学区"}
