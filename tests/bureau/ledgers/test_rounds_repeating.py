"""A round that opens the next one itself: monthly and termly, on working days, once, as long as the setting stands."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from django.test import Client

from bureau.ledgers.rounds_stage import Stage, form, make_stage
from bureau.ledgers.test_rounds_together import together
from bureau.world import World, make_world
from jiaoheng.bureau.core import clock, schedule
from jiaoheng.bureau.core.models import AuditEntry, Beat, Notice
from jiaoheng.bureau.core.periods import ensure_periods, period_of
from jiaoheng.bureau.core.refusals import ForbiddenError, RefusedError
from jiaoheng.bureau.ledgers.models import Filing, Round
from jiaoheng.bureau.ledgers.rounds.actions import do_open_next, do_open_round, do_set_repeat
from jiaoheng.bureau.ledgers.rounds.repeating import next_of, open_due
from jiaoheng.registers.model import PeriodKind

pytestmark = pytest.mark.django_db


def monthly(world: World) -> Stage:
    """A register asked every month; its September round of 2025 runs from Monday the 8th to Friday the 12th."""
    ensure_periods(2025)
    stage = make_stage(world, replace(form(), period=PeriodKind.MONTH))
    open_monthly(stage)
    return stage


def open_monthly(stage: Stage, repeats: str = "month") -> Round:
    day = dt.date(2025, 9, 8)
    with clock.at(clock.beijing(2025, 9, 8, 7)):
        stage.round = do_open_round(
            stage.row, period_of("month", day), "2025 年 9 月师资月报", stage.world["县"], [], day,
            clock.beijing(2025, 9, 8, 8), clock.beijing(2025, 9, 12, 17, 30),
            acting_user=stage.world["股长"], note="照实填", repeats=repeats,
        )  # fmt: skip
    return stage.round


@pytest.fixture
def stage(world: World) -> Stage:
    return monthly(world)


def test_the_next_month_opens_itself_after_the_holidays(stage: Stage) -> None:
    """8 October is a holiday of 2025 (1–8): the first working day after it, and as many working days to file."""
    first = stage.round
    assert first is not None
    with clock.at(clock.beijing(2025, 10, 8, 9)):
        assert open_due() == "自动发起 0 轮"
    with clock.at(clock.beijing(2025, 10, 9, 0, 30)):
        assert open_due() == "自动发起 1 轮"
        assert open_due() == "自动发起 0 轮"
    made = Round.objects.get(follows=first)
    assert (made.title, made.period.code, made.repeats) == ("2025 年 10 月师资月报", "M2025-10", "month")
    assert clock.local(made.opens_at) == clock.beijing(2025, 10, 9, 8)
    # four working days after the opening; Saturday 11 October is worked in exchange
    assert clock.local(made.due_at) == clock.beijing(2025, 10, 14, 17, 30)
    assert made.reference_date == dt.date(2025, 10, 8)
    assert (made.note, made.reminders, made.created_by) == (first.note, first.reminders, first.created_by)
    assert Filing.objects.filter(round=made).count() == Filing.objects.filter(round=first).count() > 0
    entry = AuditEntry.objects.filter(action="round.open").latest("number")
    assert (entry.actor_id, entry.object_id, entry.reason) == (None, str(made.pk), "接着“2025 年 9 月师资月报”自动发起")
    assert Notice.objects.filter(account=first.created_by, key=f"next:{made.pk}").count() == 1


def test_an_extended_deadline_is_not_handed_on(stage: Stage) -> None:
    Round.objects.filter(pk=stage.round.pk).update(due_at=clock.beijing(2025, 9, 30))
    with clock.at(clock.beijing(2025, 9, 20)):
        assert clock.local(next_of(Round.objects.get()).due_at) == clock.beijing(2025, 10, 14, 17, 30)


def test_the_chain_goes_on_from_the_newest(stage: Stage) -> None:
    for month in (10, 11):
        with clock.at(clock.beijing(2025, month, 12)):
            open_due()
    titles = list(Round.objects.order_by("opens_at").values_list("title", flat=True))
    assert titles == [f"2025 年 {month} 月师资月报" for month in (9, 10, 11)]
    assert clock.local(Round.objects.latest("opens_at").opens_at).date() == dt.date(2025, 11, 10), "the 9th is a Sunday"


def test_a_worker_that_stood_still_leaves_out_what_nobody_can_file_any_more(stage: Stage) -> None:
    with clock.at(clock.beijing(2025, 12, 8, 9)):
        assert open_due() == "自动发起 1 轮"
    assert Round.objects.get(follows=stage.round).period.code == "M2025-12"


def test_switched_off_it_ends_and_only_the_office_switches(stage: Stage) -> None:
    world = stage.world
    with clock.at(clock.beijing(2025, 9, 20)):
        with pytest.raises(ForbiddenError):
            do_set_repeat(stage.round, "", acting_user=world["甲填报"])
        with pytest.raises(RefusedError, match="只能选不重复、每月") as refused:
            do_set_repeat(stage.round, "term", acting_user=world["股长"])
        assert refused.value.code == "round-repeats"
        do_set_repeat(stage.round, "", acting_user=world["股长"])
        entry = AuditEntry.objects.latest("number")
        assert [(one["old"], one["new"]) for one in entry.changes] == [("每月", "不重复")]
    with clock.at(clock.beijing(2025, 10, 10)):
        assert open_due() == "自动发起 0 轮"
        with pytest.raises(RefusedError):
            do_open_next(stage.round.pk, acting_user=None)
        do_set_repeat(stage.round, "month", acting_user=world["股长"])
        open_due()
        with pytest.raises(RefusedError, match="请到那一轮里改"):
            do_set_repeat(stage.round, "", acting_user=world["股长"])


def test_a_round_opened_by_hand_is_taken_as_the_next(stage: Stage) -> None:
    with clock.at(clock.beijing(2025, 10, 1, 9)):
        hand = do_open_round(
            stage.row, period_of("month", dt.date(2025, 10, 5)), "十月师资", stage.world["县"], [], dt.date(2025, 10, 1),
            clock.beijing(2025, 10, 1), clock.beijing(2025, 10, 20), acting_user=stage.world["股长"],
        )  # fmt: skip
    with clock.at(clock.beijing(2025, 10, 9, 9)):
        assert open_due() == "自动发起 0 轮"
    hand.refresh_from_db()
    assert (hand.follows_id, hand.repeats) == (stage.round.pk, "month")
    assert Round.objects.count() == 2


def test_a_year_without_a_calendar_is_said_and_tried_again(stage: Stage) -> None:
    Round.objects.update(
        opens_at=clock.beijing(2026, 12, 7, 8), due_at=clock.beijing(2026, 12, 11, 17), first_due_at=None
    )
    with clock.at(clock.beijing(2027, 1, 7, 9)):
        said = open_due()
    assert said.startswith("自动发起 0 轮；“2025 年 9 月师资月报”：")
    assert "2027" in said


def test_a_term_round_keeps_its_distance_from_the_term_and_the_last_day_stays_the_last(world: World) -> None:
    stage = make_stage(world)
    made = stage.open(repeats="term", title="师资")
    with clock.at(clock.beijing(2025, 9, 21)):
        coming = next_of(made)
    # opened on a Saturday (20 September), 50 days after the term began; nothing moves it to a working day
    assert clock.local(coming.opens_at) == clock.beijing(2026, 3, 23)
    assert coming.period is not None
    assert coming.period.starts_on == dt.date(2026, 2, 1)
    assert coming.title == "师资（2026 年春季学期）"
    Round.objects.update(repeats="month", reference_date=dt.date(2025, 9, 30), period=None)
    with clock.at(clock.beijing(2025, 9, 21)):
        assert next_of(Round.objects.get()).reference_date == dt.date(2025, 10, 31)


def test_the_workers_schedule_runs_it(stage: Stage) -> None:
    with clock.at(clock.beijing(2025, 10, 9, 1)):
        assert "next-rounds" in schedule.run_due("一号")
        assert Beat.objects.get(name="next-rounds").message == "自动发起 1 轮"


def test_the_pages_say_it_and_switch_it_off(stage: Stage, client: Client) -> None:
    client.force_login(stage.world["股长"])
    address = f"/rounds/{stage.round.pk}/"
    with clock.at(clock.beijing(2025, 9, 9)):
        assert (
            "每月，下一轮 10 月 9 日（周四）08:00 发起，10 月 14 日（周二）17:30 截止"
            in client.get(address).content.decode()
        )
        client.post(address + "deadline", {"act": "repeat", "repeats": ""})
        assert "<dt>自动发起</dt><dd>不重复" in client.get(address).content.decode()
        wrong = client.post(address + "deadline", {"act": "repeat", "repeats": "year"})
        assert wrong.status_code == 400
        client.post(address + "deadline", {"act": "repeat", "repeats": "month"})
    with clock.at(clock.beijing(2025, 10, 9, 9)):
        open_due()
        after = Round.objects.get(follows=stage.round)
        client = Client()
        client.force_login(stage.world["股长"])
        assert (
            f'下一轮已发起：<a href="/rounds/{after.pk}/">2025 年 10 月师资月报</a>'
            in client.get(address).content.decode()
        )
        assert f'<dt>上一轮</dt><dd><a href="{address}">' in client.get(f"/rounds/{after.pk}/").content.decode()
        assert "请到那一轮里改" in client.get(address + "deadline").content.decode()


def test_the_form_opens_a_repeating_round(world: World, client: Client) -> None:
    ensure_periods(2025)
    stage = make_stage(world, replace(form(), period=PeriodKind.MONTH))
    client.force_login(world["股长"])
    with clock.at(clock.beijing(2025, 9, 8, 7)):
        assert '<option value="month">每月</option>' in client.get("/rounds/new?register=staffing").content.decode()
        typed = {
            "register": "staffing", "sent": "1", "act": "open", "title": "月报", "period": period_of("month", clock.today()).pk,
            "reference_date": "2025-09-08", "opens_date": "2025-09-08", "opens_time": "08:00", "due_date": "2025-09-12",
            "due_time": "17:30", "scope": world["县"].pk,
        }  # fmt: skip
        assert client.post("/rounds/new", typed | {"repeats": "term"}).status_code == 400
        assert client.post("/rounds/new", typed | {"repeats": "month"}).status_code == 303
    assert Round.objects.get(register=stage.row).repeats == "month"


@pytest.mark.django_db(transaction=True)
def test_two_workers_open_one() -> None:
    stage = monthly(make_world())
    entries = AuditEntry.objects.count()
    with clock.at(clock.beijing(2025, 10, 9, 9), everywhere=True):
        said = together(open_due, open_due, open_due)
    assert sorted(map(str, said)) == ["自动发起 0 轮", "自动发起 0 轮", "自动发起 1 轮"]
    assert Round.objects.filter(follows=stage.round).count() == 1
    assert AuditEntry.objects.count() == entries + 1
