"""毛入园率: two registers divided by the query layer, with both numbers, their reporting, and what is not divided."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import Any

import pytest
from django.test import Client

from bureau.web.units_stage import put
from bureau.world import World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.periods import ensure_periods, period_of
from jiaoheng.bureau.ledgers.actions_registers import do_load_pack
from jiaoheng.bureau.ledgers.models import Filing, RegisterRow, Round
from jiaoheng.bureau.ledgers.ratios import Ratio, divided, ratios_of
from jiaoheng.registers.loading import load_shipped

pytestmark = pytest.mark.django_db
NOW = dt.date(2025, 9, 9)


@pytest.fixture
def county(world: World, noon: dt.datetime) -> World:
    with clock.at(clock.beijing(2024, 9, 1)):
        do_load_pack(load_shipped(), acting_user=None)
    for year in (2024, 2025):
        ensure_periods(year)
    put(world, "preschool", "甲", NOW, [{"children": 120}])
    put(world, "preschool", "乙", NOW, [{"children": 30}])
    put(world, "preschool", "丙", NOW, [{"children": 60}])
    put(world, "preschool", "直", NOW, [{"children": 39}])
    put(world, "preschool_population", "东", NOW, [{"total": 140}])
    return world


def of(world: World, name: str, who: str = "局长", **more: Any) -> Ratio:
    found = ratios_of(world[who], world[name], clock.today(), **more)
    assert len(found) == 1
    return found[0]


def test_m22_the_rate_is_divided_with_its_numbers_beside(county: World) -> None:
    east = of(county, "东")
    assert (east.value, east.numerator.value, east.denominator.value) == ("107.1 %", "150 名", "140 名")
    assert (east.numerator.filed, east.denominator.filed) == ("2 所有数", "已报 1/1")
    assert "可以超过 100 %" in east.definition
    assert east.period == "2025—2026 学年"
    put(county, "preschool_population", "西", NOW, [{"total": 216}])
    whole = of(county, "县")
    assert (whole.value, whole.numerator.value, whole.denominator.value) == ("69.9 %", "249 名", "356 名")
    assert (whole.denominator.filed, whole.warning) == ("已报 2/2", "")


def test_a_missing_denominator_is_named_and_nothing_is_divided(county: World) -> None:
    whole = of(county, "县")
    assert (whole.value, whole.why) == ("—", "西镇学区没有报 3 至 5 岁适龄人口，不能相除")
    assert whole.denominator.filed == "已报 1/2"
    assert divided(Fraction(5), Fraction(0), 1, "在园幼儿", "适龄人口") == ("—", "适龄人口是 0，不能相除")
    assert divided(None, Fraction(9), 1, "在园幼儿", "适龄人口") == ("—", "没有报在园幼儿")
    assert divided(Fraction(0), Fraction(9), 1, "在园幼儿", "适龄人口") == ("0.0 %", "")


def test_where_a_round_asks_the_reporting_rate_stands_beside(county: World) -> None:
    row, period, at = RegisterRow.objects.get(name="preschool"), period_of("year", NOW), clock.now()
    asked = Round.objects.create(
        register=row, period=period, title="学前", scope_unit=county["县"], reference_date=NOW,
        opens_at=at, due_at=at, created_by=county["股长"], created_at=at,
    )  # fmt: skip
    for name, content in (("甲", 1), ("乙", 0)):
        Filing.objects.create(
            round=asked, unit=county[name], content=content, county_id=county["县"].pk, district_id=county["东"].pk
        )
    east = of(county, "东")
    assert east.numerator.filed == "已报 1/2"
    assert east.warning == "在园幼儿已报 1/2，还没有报齐，这个率偏低"


def test_another_year_another_register_and_no_right(county: World) -> None:
    last = period_of("year", dt.date(2024, 10, 1))
    assert ratios_of(county["局长"], county["县"], clock.today(), period=last) == ()
    assert ratios_of(county["局长"], county["县"], clock.today(), register="classes") == ()
    assert ratios_of(county["局长"], county["甲"], clock.today()) == ()
    assert ratios_of(county["西学区"], county["东"], clock.today()) == ()
    assert of(county, "东", "东学区", period=period_of("year", NOW), register="preschool").value == "107.1 %"


def test_the_pages_of_units_and_of_both_registers_show_it(county: World, client: Client) -> None:
    client.force_login(county["局长"])
    period = period_of("year", NOW).pk
    east = county["东"].pk
    for address in (
        f"/units/{east}/",
        f"/ledgers/preschool/totals?unit={east}&period={period}",
        f"/ledgers/preschool_population/totals?unit={east}&period={period}",
    ):
        page = client.get(address).content.decode()
        assert "学前三年毛入园率" in page, address
        assert "<span data-ratio>107.1 %</span>" in page, address
        assert "按园所在地" in page, address
    assert "毛入园率" not in client.get(f"/ledgers/classes/totals?unit={east}").content.decode()
