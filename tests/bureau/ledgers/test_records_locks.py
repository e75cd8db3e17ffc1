"""P07: five refusals with five sentences, never a bare 已锁定."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from bureau.ledgers.registers_for_tests import CONDITIONS, store, year
from bureau.world import START, World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.refusals import ForbiddenError, RefusedError
from jiaoheng.bureau.core.tree_writing import Seed, plant
from jiaoheng.bureau.ledgers.locks import check_open
from jiaoheng.bureau.ledgers.models import Filing, FilingStep, Round

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(world: World, noon: dt.datetime) -> Any:
    """A round of 办学条件 2025 from 09-01, ended on 09-12, asking 甲, 乙 and 丙 of the kind 211."""
    row = store(CONDITIONS)
    found = Round.objects.create(
        register=row, period=year(2025), title="办学条件 2025", scope_unit=world["县"], office=world["股"],
        kinds=["211"], reference_date=dt.date(2025, 9, 10), opens_at=clock.beijing(2025, 9, 1),
        due_at=clock.beijing(2025, 9, 10, 23, 59, 59), created_by=world["股长"], created_at=clock.now(),
        closed_at=clock.beijing(2025, 9, 12),
    )  # fmt: skip
    for name in ("甲", "乙", "丙"):
        Filing.objects.create(round=found, unit=world[name])
    return found


def _said(asked: Any, unit: Any, account: Any, at: dt.datetime) -> tuple[str, str]:
    with pytest.raises((RefusedError, ForbiddenError)) as refused:
        check_open(asked.register, unit, asked.period, account, at)
    return getattr(refused.value, "code", "forbidden"), str(refused.value)


def test_p07_each_reason_has_its_own_sentence(world: World, asked: Any, noon: dt.datetime) -> None:
    """Opens on; closed on and who may extend; approved by; not in scope; no right."""
    approved = Filing.objects.get(unit=world["乙"])
    Filing.objects.filter(pk=approved.pk).update(state=Filing.State.APPROVED, content=1)
    FilingStep.objects.create(
        filing=approved, kind="approve", level="county", content=1, by=world["股长"], by_name="股长（基础教育股）",
        at=clock.beijing(2025, 9, 6, 10),
    )  # fmt: skip
    late = plant([Seed("2199000009", "school", "东镇新小学", "T01", dt.date(2026, 3, 1), kind="211")])["2199000009"]
    inside = clock.beijing(2025, 9, 8)
    told = [
        _said(asked, world["甲"], world["甲填报"], clock.beijing(2025, 8, 31, 23, 59, 59)),
        _said(asked, world["甲"], world["甲填报"], noon),
        _said(asked, world["乙"], world["乙填报"], inside),
        _said(asked, late, world["东学区"], inside),
        _said(asked, world["直"], world["直填报"], inside),
        _said(asked, world["乙"], world["甲填报"], inside),
    ]
    assert [code for code, _text in told] == [
        "round-not-open",
        "round-closed",
        "filing-approved",
        "unit-out-of-scope",
        "unit-out-of-scope",
        "forbidden",
    ]
    for (_code, text), words in zip(
        told,
        ("于 9 月 1 日 00:00 开始", "于 9 月 12 日 00:00 结束", "股长（基础教育股） 于 9 月 6 日 10:00", "2026-03-01", "学校类别", "东镇甲小学"),
        strict=True,
    ):  # fmt: skip
        assert words in text
        assert "锁定" not in text
    assert "股长" in told[1][1]


def test_p07_an_extension_outlasts_the_end(world: World, asked: Any, noon: dt.datetime) -> None:
    """Only for the unit that has it."""
    Filing.objects.filter(unit=world["甲"]).update(extended_to=clock.beijing(2025, 9, 20))
    assert check_open(asked.register, world["甲"], asked.period, world["甲填报"], noon) is not None
    assert _said(asked, world["丙"], world["丙填报"], noon)[0] == "round-closed"


def test_records_without_a_round_are_free(world: World, noon: dt.datetime) -> None:
    """Nobody asks: those who fill may write at any time."""
    row = store(CONDITIONS)
    assert check_open(row, world["甲"], year(2025), world["甲填报"], noon) is None
    assert noon.date() > START
