"""P06: every page, file, log and preview of a user without the unmasking right, searched for the full numbers: 0 places."""

from __future__ import annotations

import datetime as dt
import io
import logging
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from bureau.ledgers.registers_for_tests import store
from bureau.ledgers.test_encryption import NUMBER, PHONE, PUPILS, SECRETS, VALUES
from bureau.world import World
from jiaoheng.bureau.core import keys
from jiaoheng.bureau.core.models import AuditEntry
from jiaoheng.bureau.ledgers.actions_records import do_save_record
from jiaoheng.bureau.ledgers.models import ImportBatch

pytestmark = pytest.mark.django_db
HEADS = ["学籍号", "姓名", "身份证", "手机"]
OTHER = "990000201305080001"  # another pupil's number with the same mask


@pytest.fixture(autouse=True)
def own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[None]:
    """Keys and a data folder of the test's own."""
    settings.DATA = tmp_path / "data"
    monkeypatch.setenv("JIAOHENG_KEYS", str(tmp_path / "keys"))
    keys.forget()
    yield
    keys.forget()


@pytest.fixture
def pupil(world: World, noon: dt.datetime) -> int:
    """Pupil 甲 with two versions."""
    row = store(PUPILS)
    saved = do_save_record(row, world["甲"], None, VALUES, acting_user=world["甲填报"])
    changed = {"phone": "13900005678", "id_number": OTHER}
    do_save_record(row, world["甲"], None, changed, record_id=saved.record_id, base=1, acting_user=world["甲填报"])
    back = {"phone": PHONE, "id_number": NUMBER}
    do_save_record(row, world["甲"], None, back, record_id=saved.record_id, base=2, acting_user=world["甲填报"])
    return saved.record_id


def signed(account: Any) -> Client:
    """A browser of a person; faults become pages, as on the server."""
    client = Client(raise_request_exception=False)
    client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    return client


def texts(answer: Any) -> str:
    """All that an answer says: its body (the parts of a workbook unpacked), its headers."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            body = b"".join(archive.read(name) for name in archive.namelist())
    return body.decode("utf-8", "replace") + repr(dict(answer.headers))


def _form(world: World, **values: str) -> dict[str, Any]:
    """What the form of a new record sends."""
    return {"unit": world["甲"].pk, **{f"f-{name}": value for name, value in values.items()}}


def places(text: str) -> list[str]:
    """The full values that stand in a text."""
    return [one for one in (*SECRETS, OTHER, "13900005678", "990000201204070033") if one in text]


def test_p06_no_page_and_no_file_has_the_number(world: World, pupil: int, caplog: pytest.LogCaptureFixture) -> None:
    """Lists, record, history, form, search (whole number too, but for the box it was typed in), sort, filter, exports."""
    web = signed(world["甲填报"])
    caplog.set_level(logging.DEBUG)
    name = PUPILS.name
    pages = [
        "/",
        "/ledgers/",
        f"/ledgers/{name}/",
        f"/ledgers/{name}/?columns=name,id_number,phone,illness,amount,number",
        f"/ledgers/{name}/?sort=id_number",
        f"/ledgers/{name}/?id_number=from:99",
        f"/ledgers/{name}/about",
        f"/ledgers/{name}/new?unit={world['甲'].pk}",
        f"/records/{pupil}/",
        f"/records/{pupil}/?version=1",
        f"/records/{pupil}/?tab=history",
        f"/records/{pupil}/edit",
        f"/units/{world['甲'].pk}/",
        "/search?q=990000",
        f"/search?q={NUMBER[:-1]}",
        f"/ledgers/{name}/template?unit={world['甲'].pk}",
        f"/ledgers/{name}/import?unit={world['甲'].pk}",
    ]
    told = {one: texts(web.get(one)) for one in pages}
    told["xlsx"] = texts(web.post(f"/ledgers/{name}/export", {"form": "xlsx"}, follow=True))
    told["csv"] = texts(web.post(f"/ledgers/{name}/export", {"form": "csv"}, follow=True))
    assert {one: places(text) for one, text in told.items() if places(text)} == {}
    assert "990000********0001" in told[f"/records/{pupil}/"]
    assert "990000********0001" in told["csv"]
    assert places(caplog.text) == []


def test_p06_the_preview_of_an_import_and_its_files(world: World, pupil: int, caplog: pytest.LogCaptureFixture) -> None:
    """A file with a number that another record has, one with a changed number, one that is wrong: told by masks, and
    nothing of it lies on the disk in the clear, the uploaded file included."""
    web = signed(world["甲填报"])
    caplog.set_level(logging.DEBUG)
    rows = [
        HEADS,
        ["G99000020120408", "乙", NUMBER, PHONE],
        [VALUES["number"], "甲", OTHER, "13900005678"],
        ["G99000020120409", "丙", "990000201304080002", "139000056789999"],
    ]
    content = "\n".join(",".join(row) for row in rows)
    upload = io.BytesIO(content.encode("utf-8-sig"))
    upload.name = "名册.csv"
    answer = web.post(f"/ledgers/{PUPILS.name}/import", {"unit": world["甲"].pk, "files": [upload]})
    assert answer.status_code == 303, texts(answer)
    page = texts(web.get(answer["Location"]))
    assert "990000********0001" in page
    assert places(page) == []
    assert ImportBatch.objects.get().state == ImportBatch.State.PREVIEW
    files = [one for one in Path(settings.FILES).rglob("*") if one.is_file()]
    assert {one.name for one in files} >= {"head.json", "rows.sealed", "sheet.json"}
    for path in files:
        assert places(path.read_bytes().decode("utf-8", "replace")) == [], path.name
    assert places(caplog.text) == []


def test_p06_a_duplicate_in_the_form_is_told_by_its_mask(world: World, pupil: int) -> None:
    """The sentence at the field; the box holds what this person has just typed himself, and nothing else does."""
    web = signed(world["甲填报"])
    sent = _form(world, number="G99000020120410", name="丁", id_number=NUMBER)
    page = texts(web.post(f"/ledgers/{PUPILS.name}/new", sent))
    assert "另一条记录" in page
    assert "990000********0001" in page
    assert page.count(NUMBER) <= 1


def test_p06_a_fault_tells_nothing(
    world: World, pupil: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The error page and the log of a fault in the middle of a saving: no number, though it was in the hands of it."""
    web = signed(world["甲填报"])

    def broken(*_args: Any, **_more: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("jiaoheng.bureau.ledgers.saving.write", broken)
    sent = _form(world, number="G99000020120411", name="丁", id_number="990000201204070033", phone=PHONE)
    answer = web.post(f"/ledgers/{PUPILS.name}/new", sent)
    assert answer.status_code == 500
    assert places(texts(answer)) == []
    assert "broken" in caplog.text
    assert places(caplog.text) == []


def test_p06_with_the_right_one_value_and_one_entry(world: World, pupil: int) -> None:
    """核对学籍: shown for this one pupil; the entry says who, whom, which, what for."""
    web = signed(world["甲校长"])
    answer = web.post(f"/records/{pupil}/reveal", {"field": "id_number", "purpose": "核对学籍"})
    assert NUMBER in texts(answer)
    assert places(texts(answer)) == [NUMBER]
    entry = AuditEntry.objects.get(action="record.unmask")
    assert (entry.reason, entry.object_id, entry.changes[0]["field"]) == ("核对学籍", str(pupil), "id_number")
