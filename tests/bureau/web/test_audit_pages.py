"""操作记录 and 工作日历: what is found by whom, the verdict over the chain, the days and terms that may be changed."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client

from bureau.world import World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.actions_accounts import do_close_account, do_unlock
from jiaoheng.bureau.core.actions_calendar import do_seed_calendar
from jiaoheng.bureau.core.actions_units import do_rename_unit
from jiaoheng.bureau.core.models import AuditEntry, CalendarDay, Period
from jiaoheng.bureau.core.periods import ensure_periods

pytestmark = pytest.mark.django_db


def come(world: World, client: Client, who: str) -> Client:
    client.force_login(world[who])
    return client


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


@pytest.fixture
def trail(world: World, noon: dt.datetime) -> World:
    """Three entries: at 甲, at 丙, at 甲 again a day later."""
    do_close_account(world["甲填报"], acting_user=world["管理员"], reason="调走")
    do_unlock(world["丙填报"], acting_user=world["管理员"])
    with clock.at(noon + dt.timedelta(days=1)):
        do_rename_unit(
            world["甲"], "东镇第一小学", acting_user=world["管理员"], day=dt.date(2025, 9, 16), reason="统一校名"
        )
    return world


def numbers(response: Any) -> list[str]:
    return [line.verb for line in response.context["found"].lines]


def test_each_reads_what_lies_in_his_reach(trail: World, client: Client) -> None:
    every = come(trail, client, "局长").get("/audit/")
    assert len(numbers(every)) == 3
    mine = text_of(come(trail, client, "甲校长").get("/audit/"))
    assert "东镇第一小学" in mine
    assert "丙填报" not in mine
    assert come(trail, client, "甲填报").get("/audit/").status_code in (302, 403)
    assert come(trail, client, "乙填报").get("/audit/").status_code == 403


def test_the_search_narrows_by_each_question(trail: World, client: Client) -> None:
    come(trail, client, "局长")
    for query, count in (
        ("who=管理员", 3),
        ("who=张三", 0),
        ("what=丙填报", 1),
        ("action=unit-rename", 1),
        (f"unit={trail['甲'].pk}", 2),
        ("since=2025-09-16", 1),
        ("until=2025-09-15", 2),
        (f"type=account&id={trail['丙填报'].pk}", 1),
    ):
        assert len(numbers(client.get(f"/audit/?{query}"))) == count, query
    changed = text_of(client.get("/audit/?action=unit-rename"))
    assert "名称 东镇甲小学 东镇第一小学" in changed
    assert "统一校名" in changed


def test_what_cannot_be_read_is_told_and_foreign_units_are_missing(trail: World, client: Client) -> None:
    come(trail, client, "局长")
    assert "无法识别" in text_of(client.get("/audit/?since=昨天"))
    assert client.get("/audit/?before=x").status_code == 404
    come(trail, client, "甲校长")
    assert client.get(f"/audit/?unit={trail['甲'].pk}").status_code == 200
    assert client.get(f"/audit/?unit={trail['丙'].pk}").status_code == 404


def test_paging_goes_on_by_number(trail: World, client: Client) -> None:
    for _ in range(60):
        do_unlock(trail["丙填报"], acting_user=trail["管理员"])
    come(trail, client, "局长")
    first = client.get("/audit/").context["found"]
    second = client.get(f"/audit/?before={first.next}").context["found"]
    seen = [line.number for line in (*first.lines, *second.lines)]
    assert len(seen) == len(set(seen)) == 63
    assert seen == sorted(seen, reverse=True)
    assert second.next is None


@pytest.mark.django_db(transaction=True)
def test_the_chain_is_checked_on_demand(world: World, noon: dt.datetime, client: Client) -> None:
    do_unlock(world["丙填报"], acting_user=world["管理员"])
    come(world, client, "局长")
    assert "完整，共" in text_of(client.post("/audit/", follow=True))
    AuditEntry.objects.filter(action="account.unlock").update(actor_name="别人")
    assert "不完整" in text_of(client.post("/audit/", follow=True))
    assert come(world, client, "甲校长").post("/audit/").status_code == 403


@pytest.fixture
def year(world: World, noon: dt.datetime) -> World:
    """The published year 2025 and its terms."""
    do_seed_calendar(acting_user=None, years=range(2025, 2026))
    ensure_periods(2025)
    return world


def test_everybody_reads_the_calendar_and_few_change_it(year: World, client: Client) -> None:
    change = {"act": "day", "day": "2025-09-22", "work": "0", "school": "0", "name": "县庆", "reason": "县政府通知"}
    reading = come(year, client, "乙填报").get("/calendar/?year=2025")
    said = text_of(reading)
    assert "国庆节" in said
    assert "调休上班" in said
    assert 'value="day"' not in reading.content.decode()
    assert client.post("/calendar/", change).status_code == 403
    come(year, client, "股长")
    bare = client.post("/calendar/", {**change, "reason": ""})
    assert bare.status_code == 400
    assert CalendarDay.objects.get(pk=dt.date(2025, 9, 22)).is_workday
    assert client.post("/calendar/", change).status_code == 303
    changed = CalendarDay.objects.get(pk=dt.date(2025, 9, 22))
    assert (changed.is_workday, changed.is_schoolday, changed.name, changed.source) == (
        False,
        False,
        "县庆",
        "县政府通知",
    )


def test_a_year_without_notice_is_said_and_not_guessed(year: World, client: Client) -> None:
    come(year, client, "股长")
    assert "还没有录入" in text_of(client.get("/calendar/?year=2031"))
    refused = client.post("/calendar/", {"act": "seed", "year": "2031"})
    assert refused.status_code == 400
    assert not CalendarDay.objects.filter(day__year=2031).exists()
    assert client.post("/calendar/", {"act": "seed", "year": "2024"}).status_code == 303
    assert CalendarDay.objects.filter(day__year=2024).count() == 366


def test_terms_and_vacations(year: World, client: Client) -> None:
    come(year, client, "股长")
    border = {"act": "border", "year": "2025", "term_year": "2025", "reason": "校历"}
    assert client.post("/calendar/", {**border, "border": "2027-01-01"}).status_code == 400
    assert client.post("/calendar/", {**border, "border": "2026-02-20"}).status_code == 303
    assert Period.objects.get(code="T2025-2").starts_on == dt.date(2026, 2, 20)
    holiday = {"act": "vacation", "first": "2025-07-07", "last": "2025-08-31", "name": "暑假", "reason": "校历"}
    assert client.post("/calendar/", holiday).status_code == 303
    day = CalendarDay.objects.get(pk=dt.date(2025, 7, 8))
    assert (day.is_workday, day.is_schoolday, day.name) == (True, False, "暑假")
