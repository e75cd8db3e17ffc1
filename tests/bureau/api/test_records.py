"""Records through the API: the same doors, masks, versions and entries as on the pages."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from bureau.api.kit import Program
from bureau.ledgers.registers_for_tests import ROSTER, store
from bureau.world import World, make_world
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import AuditEntry
from jiaoheng.bureau.ledgers.actions_records import do_save_record
from jiaoheng.bureau.ledgers.models import Draft, Record, RecordVersion

ID_NUMBER = "990000201204070001"
FORM = {"teachers": 45, "classes": 11}


def _form(program: Program, world: World, values: dict[str, Any], status: int = 201, **heads: str) -> Any:
    sent = {"unit": world["甲"].pk, "period": "2025", "values": values}
    return program.post("/registers/t_conditions/records", sent, status, **heads)


@pytest.mark.django_db
def test_a_record_goes_in_and_comes_out(world: World, conditions: Any) -> None:
    program = Program(world["甲填报"])
    saved = _form(program, world, {**FORM, "area": 95.50, "grade": "A"})
    assert saved == {
        "id": saved["id"], "version": 1, "created": True, "repeated": False, "unchanged": False, "warnings": {},
    }  # fmt: skip
    response = program.send("GET", f"/records/{saved['id']}")
    assert response["ETag"] == '"1"'
    found = response.json()
    assert found["values"] == {"teachers": 45, "classes": 11, "area": "95.5", "grade": "A"}
    assert (found["unit"]["name"], found["period"], found["register_name"]) == ("东镇甲小学", "2025", "t_conditions")
    version = RecordVersion.objects.get()
    assert (version.source, version.door, version.author_id) == ("api", "api", world["甲填报"].pk)
    entry = AuditEntry.objects.get(action="record.create")
    assert (entry.door, entry.actor_name) == ("api", "甲填报（东镇甲小学）")


@pytest.mark.django_db
def test_every_wrong_value_is_told_at_its_place(world: World, conditions: Any) -> None:
    told = _form(Program(world["甲填报"]), world, {"teachers": "约30", "classes": None, "nope": 1}, 400)
    assert told["code"] == "values-wrong"
    assert set(told["places"]) == {"teachers", "classes", "nope"}
    assert "约30" in told["places"]["teachers"]
    assert not Record.objects.exists()


@pytest.mark.django_db
def test_p06_no_full_number_leaves_the_door(world: World, roster: Any) -> None:
    program = Program(world["甲填报"])
    unit = world["甲"].pk
    values = {"code": "1", "name": "张", "id_number": ID_NUMBER}
    made = program.post("/registers/t_roster/records", {"unit": unit, "values": values}, 201)
    other = {"code": "2", "name": "李", "id_number": "990000201204070028"}
    program.post("/registers/t_roster/records", {"unit": unit, "values": other}, 201)
    changed = {"id_number": "990000201204070002"}
    said = [
        program.send("GET", f"/records/{made['id']}").content,
        program.send("GET", f"/records/{made['id']}/history").content,
        program.send("GET", "/registers/t_roster/records").content,
        program.send("GET", f"/registers/t_roster/records?q={ID_NUMBER}").content,
        b"".join(program.send("GET", "/registers/t_roster/file").streaming_content),
        b"".join(program.send("GET", "/registers/t_roster/file?format=parquet").streaming_content),
        program.send("GET", "/audit").content,
        program.send("PATCH", f"/records/{made['id']}", {"values": {**changed, "points": "多"}, "base": 1}).content,
        program.send("PATCH", f"/records/{made['id']}", {"values": {"points": 1}, "base": 9}).content,
    ]
    assert not any(b"20120407" in one for one in said)
    shown = program.get(f"/records/{made['id']}")["values"]["id_number"]
    assert shown == "990000********0001"
    # what was read comes back unchanged: asterisks never overwrite
    program.patch(f"/records/{made['id']}", {"values": {"id_number": shown, "points": 3}, "base": 1})
    assert RecordVersion.objects.get(record_id=made["id"], number=2).data["id_number"] == ID_NUMBER
    for query in ("sort=id_number", "filter=id_number:from:9"):
        told = program.send("GET", f"/registers/t_roster/records?{query}", status=400).json()
        assert told["code"] == "column-protected"


@pytest.mark.django_db
def test_p10_a_version_is_needed_and_a_stale_one_shows_both(world: World, conditions: Any) -> None:
    x, y = Program(world["甲填报"]), Program(world["甲校长"])
    made = _form(x, world, FORM)
    path = f"/records/{made['id']}"
    x.patch(path, {"values": {"note": "第二版"}, "base": 1})
    x.patch(path, {"values": {"note": "第三版"}}, If_Match='"2"')
    with clock.at(clock.beijing(2025, 9, 15, 14, 5)):
        x.patch(path, {"values": {"teachers": 46}}, If_Match='"3"')
    told = y.patch(path, {"values": {"classes": 12}}, 428)
    assert (told["code"], set(told["places"])) == ("version-needed", {"If-Match"})
    told = y.patch(path, {"values": {"classes": 12}, "base": 3}, 409)
    conflict = told["conflict"]
    assert "甲填报（东镇甲小学） 已于 9 月 15 日 14:05 改过" in told["detail"]
    assert (conflict["newest"], conflict["current"]["version"]) == (4, 4)
    assert conflict["current"]["values"] == {"teachers": 46, "classes": 11, "note": "第三版"}
    rows = {one["field"]: (one["original"], one["theirs"], one["mine"]) for one in conflict["fields"]}
    assert rows == {"teachers": ("45", "46", "45"), "classes": ("11", "11", "12")}
    y.patch(path, {"values": {"classes": 12}}, If_Match='"4"')
    assert y.get(path)["values"] == {"teachers": 46, "classes": 12, "note": "第三版"}
    told = y.patch(path, {"values": {"classes": 13}, "base": 4}, 400, If_Match='"5"')
    assert told["code"] == "version-unreadable"
    told = y.send("DELETE", f"{path}?reason=重复", status=428)
    told = y.send("DELETE", f"{path}?reason=重复", status=409, If_Match='"3"').json()
    assert told["conflict"]["current"]["version"] == 5


@pytest.mark.django_db
def test_p09_a_key_again_with_other_content_is_a_conflict(world: World, conditions: Any) -> None:
    program = Program(world["甲填报"])
    first = _form(program, world, FORM, Idempotency_Key="K")
    again = _form(program, world, FORM, 200, Idempotency_Key="K")
    assert (again["id"], again["version"], again["repeated"]) == (first["id"], 1, True)
    told = _form(program, world, {"teachers": 50, "classes": 11}, 409, Idempotency_Key="K")
    assert told["code"] == "resend-other-content"
    assert "2025-09-15 12:00:00" in told["detail"]
    assert RecordVersion.objects.get().data["teachers"] == 45
    assert Draft.objects.get().typed["teachers"] == 50


@pytest.mark.django_db(transaction=True)
def test_p09_ten_at_the_same_moment_make_one_record(settings: Any) -> None:
    with clock.at(clock.beijing(2025, 9, 15, 12), everywhere=True):
        world = make_world()
        store(ROSTER)
        programs = [Program(world["甲填报"]) for _ in range(10)]
        sent = {"unit": world["甲"].pk, "values": {"code": "1", "name": "张"}}
        answers: list[Any] = []
        gate = threading.Barrier(10)

        def send(program: Program) -> None:
            gate.wait()
            answers.append(program.send("POST", "/registers/t_roster/records", sent, Idempotency_Key="K"))
            connection.close()

        threads = [threading.Thread(target=send, args=(one,)) for one in programs]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert sorted(one.status_code for one in answers) == [200] * 9 + [201]
        assert len({one.json()["id"] for one in answers}) == 1
        assert (Record.objects.count(), RecordVersion.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_p22_the_history_says_through_which_door(world: World, conditions: Any) -> None:
    fang, li = Program(world["甲校长"]), Program(world["甲填报"])
    made = _form(fang, world, FORM)
    path = f"/records/{made['id']}"
    record = Record.objects.get()
    do_save_record(
        conditions, world["甲"], record.period, {"teachers": 46}, record_id=record.pk, base=1, reason="新招 1 人",
        acting_user=world["甲校长"],
    )  # fmt: skip
    li.patch(path, {"values": {"classes": 12}, "base": 2})
    items = li.get(f"{path}/history")["items"]
    assert [one["version"] for one in items] == [3, 2, 1]
    assert items[0]["sentence"] == "甲填报（东镇甲小学） 2025-09-15 12:00 通过接口把班级数由 11 改为 12"
    assert "教师数由 45 改为 46，原因：新招 1 人" in items[1]["sentence"]
    back = li.post(f"{path}/restore", {"version": 1, "names": ["teachers"], "base": 3})
    assert back["version"] == 4
    assert li.get(path)["values"] == {"teachers": 45, "classes": 12}
    gone = li.send("DELETE", f"{path}?reason=重复", status=200, If_Match='"4"').json()
    assert gone["version"] == 5
    assert li.get(path)["deleted"] is True
    newer = _form(li, world, FORM)
    told = li.post(f"{path}/undelete", status=400)
    assert f"编号 {newer['id']}" in told["detail"]
    li.send("DELETE", f"/records/{newer['id']}?reason=重复", status=200, If_Match='"1"')
    assert li.post(f"{path}/undelete")["version"] == 6


@pytest.mark.django_db
def test_what_may_be_read_and_not_written_is_403_and_the_rest_404(world: World, conditions: Any) -> None:
    made = _form(Program(world["甲填报"]), world, FORM)
    path = f"/records/{made['id']}"
    inspector, stranger = Program(world["督学"]), Program(world["乙填报"])
    assert inspector.get(path)["version"] == 1
    inspector.patch(path, {"values": {"classes": 1}, "base": 1}, 403)
    missing = stranger.send("GET", "/records/999999", status=404).content
    for method, sent in (("GET", None), ("PATCH", {"values": {"classes": 1}, "base": 1})):
        assert stranger.send(method, path, sent, status=404).content == missing
    assert stranger.send("GET", "/filings/999999", status=404).content == missing
    assert stranger.send("GET", "/nowhere", status=404).content == missing
    _form(stranger, world, FORM, 404)
    assert RecordVersion.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York"])
def test_p29_a_day_stays_a_day(world: World, noon: Any, zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A date sent and read is the same day, a moment the same moment, whatever zone the server has."""
    import time
    from dataclasses import replace

    from jiaoheng.registers.model import Field, FieldType

    fields = (
        *ROSTER.fields, Field("born", FieldType.DATE, "出生日期"), Field("seen", FieldType.DATETIME, "到校时间"),
    )  # fmt: skip
    store(replace(ROSTER, fields=fields))
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        program = Program(world["甲填报"])
        values = {"code": "1", "name": "张", "born": "2025-09-01", "seen": "2025-09-30 23:30"}
        made = program.post("/registers/t_roster/records", {"unit": world["甲"].pk, "values": values}, 201)
        found = program.get(f"/records/{made['id']}")["values"]
        assert (found["born"], found["seen"]) == ("2025-09-01", "2025-09-30T15:30:00Z")
        again = program.patch(f"/records/{made['id']}", {"values": found, "base": 1})
        assert again["unchanged"] is True
        listed = program.get("/registers/t_roster/records")["items"][0]["values"]
        assert (listed["born"], listed["seen"]) == ("2025-09-01", "2025-09-30T15:30:00Z")
        lines = b"".join(program.send("GET", "/registers/t_roster/file").streaming_content).decode()
        assert "2025-09-01,2025-09-30T15:30:00Z" in lines
    finally:
        monkeypatch.undo()
        time.tzset()
