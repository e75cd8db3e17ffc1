"""The table in which rows are typed or pasted: who may open and save it, what it never shows or touches, what it asks."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bureau.web.walk_kit import ask, entered, own_unit
from bureau.web.walk_stage import ACTORS, ID_NUMBERS, MARKS, Ground, _write
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.ledgers.grid import MOST_ROWS
from jiaoheng.bureau.ledgers.models import Record, RecordVersion, RegisterRow

pytestmark = pytest.mark.django_db
ADDRESS = "/ledgers/roster/grid"


def row(number: int, name: str, points: str = "1", **more: Any) -> dict[str, str]:
    """One row of the form."""
    return {
        f"r{number}-name": name,
        f"r{number}-points": points,
        **{f"r{number}-={key}": value for key, value in more.items()},
    }


def versions() -> int:
    return RecordVersion.objects.filter(register__name="roster").count()


@pytest.mark.parametrize("role", sorted(ACTORS))
def test_who_may_fill_opens_and_saves_the_table_and_nobody_else(ground: Ground, role: str) -> None:
    client, unit = entered(ground, role), ground.world["甲"]
    account = ground.world[ACTORS[role]]
    there = RecordVersion.objects.get(record_id=ground.things["record"]["甲"], valid_to__isnull=True)
    fills = scope_of(account, Can.FILL).covers(there, "roster")
    reads = scope_of(account, Can.READ).covers(there, "roster")
    wanted = 200 if fills else 403 if reads else 404
    opened, body, written = ask(client, "get", ADDRESS, {"unit": unit.pk})
    assert (opened.status_code, written) == (wanted, [])
    assert (f"{MARKS['甲']}生" in body.decode()) is fills
    saved, _, written = ask(client, "post", ADDRESS, {"unit": unit.pk, "act": "save", **row(0, "新来的")})
    assert saved.status_code == (303 if fills else wanted)
    assert bool(written) is fills


def test_somebody_can_fill_and_somebody_can_only_read(ground: Ground) -> None:
    """The test above says nothing where every role were alike."""
    there = RecordVersion.objects.get(record_id=ground.things["record"]["甲"], valid_to__isnull=True)
    found = {role: scope_of(ground.world[name], Can.FILL).covers(there, "roster") for role, name in ACTORS.items()}
    assert found["clerk"]
    assert not found["leader"]


@pytest.mark.parametrize("side", ["乙", "丙"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_another_school_is_as_if_it_were_not_there(ground: Ground, side: str, method: str) -> None:
    client = entered(ground, "clerk")
    bodies = []
    for unit in (ground.world[side].pk, 987654321):
        answer, body, written = ask(client, method, ADDRESS, {"unit": unit, "act": "save", **row(0, "新来的")})
        assert (answer.status_code, written) == (404, [])
        bodies.append(body)
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("side", ["乙", "丙"])
def test_a_row_that_points_at_another_schools_record_is_missing_and_writes_nothing(ground: Ground, side: str) -> None:
    client, unit = entered(ground, "clerk"), ground.world["甲"]
    bodies = []
    for record in (ground.things["record"][side], 987654321):
        sent = {"unit": unit.pk, "act": "save", **row(0, "新来的"), **row(1, "换了名", id=str(record), base="1")}
        answer, body, written = ask(client, "post", ADDRESS, sent)
        assert (answer.status_code, written) == (404, [])
        bodies.append(body)
    assert bodies[0] == bodies[1]


def test_a_row_of_another_register_is_refused_and_writes_nothing(ground: Ground) -> None:
    client, unit = entered(ground, "clerk"), ground.world["甲"]
    sent = {"unit": unit.pk, "act": "save", **row(0, "换了名", id=str(ground.things["deed"]["甲"]), base="1")}
    answer, body, written = ask(client, "post", ADDRESS, sent)
    assert (answer.status_code, written) == (400, [])
    assert "有一行属于别的台账或单位" in body.decode()


def test_one_wrong_row_keeps_all_of_them_out_and_all_that_was_typed(ground: Ground) -> None:
    client, unit, before = entered(ground, "clerk"), ground.world["甲"], versions()
    sent = {"unit": unit.pk, "act": "save", **row(0, "新来的"), **row(1, "第二名", "约7")}
    answer, body, written = ask(client, "post", ADDRESS, sent)
    assert answer.status_code == 400
    assert "ledgers_recordversion" not in written
    assert versions() == before
    for typed in ("新来的", "第二名", "约7"):
        assert f'value="{typed}"' in body.decode()


def test_protected_values_and_files_are_not_in_the_table(ground: Ground) -> None:
    _, body, _ = ask(entered(ground, "clerk"), "get", ADDRESS, {"unit": own_unit(ground, "clerk")})
    text = body.decode()
    assert "“身份证、材料”不在表格里" in text
    assert ID_NUMBERS["甲"] not in text
    assert "-id_number" not in text


def test_saving_a_row_leaves_what_the_table_does_not_hold(ground: Ground) -> None:
    client, record = entered(ground, "clerk"), ground.things["record"]["甲"]
    before = RecordVersion.objects.get(record_id=record, valid_to__isnull=True)
    sent = {
        "unit": ground.world["甲"].pk,
        "act": "save",
        **row(0, before.data["name"], "77", id=str(record), base=str(before.number)),
    }
    assert client.post(ADDRESS, sent).status_code == 303
    after = RecordVersion.objects.get(record_id=record, valid_to__isnull=True)
    assert (after.number, after.data["points"]) == (before.number + 1, 77)
    assert after.data["id_number"] == before.data["id_number"]
    stale = client.post(ADDRESS, {**sent, "r0-points": "78"})
    assert stale.status_code == 400
    assert "请重新打开表格再改这一行" in stale.content.decode()


def test_more_rows_than_the_table_takes_are_told_where_to_go(ground: Ground) -> None:
    sent: dict[str, Any] = {"unit": ground.world["甲"].pk, "act": "save"}
    for number in range(MOST_ROWS + 1):
        sent |= row(number, f"第{number}名")
    answer, body, written = ask(entered(ground, "clerk"), "post", ADDRESS, sent)
    assert (answer.status_code, written) == (400, [])
    assert "请用 Excel 导入" in body.decode()


def test_the_table_asks_as_many_questions_for_many_rows_as_for_one(ground: Ground) -> None:
    client, unit = entered(ground, "clerk"), ground.world["甲"]

    def count() -> int:
        client.get(ADDRESS, {"unit": unit.pk})
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(ADDRESS, {"unit": unit.pk})
        assert answer.status_code == 200
        return len(asked)

    few = count()
    there = Record.objects.filter(register__name="roster", unit=unit, deleted_at__isnull=True).count()
    register, clerk = RegisterRow.objects.get(name="roster"), ground.world["甲填报"]
    _write(register, unit, [{"name": f"成批{number:03d}", "points": 1} for number in range(100)], acting_user=clerk)
    shown = client.get(ADDRESS, {"unit": unit.pk}).content.decode()
    assert shown.count('-=id" value="') == there + 100
    assert count() == few <= 25


def test_saving_asks_for_each_row_no_more_than_a_form_would(ground: Ground) -> None:
    client, unit = entered(ground, "clerk"), ground.world["甲"]

    def count(rows: int) -> int:
        sent: dict[str, Any] = {"unit": unit.pk, "act": "save"}
        for number in range(rows):
            sent |= row(number, f"新{rows}-{number}")
        with CaptureQueriesContext(connection) as asked:
            answer = client.post(ADDRESS, sent)
        assert answer.status_code == 303
        return len(asked)

    count(1)
    one, many = count(2), count(22)
    assert (many - one) / 20 <= 20
