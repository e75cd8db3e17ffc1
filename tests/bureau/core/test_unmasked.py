"""The report of who saw or took away full values."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import pytest
from django.test import Client

from bureau.ledgers.registers_for_tests import ROSTER, store
from bureau.world import World
from jiaoheng.bureau.core.audit_search import Wanted
from jiaoheng.bureau.core.unmasked import report, rows_of
from jiaoheng.bureau.ledgers.actions_records import do_save_record
from jiaoheng.bureau.ledgers.actions_unmask import do_unmask
from jiaoheng.bureau.ledgers.exports import Chosen, do_export
from jiaoheng.bureau.ledgers.models import RecordVersion

pytestmark = pytest.mark.django_db
NUMBER = "990000201204070001"


@pytest.fixture
def looked(world: World, noon: dt.datetime) -> Any:
    """甲's principal looked twice, the office exported once."""
    row = store(ROSTER)
    for code in ("01", "02"):
        values = {"code": code, "name": f"生{code}", "id_number": NUMBER}
        saved = do_save_record(row, world["甲"], None, values, acting_user=world["甲填报"])
        do_unmask(saved.record_id, "id_number", "=核对学籍", acting_user=world["甲校长"])
    do_export(row, Chosen(list(RecordVersion.objects.all()), "全部"), purpose="上报学籍", acting_user=world["股长"])
    do_export(
        row, Chosen(list(RecordVersion.objects.all()), "全部"), acting_user=world["股长"]
    )  # masked: not in the report
    return row


def test_who_looked_at_whom_for_what(world: World, looked: Any) -> None:
    """Lines newest first and sums by person; the masked export is none of it."""
    found = report(world["局长"], Wanted())
    assert [(one.who, one.fields, one.count, one.purpose) for one in found.lines[1:]] == [
        ("甲校长（东镇甲小学）", "身份证", 1, "=核对学籍"),
        ("甲校长（东镇甲小学）", "身份证", 1, "=核对学籍"),
    ]
    assert (found.lines[0].count, "上报学籍" in found.lines[0].purpose) == (2, True)
    sums = {one.who.partition("（")[0]: (one.looks, one.exports, one.exported) for one in found.people}
    assert sums == {"甲校长": (2, 0, 0), "股长": (0, 1, 2)}
    assert NUMBER not in repr(found)


def test_a_head_sees_his_own_unit_only(world: World, looked: Any) -> None:
    """The school's head: looks at his school's records. Another district: nothing."""
    assert [one.who.partition("（")[0] for one in report(world["甲校长"], Wanted()).people] == ["甲校长"]
    assert report(world["西学区"], Wanted()).lines == ()


def test_the_page_and_its_file(world: World, looked: Any) -> None:
    """CSV with the same lines, formulas made harmless; who has no AUDIT right gets 403."""
    client = Client()
    client.force_login(world["局长"], backend="django.contrib.auth.backends.ModelBackend")
    page = client.get("/audit/unmasked/")
    assert page.status_code == 200
    assert "上报学籍" in page.content.decode()
    assert NUMBER not in page.content.decode()
    told = client.get("/audit/unmasked/?form=csv").content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(told)))
    assert len(rows) == 1 + 3
    assert rows[2][7] == "'=核对学籍"
    assert len(list(rows_of(world["局长"], Wanted(since=dt.date(2025, 9, 16))))) == 0
    client.force_login(world["甲填报"], backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/audit/unmasked/").status_code == 403
