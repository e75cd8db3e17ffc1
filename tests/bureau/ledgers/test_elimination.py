"""M02: the year's quota of oversize classes and how far a school, a district and the county are."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from bureau.web.units_stage import LAST, NOW, classes, put, set_up
from bureau.world import World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.ledgers.unit_elimination import Elimination, Plan, progress_of
from jiaoheng.bureau.ledgers.unit_figures import figures_of
from jiaoheng.bureau.ledgers.unit_numbers import Size

PLANNED = dt.date(2025, 9, 8)


def size(classes_: int, large: int | None) -> Size:
    return Size(classes_, 40 * classes_, 60, large, 0, 0, 0, None)


def test_m02_the_countys_own_figures() -> None:
    """Quota 297, done 370: 124.58 %; the share from 32.43 % to 20.13 %, 646 left."""
    found = progress_of([Plan(1, 3133, 1016, 297)], {1: size(3209, 646)})
    assert (found.quota, found.done, found.progress, found.left) == ("297", "370", "124.58 %", "646")
    assert (found.share_before, found.share_now, found.share_change) == ("32.43 %", "20.13 %", "−12.30 个百分点")
    assert (found.bar, found.light, found.words, found.warning) == (100, "done", "已完成", "")


def test_what_is_not_there_is_not_counted() -> None:
    plans = [Plan(1, 20, 8, 4), Plan(2, 10, 5, 2)]
    one = progress_of(plans, {1: size(20, 6)})
    assert (one.done, one.progress, one.left, one.reported) == ("2", "33.33 %", "6", "已报 1/2")
    assert one.warning.startswith("有任务的学校里 1 所还没有报")
    none = progress_of(plans, {})
    assert (none.done, none.progress, none.why, none.share_now, none.left) == ("—", "—", "本学期班额还没有报", "—", "—")
    more = progress_of(plans[:1], {1: size(20, 9)})
    assert (more.done, more.progress, more.bar, more.words) == ("净增 1", "0.00 %", 0, "进行中")
    zero = progress_of([Plan(1, 20, 1, 0)], {1: size(20, 1)})
    assert (zero.progress, zero.why) == ("—", "消除任务是 0")


@pytest.fixture
def office(world: World, noon: dt.datetime) -> World:
    set_up(world)
    classes(world, "直", LAST, [60] * 4)
    for name, row in (("甲", (4, 3, 2)), ("直", (4, 4, 2))):
        plan: dict[str, Any] = dict(zip(("classes", "large", "quota"), row, strict=True))
        put(world, "large_class_plan", name, PLANNED, [plan])
    return world


def block(world: World, name: str, who: str = "局长") -> Elimination | None:
    return figures_of(world[who], world[name], clock.today()).elimination


@pytest.mark.django_db
def test_a_school_and_the_units_above_it(office: World) -> None:
    school = block(office, "甲")
    assert school is not None
    assert (school.done, school.quota, school.progress) == ("2", "2", "100.00 %")  # of 60 and 40 one is large
    county = block(office, "县")
    assert county is not None
    assert (county.quota, county.done, county.reported) == ("4", "2", "已报 1/2")
    assert block(office, "乙") is None, "nothing was given to it"
    classes(office, "直", NOW, [60, 60, 60, 40])
    county = block(office, "县")
    assert county is not None
    assert (county.done, county.progress, county.left, county.warning) == ("3", "75.00 %", "4", "")


@pytest.mark.django_db
def test_the_pages_show_the_progress(office: World, client: Client) -> None:
    client.force_login(office["甲填报"])
    page = client.get(f"/units/{office['甲'].pk}/").content.decode()
    assert '<progress class="progress-line" max="100" value="100" aria-label="消除进度 100.00 %">' in page
    assert "基数大班额 − 班级与班额台账本学期的大班额" in page
    client.force_login(office["局长"])
    assert "h-elim" not in client.get(f"/units/{office['乙'].pk}/").content.decode()
    assert "本学期班额还没有报" in client.get(f"/units/{office['直'].pk}/").content.decode()
