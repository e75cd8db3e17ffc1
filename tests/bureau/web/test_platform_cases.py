"""Sentences of the platform cases that no other test holds, through the doors of a person: pages and files."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import time
from collections.abc import Iterator
from typing import Any

import openpyxl
import pytest
from django.test import Client

from bureau.ledgers.registers_for_tests import ROSTER, store
from bureau.ledgers.rounds_stage import add_person, make_stage
from bureau.world import PASSWORD, START, World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import AuditEntry, Membership
from jiaoheng.bureau.ledgers.models import Record, RecordVersion
from jiaoheng.registers.model import Field, FieldType, Level, PeriodKind, Register

pytestmark = pytest.mark.django_db
ZONES = ("UTC", "Asia/Shanghai", "America/New_York")
VISITS = Register(
    "visits", "走访登记", 1, START, Level.SCHOOL, PeriodKind.NONE,
    (
        Field("name", FieldType.STRING, "名称", required=True, identity=True, filter=True),
        Field("day", FieldType.DATE, "日期", filter=True),
        Field("moment", FieldType.DATETIME, "时间"),
    ),
    key=("name",),
)  # fmt: skip


@pytest.fixture(params=ZONES)
def zone(request: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The server's own zone."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def entered(world: World, who: str) -> Client:
    client = Client()
    client.force_login(world[who], backend="django.contrib.auth.backends.ModelBackend")
    return client


def body(answer: Any) -> bytes:
    return bytes(answer.getvalue() if getattr(answer, "streaming", False) else answer.content)


def test_p29_days_and_times_are_the_same_whatever_the_servers_zone(world: World, zone: str) -> None:
    store(VISITS)
    clerk, unit = entered(world, "甲填报"), world["甲"].pk
    book = openpyxl.Workbook()
    for row in (
        ["名称", "日期", "时间"],
        ["格子", dt.datetime(2025, 9, 1), dt.datetime(2025, 9, 30, 23, 30)],
        ["文字", "2025-09-01", "2025-09-30 23:30"],
    ):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    out.seek(0)
    out.name = "走访.xlsx"
    with clock.at(clock.beijing(2025, 10, 1, 0, 30)):
        begun = clerk.post("/ledgers/visits/import", {"unit": unit, "files": out})
        assert begun.status_code == 303, begun.content.decode()
        done = clerk.post(f"{begun['Location'].split('?')[0]}confirm")
        assert done.status_code == 303, done.content.decode()
        rows = [one.data for one in RecordVersion.objects.filter(register__name="visits").order_by("record_id")]
        assert [one["day"] for one in rows] == ["2025-09-01", "2025-09-01"]
        moments = {dt.datetime.fromisoformat(str(one["moment"])) for one in rows}
        assert {one.astimezone(dt.UTC) for one in moments} == {dt.datetime(2025, 9, 30, 15, 30, tzinfo=dt.UTC)}
        file = list(
            csv.reader(io.StringIO(body(clerk.post("/ledgers/visits/export", {"form": "csv"})).decode("utf-8-sig")))
        )
        for row in file[1:]:
            assert "2025-09-01" in row
            assert any(cell.startswith("2025-09-30 23:30") for cell in row), row
        page = clerk.get("/ledgers/visits/").content.decode()
        assert "2025-09-01" in page
        assert "2025-08-31" not in page


def test_p29_entries_belong_to_their_day_and_month_in_beijing(world: World, zone: str) -> None:
    office, clerk = entered(world, "局长"), entered(world, "甲填报")
    store(ROSTER)
    for name, moment in (("晚", clock.beijing(2025, 9, 30, 23, 30)), ("早", clock.beijing(2025, 10, 1, 0, 30))):
        with clock.at(moment):
            sent = {"unit": world["甲"].pk, "f-code": name, "f-name": f"{name}间学生"}
            assert clerk.post("/ledgers/t_roster/new", sent).status_code == 303
    with clock.at(clock.beijing(2025, 10, 1, 9)):
        for since, until, there, other in (
            ("2025-09-30", "2025-09-30", "晚间学生", "早间学生"),
            ("2025-10-01", "2025-10-01", "早间学生", "晚间学生"),
            ("2025-09-01", "2025-09-30", "晚间学生", "早间学生"),
        ):
            page = office.get("/audit/", {"since": since, "until": until}).content.decode()
            assert there in page, (zone, since)
            assert other not in page, (zone, since)


def test_p29_half_past_midnight_is_the_new_day(world: World, zone: str) -> None:
    stage = make_stage(world)
    due = clock.at_end_of(dt.date(2025, 9, 30))
    with clock.at(clock.beijing(2025, 9, 22)):
        stage.open(due_at=due, reference_date=dt.date(2025, 9, 20), opens_at=clock.beijing(2025, 9, 21))
        stage.fill("甲", teachers=45, classes=11)
    clerk, filing = entered(world, "甲填报"), stage.filing("甲").pk
    with clock.at(clock.beijing(2025, 9, 30, 23, 30)):
        assert "逾期" not in clerk.get(f"/filings/{filing}/").content.decode()
    with clock.at(clock.beijing(2025, 10, 1, 0, 30)):
        assert clock.today() == dt.date(2025, 10, 1)
        assert "逾期" in clerk.get(f"/filings/{filing}/").content.decode()
    assert os.environ["TZ"] == zone


def test_p04_a_right_taken_away_is_gone_in_an_open_page_too(world: World, noon: Any) -> None:
    row = store(ROSTER)
    both = add_person(world, "王", "leader", "县")
    Membership.objects.create(account=both, role="clerk", unit=world["甲"], starts_on=START)
    browser, unit = entered(world, "王"), world["甲"].pk
    sent = {"unit": unit, "f-code": "1", "f-name": "学生"}
    assert browser.post("/ledgers/t_roster/new", sent).status_code == 303
    record = Record.objects.get(register=row)
    assert browser.get(f"/records/{record.pk}/edit").status_code == 200  # stands open
    Membership.objects.filter(account=both, role="clerk").update(ends_on=clock.today())
    answer = browser.post(f"/records/{record.pk}/edit", {"base": "1", "f-name": "改名", "f-code": "1"})
    assert answer.status_code == 403
    page = browser.get(f"/records/{record.pk}/")
    assert page.status_code == 200
    assert f"/records/{record.pk}/edit" not in page.content.decode()
    assert RecordVersion.objects.filter(record=record).count() == 1


def test_p04_posting_to_a_school_that_one_only_reads_names_the_own(world: World, noon: Any) -> None:
    row = store(ROSTER)
    entered(world, "乙填报").post("/ledgers/t_roster/new", {"unit": world["乙"].pk, "f-code": "1", "f-name": "乙生"})
    record = Record.objects.get(register=row)
    both = add_person(world, "王", "leader", "县")
    Membership.objects.create(account=both, role="clerk", unit=world["甲"], starts_on=START)
    browser = entered(world, "王")
    assert browser.get(f"/records/{record.pk}/").status_code == 200
    answer = browser.post(f"/records/{record.pk}/edit", {"base": "1", "f-name": "改", "f-code": "1"})
    assert answer.status_code == 403
    assert "东镇甲小学" in answer.content.decode()
    assert "东镇乙小学" not in answer.content.decode()


def test_p08_signing_in_again_on_the_spot_saves_once(world: World, noon: Any) -> None:
    store(ROSTER)
    browser = entered(world, "甲填报")
    sent = {"unit": world["甲"].pk, "f-code": "1", "f-name": "学生", "resend_key": "a-key-of-this-form"}
    browser.logout()
    told = browser.post("/ledgers/t_roster/new", sent, headers={"accept": "application/json"})
    assert told.status_code == 401
    assert told["X-Sign-In"] == "/login/"
    again = {"username": world["甲填报"].username, "password": PASSWORD}
    back = browser.post("/login/", again, headers={"accept": "application/json"})
    assert back.status_code == 200
    assert back.json()["csrf"]
    for _ in range(2):
        assert browser.post("/ledgers/t_roster/new", sent).status_code == 303
    assert Record.objects.count() == RecordVersion.objects.count() == 1
    assert AuditEntry.objects.filter(object_type="record").count() == 1


def test_p22_a_namesake_inherits_nothing(world: World, noon: Any) -> None:
    store(ROSTER)
    first = entered(world, "甲填报")
    first.post("/ledgers/t_roster/new", {"unit": world["甲"].pk, "f-code": "1", "f-name": "学生"})
    world["甲填报"].closed_at = clock.now()
    world["甲填报"].save()
    namesake = add_person(world, "甲填报二", "clerk", "甲")
    namesake.name = world["甲填报"].name
    namesake.save()
    browser = entered(world, "甲填报二")
    assert "t_roster" not in browser.get("/me").content.decode()
    entry = AuditEntry.objects.get(object_type="record")
    assert entry.actor_id != namesake.pk
    assert entry.actor_name.startswith("甲填报（")
    assert first.get("/").status_code == 302
