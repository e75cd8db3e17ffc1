"""What only the database knows of a file: references, unique values of others, units that have ended."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from bureau.ledgers import import_kit as kit
from bureau.ledgers.import_kit import HEADS, bring, start
from bureau.ledgers.registers_for_tests import ROSTER, store
from bureau.world import START, World
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.tree_writing import Seed, plant
from jiaoheng.bureau.ledgers.imports.confirming import do_confirm_import
from jiaoheng.bureau.ledgers.imports.starting import preview_of
from jiaoheng.bureau.ledgers.models import Record
from jiaoheng.registers.model import Field, FieldType

pytestmark = pytest.mark.django_db


def test_a_reference_that_exists_nowhere_is_told_at_its_cell(world: World, roster: Any) -> None:
    fields = (
        Field("number", FieldType.STRING, "证书号", required=True),
        Field("pupil", FieldType.STRING, "获奖人学号", required=True, reference="t_roster.code"),
    )
    awards = store(replace(ROSTER, name="t_awards", title="获奖", fields=fields, key=("number",)))
    bring(world, roster, [["001", "张三", "1班", 5]])
    rows = [["证书号", "获奖人学号"], ["A1", "001"], ["A2", "009"]]
    batch = start(world, awards, kit.sheet(rows))
    problems = preview_of(batch).problems
    assert [one.place.cell for one in problems] == ["B3"]
    assert problems[0].message == "“009”在“学生名册”里没有"
    assert preview_of(batch).counts["wrong"] == 1
    with pytest.raises(RefusedError):
        do_confirm_import(batch, acting_user=world["甲填报"])
    assert not Record.objects.filter(register=awards).exists()


def test_a_unique_value_of_another_schools_record_is_told(world: World, noon: Any) -> None:
    fields = tuple(replace(one, unique=True) if one.name == "id_number" else one for one in ROSTER.fields)
    register = store(replace(ROSTER, fields=fields))
    heads = ["学号", "姓名", "身份证"]
    first = start(world, register, kit.sheet([heads, ["001", "张三", "990000201204070001"]]))
    kit.accept(first, world)
    do_confirm_import(first, acting_user=world["甲填报"])
    again = start(world, register, kit.sheet([heads, ["001", "张三", "990000201204070001"]]))
    assert not preview_of(again).problems
    other = start(world, register, kit.sheet([heads, ["007", "李四", "990000201204070001"]]), who="乙填报", unit="乙")
    problems = preview_of(other).problems
    assert [(one.code, one.place.cell) for one in problems] == [("value-repeated", "C2")]
    assert "990000201204070001" not in problems[0].message


def test_a_closed_unit_is_named_with_its_date(world: World, roster: Any) -> None:
    plant([Seed("2199000009", "school", "东镇老小学", "T01", START, ends_on=dt.date(2025, 9, 1), kind="211")])
    rows = [["单位代码", *HEADS], ["2199000009", "001", "张三", "1班", 1]]
    shown = preview_of(start(world, roster, kit.sheet(rows), who="东学区", unit="东"))
    assert shown.problems[0].message == "“东镇老小学”已于 2025-09-01 撤并，2025-09-15 的台账不应有它"
    foreign = preview_of(start(world, roster, kit.sheet(rows), who="西学区", unit="西"))
    assert "无此单位" in foreign.problems[0].message
