"""Every operation of the API × every person × a foreign object and one that is not there: the answers written down here.

The table is by hand, not from the code; a new operation without a line in it fails.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction

from bureau.api.kit import Program
from bureau.ledgers.registers_for_tests import ROSTER, store
from bureau.ledgers.rounds_stage import OPENS, make_stage
from bureau.world import World
from jiaoheng.bureau.api.app import api
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.actions_files import store_file
from jiaoheng.bureau.core.models import Job
from jiaoheng.bureau.ledgers.actions_records import do_save_record

pytestmark = pytest.mark.django_db

EVERYBODY = {
    "局长",
    "股长",
    "东学区",
    "西学区",
    "甲校长",
    "甲填报",
    "乙填报",
    "丙填报",
    "直填报",
    "甲班主任",
    "甲教师",
    "督学",
    "管理员",
    "乡镇",
}
READ_A = {"局长", "股长", "东学区", "甲校长", "甲填报", "督学", "管理员", "乡镇"}  # who reads the records of school 甲
FILL_A = {"股长", "东学区", "甲校长", "甲填报"}
HAND_IN_A = {"甲校长", "甲填报"}
DISTRICT_A, COUNTY = {"东学区"}, {"股长"}
TELL = {"局长", "股长", "东学区", "西学区", "甲校长", "管理员"}  # who reads a trail at all
# a unit opens to whoever has a subtree above it, whatever registers he is narrowed to
SEE_A = READ_A | {"甲教师"}
OWN = {"甲填报"}


@dataclass(frozen=True)
class Way:
    """How an operation is called about school 甲's things. `may`: gets through (never 401, 403, 404); `see`: gets 403
    where he may not; everybody else gets 404 with the body of a missing thing."""

    may: set[str]
    see: set[str]
    sent: Any = None
    query: str = ""
    form: bool = False


def way(may: set[str], see: set[str] | None = None, sent: Any = None, query: str = "", form: bool = False) -> Way:
    return Way(may, may if see is None else see, sent, query, form)


CHANGE = {"values": {"points": 1}, "base": 1}
DECIDE = {"version": 1, "reason": "改"}
TABLE: dict[str, Way] = {
    "me": way(EVERYBODY),
    "list_units": way(EVERYBODY),
    "list_periods": way(EVERYBODY),
    "list_codes": way(EVERYBODY),
    "list_jobs": way(EVERYBODY),
    "list_registers": way(EVERYBODY),
    "get_register": way(EVERYBODY),
    "list_records": way(EVERYBODY),
    "read_register": way(EVERYBODY),
    "list_rounds": way(EVERYBODY),
    "list_filings": way(EVERYBODY),
    "get_codes": way(EVERYBODY),
    "search": way(EVERYBODY, query="q=张"),
    "search_audit": way(TELL, EVERYBODY),
    "get_unit": way(SEE_A),
    "get_job": way(OWN),
    "cancel_job": way(OWN),
    "rerun_job": way(OWN),
    "get_record": way(READ_A),
    "get_history": way(READ_A),
    "create_record": way(FILL_A, READ_A, {"unit": "甲", "values": {"code": "9", "name": "李"}}),
    "change_record": way(FILL_A, READ_A, CHANGE),
    "delete_record": way(FILL_A, READ_A, None, "reason=x"),
    "undelete_record": way(FILL_A, READ_A, {}),
    "restore_record": way(FILL_A, READ_A, {"version": 1, "names": ["points"], "base": 1}),
    "get_board": way(READ_A),
    "get_filing": way(READ_A),
    "submit_filing": way(HAND_IN_A, READ_A, {"version": 1}),
    "recall_filing": way(HAND_IN_A, READ_A, DECIDE),
    "approve_filing": way(DISTRICT_A, READ_A, DECIDE),
    "withdraw_approval": way(DISTRICT_A | COUNTY, READ_A, DECIDE),
    "return_filing": way(DISTRICT_A, READ_A, DECIDE),
    "send_file": way(FILL_A | {"管理员"}, SEE_A, form=True),
    "get_file": way(READ_A),
    "get_content": way(READ_A),
}


@dataclass
class Stand:
    """School 甲's things, by the parameter that names them."""

    ids: dict[str, Any]
    unit: int


@pytest.fixture
def stand(world: World, noon: Any) -> Any:
    roster = store(ROSTER)
    saved = do_save_record(roster, world["甲"], None, {"code": "1", "name": "张"}, acting_user=world["甲填报"])
    pdf = store_file(b"%PDF-1.4 x", "a.pdf", "document", unit=world["甲"], acting_user=world["甲填报"], object=("record", saved.record_id))  # fmt: skip
    job = Job.objects.create(kind="x", title="试", owner=world["甲填报"], created_at=clock.now())
    stage = make_stage(world)
    with clock.at(OPENS):
        stage.open()
        # a round of one school: the board of it opens to those who read that school
        stage.round.filings.exclude(unit=world["甲"]).delete()
        stage.fill("甲", teachers=45, classes=11)
        filing = stage.submit("甲")
        assert filing.state == "district"
        yield Stand(
            {
                "unit_id": world["甲"].pk, "record_id": saved.record_id, "file_id": pdf.pk, "job_id": job.pk,
                "round_id": stage.round.pk, "filing_id": filing.pk, "name": "t_roster",
            },
            world["甲"].pk,
        )  # fmt: skip


UNKNOWN = {"unit_id": 987654, "record_id": 987654, "round_id": 987654, "filing_id": 987654, "name": "nope",
           "file_id": "00000000-0000-0000-0000-00000000abcd", "job_id": "00000000-0000-0000-0000-00000000abcd"}  # fmt: skip


def operations() -> dict[str, tuple[str, str]]:
    """Operation → (method, path) of the published schema."""
    paths = api.get_openapi_schema(path_prefix="/")["paths"]
    return {one["operationId"]: (method.upper(), path) for path, all_ in paths.items() for method, one in all_.items()}


def test_the_table_knows_every_operation() -> None:
    assert set(operations()) == set(TABLE)


def call(program: Program, name: str, ids: dict[str, Any], unit: int) -> Any:
    method, path = operations()[name]
    one = TABLE[name]
    path = re.sub(r"\{(\w+)\}", lambda found: str(ids[found[1]]), path)
    if name == "get_codes":
        path = "/codes/nope" if ids is UNKNOWN else "/codes/test_x"
    heads = {"If_Match": '"1"'} if name == "delete_record" else {}
    sent: Any = one.sent
    if isinstance(sent, dict) and "unit" in sent:
        sent = {**sent, "unit": unit}
    if one.form:
        sent = (
            f'--B\r\nContent-Disposition: form-data; name="unit"\r\n\r\n{unit}\r\n'
            '--B\r\nContent-Disposition: form-data; name="file"; filename="b.pdf"\r\n\r\n%PDF-1.4 y\r\n--B--\r\n'
        )
        heads["Content_Type"] = "multipart/form-data; boundary=B"
    with transaction.atomic():
        response = program.send(method, path + (f"?{one.query}" if one.query else ""), sent, **heads)
        if response.streaming:
            b"".join(response.streaming_content)
        transaction.set_rollback(True)
    return response


@pytest.mark.parametrize("who", sorted(EVERYBODY))
def test_each_person_gets_exactly_his_own(world: World, stand: Stand, who: str, record_property: Any) -> None:
    from jiaoheng.bureau.ledgers.models import CodeRow

    CodeRow.objects.create(table="test_x", table_title="试", code="1", label="一", changed_at=clock.now())
    program = Program(world[who])
    missing = json.loads(program.send("GET", "/records/987654", status=404).content)
    count = 0
    for name, one in TABLE.items():
        response = call(program, name, stand.ids, stand.unit)
        status, count = response.status_code, count + 1
        assert status < 500, (name, who)
        if who in one.may:
            assert status not in (401, 403, 404), (name, who, status, response.content)
        elif who in one.see:
            assert status == 403, (name, who, status)
        else:
            assert status == 404, (name, who, status)
            assert json.loads(response.content) == missing, (name, who)
        if "{" in operations()[name][1] or name in ("send_file", "create_record"):
            response = call(program, name, UNKNOWN, 987654)
            count += 1
            assert response.status_code == 404, (name, who, response.status_code)
            assert json.loads(response.content) == missing, (name, who)
    record_property("calls", count)
    print(f"API walk: {who} {count} calls, 0 leaks")


@pytest.mark.parametrize("who", sorted(EVERYBODY))
def test_lists_hold_nothing_of_a_school_that_is_not_read(world: World, stand: Stand, who: str) -> None:
    program = Program(world[who])
    checks: list[tuple[str, Callable[[Any], bool]]] = [
        ("/registers/t_roster/records", lambda found: bool(found["items"])),
        ("/filings", lambda found: bool(found["items"])),
        ("/rounds", bool),
        ("/search?q=张", lambda found: any(one["kind"] == "record" for one in found)),
    ]
    for path, has in checks:
        assert has(program.get(path)) is (who in READ_A), (path, who)
    units = {one["id"] for one in program.get("/units?limit=500")["items"]}
    assert (stand.unit in units) is (who in SEE_A)
    counted = program.get("/registers/t_roster/records?count=true")["total"]
    assert counted == (1 if who in READ_A else 0)
    for one in program.get("/registers"):
        assert one["records"] == (1 if who in READ_A else 0), (one["name"], who)
