"""Lists and whole files: one's own units, keyset pages, filters and sorts refused alike, as of any day."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import polars as pl
import pytest

from bureau.api.kit import Program
from bureau.ledgers.test_listing import _roster, do_put
from bureau.world import World
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import AuditEntry
from jiaoheng.bureau.core.periods import ensure_periods
from jiaoheng.bureau.ledgers.actions_records_more import do_delete_record
from jiaoheng.bureau.ledgers.models import Record

pytestmark = pytest.mark.django_db


def _all(program: Program, **query: Any) -> list[int]:
    seen: list[int] = []
    cursor = ""
    while True:
        page = program.get("/registers/t_roster/records", cursor=cursor, limit=100, **query)
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            return seen
        cursor = page["next"]


@pytest.mark.parametrize("sort", ["", "points", "-points", "class_name"])
def test_p25_seven_pages_each_record_once(world: World, roster: Any, sort: str) -> None:
    """606 records of one import; one added and one deleted between pages 3 and 4."""
    ids = do_put(roster, world["甲"], _roster(606), acting_user=world["甲填报"])
    program = Program(world["甲填报"])
    seen: list[int] = []
    cursor, pages, gone = "", 0, 0
    while True:
        page = program.get("/registers/t_roster/records", sort=sort, cursor=cursor, limit=100)
        pages += 1
        seen += [one["id"] for one in page["items"]]
        if pages == 3:
            gone = next(one for one in ids if one not in seen)
            version = Record.objects.get(pk=gone).number
            do_delete_record(gone, base=version, reason="重复", acting_user=world["甲填报"])
            do_put(roster, world["甲"], [{"code": "9999", "name": "张3"}], acting_user=world["甲填报"])
        cursor = page["next"]
        if cursor is None:
            break
    assert pages == 7
    assert len(seen) == len(set(seen))
    assert set(ids) - {gone} <= set(seen)


def test_p25_classes_stand_as_people_count_and_blanks_last(world: World, roster: Any) -> None:
    rows = [{"code": str(n), "name": "张", "class_name": f"{n}班"} for n in (10, 1, 2)] + [{"code": "x", "name": "李"}]
    do_put(roster, world["甲"], rows, acting_user=world["甲填报"])
    program = Program(world["甲填报"])
    for sort, expected in (("class_name", ["1班", "2班", "10班", None]), ("-class_name", ["10班", "2班", "1班", None])):
        items = program.get("/registers/t_roster/records", sort=sort)["items"]
        assert [one["values"].get("class_name") for one in items] == expected


def test_p05_lists_hold_ones_own_units_only(world: World, roster: Any) -> None:
    for short in "甲乙丙直":
        rows = [{"code": f"{short}{n}", "name": f"{short}{n}"} for n in range(3)]
        do_put(roster, world[short], rows, acting_user=world[f"{short}填报"])
    district = Program(world["东学区"])
    page = district.get("/registers/t_roster/records", count="true")
    assert {one["unit_name"] for one in page["items"]} == {"东镇甲小学", "东镇乙小学"}
    assert page["total"] == 6
    schools = district.get("/units", level="school")["items"]
    assert [one["name"] for one in schools] == ["东镇甲小学", "东镇乙小学"]
    assert {one["parent_id"] for one in schools} == {world["东"].pk}
    # a foreign unit is what an unknown one is
    unknown = district.send("GET", "/registers/t_roster/records?unit=999999", status=404)
    foreign = district.send("GET", f"/registers/t_roster/records?unit={world['丙'].pk}", status=404)
    assert foreign.content == unknown.content
    assert district.get("/units", under=world["西"].pk)["items"] == []
    assert district.get("/units", code=world["丙"].code)["items"] == []
    district.send("GET", f"/units/{world['丙'].pk}", status=404)
    response = district.send("GET", "/registers/t_roster/file")
    lines = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))
    assert response["X-Row-Count"] == "6"
    assert {one["_unit_name"] for one in lines} == {"东镇甲小学", "东镇乙小学"}
    entry = AuditEntry.objects.get(action="export")
    assert (entry.count, entry.door, entry.actor_id) == (6, "api", world["东学区"].pk)
    assert "接口取 csv" in entry.reason


def test_filters_find_what_the_page_finds(world: World, roster: Any) -> None:
    do_put(roster, world["甲"], _roster(60), acting_user=world["甲填报"])
    program = Program(world["甲填报"])
    items = program.get("/registers/t_roster/records", filter=["points:from:1", "class_name:is:10班"])["items"]
    assert items
    assert all(one["values"]["points"] >= 1 and one["values"]["class_name"] == "10班" for one in items)
    blank = program.get("/registers/t_roster/records", filter="points:blank")["items"]
    assert len(blank) == 20
    assert all("points" not in one["values"] for one in blank)
    assert len(
        program.get("/registers/t_roster/records", filter=["class_name:is:1班", "class_name:is:2班"])["items"]
    ) == sum(one["class_name"] in ("1班", "2班") for one in _roster(60))
    few = program.get("/registers/t_roster/records", columns="name,code", limit=1)["items"][0]
    assert set(few["values"]) == {"name", "code"}
    ticked = program.get("/registers/t_roster/records", id=[items[0]["id"], blank[0]["id"]])["items"]
    assert {one["id"] for one in ticked} == {items[0]["id"], blank[0]["id"]}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("sort=nope", "column-unsortable"),
        ("sort=data", "column-unsortable"),
        ("sort=id_number", "column-protected"),
        ("filter=nope:is:1", "column-unsortable"),
        ("filter=points:from:viel", "filter-value"),
        ("filter=points%20OR%201=1:is:1", "request-wrong"),
        ("filter=points:like:1", "request-wrong"),
        ("sort=points%3Bdrop", "request-wrong"),
        ("columns=name,nope", "column-unknown"),
        ("cursor=xyz", "list-parameter"),
        ("cursor=W10", "list-parameter"),
        ("as_of=gestern", "list-parameter"),
        ("as_of=0001-01-01", "list-parameter"),
        ("as_of=9999-12-31T23:59:59Z", "list-parameter"),
        ("limit=0", "request-wrong"),
        ("limit=501", "request-wrong"),
        ("limit=1&limit=2", "request-wrong"),
        ("unit=x", "request-wrong"),
        ("unit=99999999999999999999", "request-wrong"),
        ("nope=1", "request-wrong"),
        ("q=%00", "parameter-text"),
        ("q=%ff%fe", "parameter-text"),
        ("&".join(f"a{n}=1" for n in range(5000)), "too-many-parameters"),
        ("q=" + "x" * 20_000, "too-many-parameters"),
    ],
)
def test_what_a_list_cannot_be_asked(world: World, roster: Any, query: str, code: str) -> None:
    for path in ("/registers/t_roster/records", "/registers/t_roster/file"):
        told = Program(world["甲填报"]).send("GET", f"{path}?{query}", status=400).json()
        paged = path.endswith("records")  # a whole file has no pages, and so none of their parameters
        assert told["code"] == (code if paged or not query.startswith("cursor") else "request-wrong"), told


def test_as_of_shows_what_stood_then(world: World, roster: Any) -> None:
    program = Program(world["甲填报"])
    with clock.at(clock.beijing(2025, 9, 10, 9)):
        do_put(roster, world["甲"], [{"code": "1", "name": "张"}], acting_user=world["甲填报"])
    record = Record.objects.get().pk
    program.patch(f"/records/{record}", {"values": {"name": "章"}, "base": 1})
    then = {"as_of": "2025-09-12"}
    assert [one["name"] for one in program.get("/registers/t_roster/records", **then)["items"]] == ["张"]
    assert program.get("/registers/t_roster/records")["items"][0]["name"] == "章"
    assert program.get(f"/records/{record}", **then)["values"]["name"] == "张"
    program.get(f"/records/{record}", 404, as_of="2025-09-01")
    lines = b"".join(program.send("GET", "/registers/t_roster/file?as_of=2025-09-12").streaming_content).decode()
    assert ",张," in lines


def test_a_whole_register_as_typed_columns(world: World, conditions: Any, tmp_path: Any) -> None:
    program = Program(world["甲填报"])
    values = {"teachers": 45, "classes": 11, "area": "95.5", "note": "=1+1"}
    sent = {"unit": world["甲"].pk, "period": "2025", "values": values}
    program.post("/registers/t_conditions/records", sent, 201)
    response = program.send("GET", "/registers/t_conditions/file?format=parquet")
    assert response["Content-Type"] == "application/vnd.apache.parquet"
    frame = pl.read_parquet(io.BytesIO(b"".join(response.streaming_content)))
    assert frame.schema["teachers"] == pl.Int64
    assert frame.schema["area"] == pl.Decimal(38, 2)
    row = frame.row(0, named=True)
    assert (row["_unit_name"], row["_period"], row["teachers"], str(row["area"]), row["note"]) == (
        "东镇甲小学", "2025", 45, "95.50", "=1+1",
    )  # fmt: skip
    lines = b"".join(program.send("GET", "/registers/t_conditions/file").streaming_content).decode()
    assert "'=1+1" in lines, "a CSV ends up in a spreadsheet"


def test_a_file_beyond_the_limit_is_refused_with_both_numbers(
    world: World, roster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jiaoheng.bureau.ledgers import bulk_read

    do_put(roster, world["甲"], _roster(11), acting_user=world["甲填报"])
    monkeypatch.setitem(bulk_read.MOST, "csv", 10)
    told = Program(world["甲填报"]).send("GET", "/registers/t_roster/file", status=400).json()
    assert told["detail"] == "共 11 行，一次最多取 10 行。请分单位或分期次取"
    assert not AuditEntry.objects.filter(action="export").exists()


def test_registers_codes_and_periods_are_told(world: World, conditions: Any) -> None:
    program = Program(world["甲填报"])
    ensure_periods(2025)
    assert [one["name"] for one in program.get("/registers")] == ["t_conditions"]
    schema = program.get("/registers/t_conditions")
    assert {one["name"]: (one["type"], one["filter"]) for one in schema["columns"]}["area"] == ("number", False)
    program.get("/registers/t_conditions", 404, version=7)
    codes = program.get("/codes/test_grade")["items"]
    assert [(one["code"], one["label"], one["ends_on"]) for one in codes if one["code"] == "C"] == [
        ("C", "丙级", "2025-09-01")
    ]
    assert [one["name"] for one in program.get("/codes")] == ["test_grade"]
    term = program.get("/periods", kind="term", on="2025-10-01")["items"]
    assert [(one["code"], one["starts_on"], one["ends_on"]) for one in term] == [
        ("T2025-1", "2025-09-01", "2026-02-01")
    ]


def test_a_unit_tells_where_it_stands(world: World, noon: dt.datetime) -> None:
    program = Program(world["东学区"])
    found = program.get(f"/units/{world['甲'].pk}")
    assert [one["name"] for one in found["path"]] == ["青槐县", "东镇学区", "东镇甲小学"]
    assert found["history"][-1]["on"] == "2020-09-01"
    assert program.get("/units", level="class", under=world["甲"].pk)["items"][0]["name"] == "一（1）班"
    tops = program.get("/units", limit=1)
    assert program.get("/units", limit=1, cursor=tops["next"])["items"] != tops["items"]
    program.get("/units", 400, cursor="x")
