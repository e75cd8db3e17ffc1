"""What no page takes, limits by role, text that is shown harmless, exports that run nothing."""

from __future__ import annotations

import csv
import datetime as dt
import io
import logging
import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.test import Client

from bureau.ledgers import import_kit as kit
from bureau.ledgers.registers_for_tests import ROSTER, store
from bureau.world import World
from jiaoheng.bureau.core import audit, clock, limits
from jiaoheng.bureau.core.models import Account, Tally
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.refused import refused_by_day
from jiaoheng.bureau.core.slips import Slip, write_slips
from jiaoheng.bureau.ledgers.changes import Change
from jiaoheng.bureau.ledgers.exports import do_export, everything
from jiaoheng.bureau.ledgers.imports.files import plain
from jiaoheng.bureau.ledgers.models import Record, RegisterRow
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.writing import Batch, write

pytestmark = pytest.mark.django_db
EVIL = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", "＝1+1", "=HYPERLINK(\"http://x\")"]  # fmt: skip


@pytest.fixture(autouse=True)
def fresh() -> None:
    """Limits are looked up anew in every test."""
    limits.forget()


@pytest.fixture
def roster(world: World, noon: Any) -> Any:
    return store(ROSTER)


def signed(account: Account) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    return client


@audit.action
def put(rows: list[dict[str, Any]], unit: Any, *, acting_user: Account) -> None:
    """Records as they are, past every check of what may be typed."""
    row = RegisterRow.objects.get(name="t_roster")
    write(Batch(row, schema_of(row), None, acting_user, "form"), [Change(unit.pk, data) for data in rows])
    audit.note("record.create", actor=acting_user, about=("record", 1, "张\u202e三"), unit_id=unit.pk)


NAMES = ["name'; DROP TABLE core_account; --", "data__id_number", "record__versions__data", "unit__accounts__password",
         "pk", "id", "name__regex", "data->>'id_number'", "\"name\"", "1 OR 1=1", "name) OR (1=1", "__class__",
         "id_number", "*", "s01", "h01"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_column_names_are_no_way_into_the_base(world: World, roster: Any, name: str) -> None:
    kit.bring(world, roster, [["1", "张三", "一班", 3], ["2", "李四", "二班", 4]])
    client = signed(world["甲填报"])
    plain_body = client.get("/ledgers/t_roster/").status_code
    assert plain_body == 200
    for asked in (
        {f"f.{name}.is": "x"},
        {f"f.name.{name}": "x"},
        {"sort": name},
        {"sort": f"-{name}"},
        {"columns": name},
    ):
        answer = client.get("/ledgers/t_roster/", asked)
        assert answer.status_code in (200, 302, 400), (asked, answer.status_code)
        assert "password" not in answer.content.decode().lower().replace(name.lower(), "").replace("/password/", "")
    assert Account.objects.filter(pk=world["甲填报"].pk).exists()


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("/ledgers/?q=%ff%fe", 400),
        ("/search?q=%00", 400),
        ("/search?q=%ed%a0%80", 400),
        ("/ledgers/?" + "&".join(f"a{n}=1" for n in range(6000)), 414),
        ("/search?" + "&".join(["q"] * 5500), 400),
        ("/search?q=" + "x" * 20_000, 414),
        ("/%00", 400),
        ("/ledgers/%ff", 404),
        ("/../../etc/passwd", 404),
        ("/units/99999999999999999999999/", 404),
        ("/units/-1/", 404),
        ("/units/１/", 404),
    ],
)
def test_addresses_that_cannot_be_read(world: World, asked: str, status: int) -> None:
    answer = signed(world["甲填报"]).get(asked)
    assert answer.status_code == status
    assert re.search(r"[\u4e00-\u9fff]{6,}", answer.content.decode())


def test_forms_that_cannot_be_read(world: World) -> None:
    client = signed(world["甲填报"])
    form = "application/x-www-form-urlencoded"
    bodies = [
        ("a=1&" * 6000, form, 400),
        ("x=" + "y" * 11_000_000, form, 413),
        ('{"a":' * 10_000, "application/json", 415),
        ("<x/>", "application/xml", 415),
        ("x", "text/plain", 415),
        ("a=1", form + "; charset=utf-7", 415),
        ("a=1", form + "; charset=idna", 415),
        ("a=%00", form, 400),
        ("--x\r\nContent-Disposition: form-data; name=a\r\n", "multipart/form-data", 400),
        ("--x\r\n" * 100, "multipart/form-data; boundary=x", 302),
        ("x", "multipart/form-data; boundary=" + "y" * 300, 400),
    ]
    for body, kind, status in bodies:
        answer = client.post("/seen", body, content_type=kind)
        assert answer.status_code in (status, 303 if status == 302 else status), (body[:30], kind, answer.status_code)
    assert client.get("/").status_code == 200


def test_a_body_that_says_it_is_huge_is_not_read(world: World, settings: Any) -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise AssertionError("somebody read the body")

    client = signed(world["甲填报"])
    answer = client.generic("POST", "/seen", "x=1", CONTENT_TYPE="multipart/form-data; boundary=x",
                            CONTENT_LENGTH=str(settings.MOST_BODY + 1), **{"wsgi.input": Endless()})  # fmt: skip
    assert answer.status_code == 413
    assert "请分开上传" in answer.content.decode()


def test_refusals_are_counted_and_quote_nothing(
    world: World, settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DATA = tmp_path
    client = signed(world["甲填报"])
    with caplog.at_level(logging.INFO, logger="jiaoheng.refused"):
        client.get("/units/424242424/")
        client.get("/units/424242424/")
        client.get("/search?q=%00张三秘密")
        Client().post("/login/", {"username": "秘密的名字", "password": "秘密的密码"})
    counts = refused_by_day(1)[clock.today()]
    assert counts[404, "/units/<int:unit_id>/"] == 2
    assert counts[400, "-"] == 1
    assert counts[400, "/login/"] == 1
    written = (tmp_path / "refused" / f"{clock.today():%Y-%m-%d}.txt").read_text() + "".join(
        one.getMessage() for one in caplog.records if one.name == "jiaoheng.refused"
    )
    assert "秘密" not in written
    assert "424242424" not in written


def test_too_many_requests_of_one_account(world: World, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LIMITS = True
    monkeypatch.setattr(limits.time, "time", lambda: 1_700_000_040.0)
    client, other = signed(world["甲填报"]), signed(world["乙填报"])
    states = [client.get("/me").status_code for _ in range(301)]
    assert states == [200] * 300 + [429]
    answer = client.get("/me")
    assert 0 < int(answer["Retry-After"]) <= 60
    assert re.search(r"一分钟内打开页面超过 300 次，请 \d+ 秒后再试", answer.content.decode())
    assert other.get("/me").status_code == 200
    monkeypatch.setattr(limits.time, "time", lambda: 1_700_000_100.0)
    assert client.get("/me").status_code == 200


def test_expensive_work_is_counted_for_all_processes(world: World, settings: Any, roster: Any) -> None:
    settings.LIMITS = True
    client = signed(world["甲填报"])
    states = [client.post("/ledgers/t_roster/import", {"unit": world["甲"].pk}).status_code for _ in range(41)]
    assert states == [400] * 40 + [429]
    assert Tally.objects.get(name=f"heavy/{world['甲填报'].pk}").count == 41
    assert client.get("/").status_code == 200


def test_limits_by_role_and_day() -> None:
    day = dt.date(2025, 9, 15)
    clerk, office = limits.of_roles(("clerk",), day), limits.of_roles(("department",), day)
    assert (clerk.export_rows, office.export_rows) == (20_000, 2_000_000)
    assert limits.of_roles(("clerk", "department"), day).export_rows == 2_000_000
    assert limits.of_roles((), day) == clerk


def test_an_export_beyond_the_limit_says_both_numbers(world: World) -> None:
    with pytest.raises(RefusedError) as refused:
        limits.check_export(world["甲填报"], 20_001)
    assert "共 20,001 行，您的角色一次最多导出 20,000 行" in str(refused.value)
    limits.check_export(world["股长"], 20_001)


def test_text_with_marks_is_shown_harmless(world: World, roster: Any) -> None:
    data = {"code": "1", "name": "张\u202e三\u200b<script>alert(1)</script>\u2066", "class_name": "\ufeff一\u00ad班"}
    put([data], world["甲"], acting_user=world["甲填报"])
    Account.objects.filter(pk=world["甲教师"].pk).update(name="甲\u202e教\u200b师<img src=x onerror=alert(1)>")
    record = Record.objects.get(register=roster)
    client, boss = signed(world["甲填报"]), signed(world["管理员"])
    pages = [client.get(f"/records/{record.pk}/"), client.get("/ledgers/t_roster/"), client.get("/search?q=张"),
             boss.get("/people/"), boss.get(f"/people/{world['甲教师'].pk}/"), boss.get("/audit/")]  # fmt: skip
    for answer in pages:
        text = answer.content.decode()
        assert answer.status_code == 200
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\ufeff\u00ad]", text)
        assert "<script>alert" not in text
        assert "<img src=x" not in text
    assert "&lt;script&gt;" in pages[0].content.decode()


def test_no_export_runs_anything(world: World, roster: Any, tmp_path: Path) -> None:
    rows = [{"code": str(number), "name": text, "class_name": text} for number, text in enumerate(EVIL, 1)]
    put(rows, world["甲"], acting_user=world["甲填报"])
    assert Record.objects.filter(register=roster).count() == len(EVIL)
    doors = {}
    for form in ("xlsx", "csv"):
        made = do_export(roster, everything(world["甲填报"], roster), form=form, acting_user=world["甲填报"])
        with plain(made) as path:
            doors[f"export.{form}"] = (path.read_bytes(), form)
    write_slips(tmp_path / "slips.xlsx", [Slip(text, text, text, text, text) for text in EVIL])
    doors["slips"] = ((tmp_path / "slips.xlsx").read_bytes(), "xlsx")
    from jiaoheng.bureau.ledgers.bulk_read import bulk_read
    from jiaoheng.bureau.ledgers.listing_query import ListQuery

    found = bulk_read(roster, ListQuery(), form="csv", acting_user=world["甲填报"])
    doors["bulk.csv"] = ("".join(found.lines or ()).encode(), "csv")
    for door, (data, form) in doors.items():
        assert count_of_texts(data, form) > 0, door
        assert runs(data, form) == [], door


def runs(data: bytes, form: str) -> list[str]:
    """Cells that a spreadsheet would run."""
    if form == "csv":
        cells = [cell for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))) for cell in row]
        return [
            cell for cell in cells if cell[:1] in tuple("=+-@\t\r＝＋－＠") and not re.fullmatch(r"-?\d+(\.\d+)?", cell)
        ]
    book = openpyxl.load_workbook(io.BytesIO(data))
    return [cell.value for sheet in book for row in sheet.iter_rows() for cell in row
            if cell.data_type == "f" or (cell.hyperlink and cell.hyperlink.target)]  # fmt: skip


def count_of_texts(data: bytes, form: str) -> int:
    """How many cells hold one of the texts, whatever stands before it."""
    wanted = [one.strip() for one in EVIL]
    if form == "csv":
        return sum(any(one in line for one in wanted) for line in data.decode("utf-8-sig").splitlines())
    book = openpyxl.load_workbook(io.BytesIO(data))
    texts = [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    return sum(any(one in text for one in wanted) for text in texts)


def test_the_reader_of_exports_finds_what_runs() -> None:
    assert runs(b"a,=1+1\n", "csv") == ["=1+1"]
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active["A1"] = "=1+1"
    book.save(out)
    assert runs(out.getvalue(), "xlsx") == ["=1+1"]
