"""Rounds and filings through the API: submit, approve, return, and two decisions at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from bureau.api.kit import Program
from bureau.ledgers.rounds_stage import Stage, make_stage
from bureau.world import World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(world: World) -> Iterator[Stage]:
    with clock.at(clock.beijing(2025, 10, 5, 9)):
        made = make_stage(world)
        made.open()
        yield made


def _act(program: Program, filing: Any, what: str, status: int = 200, **sent: Any) -> Any:
    return program.post(f"/filings/{filing.pk}/{what}", {"version": filing.version, **sent}, status)


def test_a_filing_goes_its_way(world: World, stage: Stage) -> None:
    clerk, district, office = (Program(world[one]) for one in ("甲填报", "东学区", "股长"))
    sent = {"unit": world["甲"].pk, "period": "t2025-1", "values": {"teachers": 45, "classes": 11}}
    clerk.post("/registers/staffing/records", sent, 201)
    filing = stage.filing("甲")
    assert clerk.post(f"/filings/{filing.pk}/submit", {}, 428)["code"] == "version-needed"
    done = _act(clerk, filing, "submit")
    assert (done["state"], done["may"]) == ("district", ["recall"])
    again = _act(clerk, filing, "submit")
    assert again["version"] == done["version"], "the same once more writes nothing"
    filing = stage.filing("甲")
    told = _act(district, filing, "return", 400, reason="")
    assert told["places"] == {"reason": "请填写退回原因"}
    record = clerk.get("/registers/staffing/records")["items"][0]["id"]
    remark = {"record_id": record, "field": "teachers", "text": "应为 54"}
    back = _act(district, filing, "return", reason="数不对", remarks=[remark])
    assert back["state"] == "returned"
    assert [(one["field"], one["words"]) for one in back["remarks"]] == [("teachers", "应为 54")]
    clerk.patch(f"/records/{record}", {"values": {"teachers": 54}, "base": 1})
    _act(clerk, stage.filing("甲"), "submit")
    filing = stage.filing("甲")
    _act(district, filing, "approve")
    told = _act(district, filing, "approve", 409)
    assert "东学区 已于 10-05 09:00 通过" in told["detail"]
    assert _act(office, stage.filing("甲"), "approve")["state"] == "approved"
    told = clerk.patch(f"/records/{record}", {"values": {"teachers": 1}, "base": 2}, 400)
    assert told["code"] == "filing-approved"
    doors = set(AuditEntry.objects.filter(action__startswith="filing.").values_list("door", flat=True))
    assert doors == {"api"}


def test_two_decisions_on_one_version(world: World, stage: Stage) -> None:
    stage.fill("甲", teachers=45, classes=11)
    stage.submit("甲")
    filing = stage.filing("甲")
    first = Program(world["东学区"])
    _act(first, filing, "approve")
    told = _act(first, filing, "return", 409, reason="改")
    assert "东学区 已于 10-05 09:00 通过" in told["detail"]
    assert _act(first, stage.filing("甲"), "withdraw")["state"] == "district"


def test_reading_is_no_first_look(world: World, stage: Stage) -> None:
    """A program that reads every night must not close the way back of a school."""
    stage.fill("甲", teachers=45, classes=11)
    stage.submit("甲")
    filing = stage.filing("甲")
    Program(world["东学区"]).get(f"/filings/{filing.pk}")
    done = _act(Program(world["甲填报"]), filing, "recall")
    assert done["state"] == "draft"


def test_the_board_counts_ones_own(world: World, stage: Stage) -> None:
    stage.fill("甲", teachers=45, classes=11)
    stage.submit("甲")
    district = Program(world["东学区"]).get(f"/rounds/{stage.round.pk}")  # type: ignore[union-attr]
    assert (district["owed"], district["filed"], district["rate"]) == (2, 1, "50.0 %")
    assert {one["unit_name"] for one in district["rows"]} == {"东镇甲小学", "东镇乙小学"}
    office = Program(world["股长"])
    assert office.get(f"/rounds/{stage.round.pk}")["owed"] == 4  # type: ignore[union-attr]
    assert office.get("/rounds")[0]["filed"] == 1
    page = office.get("/filings", limit=3)
    rest = office.get("/filings", limit=3, cursor=page["next"])
    assert len({one["id"] for one in page["items"] + rest["items"]}) == 4
    assert rest["next"] is None
    assert [one["unit"]["name"] for one in office.get("/filings", state="district")["items"]] == ["东镇甲小学"]
    assert office.get("/filings", round=999)["items"] == []


def test_a_late_filing_is_told_late(world: World, stage: Stage) -> None:
    stage.fill("甲", teachers=45, classes=11)
    filing = stage.filing("甲")
    with clock.at(clock.at_end_of(dt.date(2025, 10, 31)) + dt.timedelta(seconds=1)):
        assert _act(Program(world["甲填报"]), filing, "submit")["state"] == "district"
        rows = Program(world["东学区"]).get(f"/rounds/{stage.round.pk}")["rows"]  # type: ignore[union-attr]
        assert [one["timing"] for one in rows if one["unit_name"] == "东镇甲小学"] == ["逾期"]
