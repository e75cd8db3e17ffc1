"""办学条件 of a school's page: seven items, their standards, the county's schools of the same kind, last year."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from bureau.web.units_stage import put
from bureau.world import World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.periods import ensure_periods, period_of
from jiaoheng.bureau.ledgers.actions_registers import do_load_pack
from jiaoheng.bureau.ledgers.models import Filing, RegisterRow, Round
from jiaoheng.bureau.ledgers.unit_conditions import CONDITIONS, Conditions, conditions_of, policy_on, value_of
from jiaoheng.bureau.ledgers.unit_rows import unmarked
from jiaoheng.registers.loading import load_shipped

pytestmark = pytest.mark.django_db
LAST, NOW = dt.date(2024, 10, 15), dt.date(2025, 9, 9)


def form(pupils: int, **values: Any) -> dict[str, Any]:
    """A school that just reaches every standard of a primary school at 1,000 pupils."""
    row: dict[str, Any] = {
        "pupils": pupils,
        "above_standard_teachers": 42,
        "backbone_teachers": 10,
        "arts_sports_teachers": 9,
        "teaching_area": "4800",
        "indoor_sports_area": "300",
        "sports_area": "7500",
        "equipment_value": "200",
        "multimedia_rooms": 23,
    }
    return row | values


@pytest.fixture
def county(world: World, noon: dt.datetime) -> World:
    with clock.at(clock.beijing(2024, 9, 1)):
        do_load_pack(load_shipped(), acting_user=None)
    for year in (2023, 2024, 2025, 2026):
        ensure_periods(year)
    put(world, CONDITIONS, "甲", LAST, [form(1000, backbone_teachers=8)])
    put(world, CONDITIONS, "甲", NOW, [form(1000, backbone_teachers=9, sports_area="7490.00")])
    put(world, CONDITIONS, "乙", NOW, [form(500)])
    put(world, CONDITIONS, "直", NOW, [form(2000)])
    return world


def block(world: World, name: str, day: dt.date | None = None) -> Conditions | None:
    unit = world[name]
    return conditions_of(unit, day or clock.today(), unmarked([CONDITIONS]).get(CONDITIONS), world["县"].pk)


def test_seven_items_with_standard_and_last_year(county: World) -> None:
    found = block(county, "甲")
    assert found is not None
    rows = {one.title: (one.value, one.standard, one.before, one.change, one.result) for one in found.items}
    assert len(rows) == 7
    assert rows["高于规定学历教师"] == ("4.20", "4.20", "4.20", "0.00", "达标")
    assert rows["骨干教师"] == ("0.90", "1.00", "0.80", "+0.10", "达底线")
    assert rows["教学及辅助用房"][0] == "4.50", "without the indoor sports rooms"
    assert rows["教学仪器设备"][:2] == ("2,000", "2,000")
    assert rows["体育运动场馆"] == ("7.49", "7.50", "7.50", "−0.01", "达底线"), "judged on the unrounded value"
    assert found.finding == "7 项里 5 项达标，骨干教师达底线、体育运动场馆达底线"
    assert found.rule.endswith("整校未达标"), "six must be reached"
    assert all(one.definition for one in found.items)
    assert found.plot is not None
    assert [one.share for one in found.plot.dots][-1] == "90"


def test_the_county_column_is_of_the_same_kind_and_of_three_schools_at_least(county: World) -> None:
    found = block(county, "甲")
    assert found is not None
    assert {one.county for one in found.items} == {"—"}, "two primary schools would show each other's figures"
    assert found.items[0].county_why == "同类学校不足 3 所"
    put(county, CONDITIONS, "丙", NOW, [form(2000)])
    found = block(county, "甲")
    assert found is not None
    # 42 teachers in each of three primary schools of 1000, 500 and 2000 pupils; the junior school of 2000 is no part
    assert found.items[0].county == "3.60"
    assert found.rate == "全县小学有数的 3 所"
    policy = policy_on(NOW)
    assert policy is not None
    assert value_of(policy["items"][0], [form(0)]) is None, "nobody to divide by"
    assert value_of(policy["items"][0], [form(100, above_standard_teachers=None)]) is None


def test_the_state_of_the_form_is_said(county: World) -> None:
    found = block(county, "甲")
    assert found is not None
    assert found.state == "没有采集轮次问过"
    row, period, at = RegisterRow.objects.get(name=CONDITIONS), period_of("year", NOW), clock.now()
    asked = Round.objects.create(
        register=row, period=period, title="办学条件", scope_unit=county["县"], reference_date=NOW,
        opens_at=at, due_at=at, created_by=county["股长"], created_at=at,
    )  # fmt: skip
    Filing.objects.create(round=asked, unit=county["甲"], state="county")
    found = block(county, "甲")
    assert found is not None
    assert found.state == "待局审定"
    then = block(county, "甲", dt.date(2024, 11, 1))
    assert then is not None
    assert (then.period, then.items[1].value) == ("2024—2025 学年", "0.80")
    later = block(county, "甲", dt.date(2026, 9, 5))
    assert later is not None
    assert later.state == "待局审定；2026—2027 学年的还没有填，以下是2025—2026 学年的数"


def test_no_form_no_block(county: World) -> None:
    assert block(county, "丙") is None
    assert conditions_of(county["甲"], clock.today(), None, county["县"].pk) is None


def test_the_page_of_a_school_has_the_block(county: World, client: Client) -> None:
    client.force_login(county["甲填报"])
    page = client.get(f"/units/{county['甲'].pk}/").content.decode()
    assert "7 项里 5 项达标" in page
    assert "（教学及辅助用房面积 － 室内体育用房面积）÷ 在校生" in page
    client.force_login(county["局长"])
    assert "h-cond" not in client.get(f"/units/{county['东'].pk}/").content.decode()
    assert "h-cond" in client.get(f"/units/{county['乙'].pk}/").content.decode()
