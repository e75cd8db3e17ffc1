"""A roster exchange (P13): what is exported is a whole set, comes back unchanged, and drops nobody."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.models import AuditEntry, Membership, Period, Unit
from jiaoheng.bureau.core.periods import ensure_periods
from jiaoheng.bureau.core.refusals import NotFoundError, RefusedError
from jiaoheng.bureau.core.tree_writing import Seed, plant
from jiaoheng.bureau.ledgers.actions_registers import load_pack
from jiaoheng.bureau.ledgers.changes import Change
from jiaoheng.bureau.ledgers.models import RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.oneroster.actions import do_import_roster, export_roster, preview_roster
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.writing import Batch, write
from jiaoheng.registers.loading import load_shipped
from jiaoheng.registers.oneroster.checking import check_roster
from jiaoheng.registers.oneroster.model import OTHERS, TABLES, RosterError
from jiaoheng.registers.oneroster.reading import read_roster

pytestmark = pytest.mark.django_db
START = clock.beijing(2020, 9, 1).date()


@audit.action
def do_put(name: str, unit: Any, rows: list[dict[str, Any]], period: Any, *, acting_user: Any) -> None:
    row = RegisterRow.objects.get(name=name)
    write(Batch(row, schema_of(row), period, acting_user, "file"), [Change(unit.pk, one) for one in rows])
    audit.note("test.put", actor=acting_user)


def _pupil(number: int, name: str, code: str) -> dict[str, Any]:
    return {
        "pupil_number": f"L9900002012040700{number:02d}", "name": name, "gender": "1", "birth_date": "2016-03-01",
        "class_code": code, "grade": "03", "status": "01", "entered_on": "2023-09-01", "boarding": False,
        "id_number": "990000201204070001",
    }  # fmt: skip


def _class(code: str, name: str) -> dict[str, Any]:
    return {
        "class_code": code, "grade": "03", "class_name": name, "class_kind": "1", "head_teacher": "王芳",
        "head_teacher_number": "T01", "boys": 1, "girls": 1, "total": 2, "boarders": 0, "room_area": "60",
    }  # fmt: skip


@pytest.fixture
def small(noon: Any, db: None) -> Any:
    """County with schools 甲 and 乙 right under it; 2 classes in 甲, 3 pupils, one teacher of both classes."""
    from jiaoheng.bureau.core.models import Account

    units = plant([
        Seed("990100", "county", "青槐县", "", START), Seed("D01", "department", "基础教育股", "990100", START),
        Seed("2199000001", "school", "甲小学", "990100", START, kind="211"),
        Seed("2199000002", "school", "乙小学", "990100", START, kind="211"),
    ])  # fmt: skip
    office = Account.objects.create(username="office", name="股长", home=units["D01"], must_change_password=False, created_at=clock.now())  # fmt: skip
    Membership.objects.create(account=office, role="department", unit=units["D01"], starts_on=START)
    load_pack(load_shipped(), acting_user=None)
    ensure_periods(2025)
    term = Period.objects.get(code="T2025-1")
    school: Unit = units["2199000001"]
    do_put("classes", school, [_class("C1", "三（1）班"), _class("C2", "三（2）班")], term, acting_user=office)
    teacher = {"staff_number": "T01", "name": "王芳", "status": "1", "gender": "2"}
    do_put("teachers", school, [teacher], None, acting_user=office)
    names = [("张伟", "C1"), ("欧阳春", "C1"), ("李", "C2")]
    do_put("pupils", school, [_pupil(n, *one) for n, one in enumerate(names)], None, acting_user=office)
    return office, term, units


Change_ = Callable[[dict[str, list[list[str]]]], None]


def _edited(source: Path, target: Path, edit: Change_) -> Path:
    """The archive with its tables (heads first) changed."""
    tables: dict[str, list[list[str]]] = {}
    with zipfile.ZipFile(source) as archive:
        for name in archive.namelist():
            tables[name] = list(csv.reader(io.StringIO(archive.read(name).decode())))
    edit(tables)
    with zipfile.ZipFile(target, "w") as archive:
        for name, rows in tables.items():
            out = io.StringIO()
            csv.writer(out).writerows(rows)
            archive.writestr(name, out.getvalue())
    return target


def _mode(tables: dict[str, list[list[str]]], table: str, mode: str) -> None:
    next(row for row in tables["manifest.csv"] if row[0] == f"file.{table}")[1] = mode
    if mode == "absent":
        tables.pop(f"{table}.csv", None)


def _only(tables: dict[str, list[list[str]]], *names: str, mode: str = "delta") -> None:
    for table in TABLES:
        _mode(tables, table, mode if table in names else "absent")


def test_p13_what_is_exported_is_exactly_the_set(small: Any, tmp_path: Path) -> None:
    office, term, _units = small
    export_roster(tmp_path / "r.zip", term, acting_user=office)
    with zipfile.ZipFile(tmp_path / "r.zip") as archive:
        texts = {name: archive.read(name) for name in archive.namelist()}
    manifest = list(csv.reader(io.StringIO(texts["manifest.csv"].decode())))
    assert manifest[:3] == [["propertyName", "value"], ["manifest.version", "1.0"], ["oneroster.version", "1.2"]]
    said = {name.removeprefix("file."): value for name, value in manifest if name.startswith("file.")}
    assert {name for name, value in said.items() if value == "bulk"} == set(TABLES)
    assert {name for name, value in said.items() if value == "absent"} == set(OTHERS)
    assert set(texts) == {f"{name}.csv" for name in TABLES} | {"manifest.csv"}
    assert not any(one.startswith(b"\xef\xbb\xbf") for one in texts.values())
    made = read_roster(tmp_path / "r.zip")
    assert check_roster(made) == [], "no reference without a target"
    counts = {name: len(rows) for name, rows in made.rows.items()}
    assert counts == {
        "orgs": 3, "users": 4, "roles": 4, "enrollments": 5, "classes": 2, "courses": 1, "academicSessions": 2,
    }  # fmt: skip
    county = next(row["sourcedId"] for row in made.rows["orgs"] if row["type"] == "local")
    assert [row["parentSourcedId"] for row in made.rows["orgs"] if row["type"] == "school"] == [county, county]
    names = {(row["familyName"], row["givenName"]) for row in made.rows["users"]}
    assert names == {("张", "伟"), ("欧阳", "春"), ("李", "-"), ("王", "芳")}
    assert b"990000201204070001" not in b"".join(texts.values())
    assert b"L99000" not in b"".join(texts.values())
    assert AuditEntry.objects.get(action="export").count == 4


def test_p13_what_was_exported_comes_back_unchanged(small: Any, tmp_path: Path) -> None:
    office, term, _units = small
    export_roster(tmp_path / "r.zip", term, acting_user=office)
    plan = preview_roster(tmp_path / "r.zip", term, acting_user=office)
    assert {(one.new, one.changed, one.ended, one.missing) for one in plan.tallies} == {(0, 0, 0, 0)}
    assert sum(one.same for one in plan.tallies) == 21
    assert (plan.edits, plan.questions, plan.notes) == ((), (), ())
    with pytest.raises(RefusedError, match="没有要改的"):
        do_import_roster(tmp_path / "r.zip", term, acting_user=office)
    export_roster(tmp_path / "again.zip", term, acting_user=office)
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "r.zip").read_bytes()


def test_p13_a_bulk_file_with_two_of_three_removes_nobody(small: Any, tmp_path: Path) -> None:
    office, term, _units = small
    export_roster(tmp_path / "r.zip", term, acting_user=office)

    def edit(tables: dict[str, list[list[str]]]) -> None:
        gone = next(row[0] for row in tables["users.csv"] if row[6:8] == ["伟", "张"])
        for name in ("users.csv", "roles.csv", "enrollments.csv"):
            tables[name] = [row for row in tables[name] if gone not in row]

    plan = preview_roster(_edited(tmp_path / "r.zip", tmp_path / "x.zip", edit), term, acting_user=office)
    assert plan.edits == ()
    assert any(one.startswith("名册中缺 1 人：张伟") for one in plan.questions)
    assert RecordVersion.objects.filter(register__name="pupils").count() == 3


def test_p13_a_deleted_row_ends_the_enrolment_on_its_day(small: Any, tmp_path: Path) -> None:
    office, term, _units = small
    export_roster(tmp_path / "r.zip", term, acting_user=office)

    def edit(tables: dict[str, list[list[str]]]) -> None:
        _only(tables, "enrollments")
        heads, rows = tables["enrollments.csv"][0], tables["enrollments.csv"][1:]
        row = next(row for row in rows if "student" in row)
        row[1], row[2] = "tobedeleted", "2025-09-14T16:30:00.000Z"
        row[heads.index("endDate")] = ""
        tables["enrollments.csv"] = [heads, row]

    archive = _edited(tmp_path / "r.zip", tmp_path / "x.zip", edit)
    plan = do_import_roster(archive, term, acting_user=office)
    assert [dict(one.values) for one in plan.edits] == [{"status": "03", "left_on": "2025-09-15"}]
    record = plan.edits[0].person.record_id
    versions = list(RecordVersion.objects.filter(record_id=record).order_by("number"))
    assert [one.data["status"] for one in versions] == ["01", "03"]
    assert (versions[1].data["left_on"], versions[1].reason) == ("2025-09-15", "名册交换：就读结束")
    assert versions[1].data["name"] == versions[0].data["name"]
    assert AuditEntry.objects.filter(action="roster.import").count() == 1
    with pytest.raises(RosterError, match=r"enrollments.csv 第 2 行：没有“.+”这条就读"):
        preview_roster(archive, term, acting_user=office)


def test_p13_an_unknown_person_is_an_error_with_file_and_line(small: Any, tmp_path: Path) -> None:
    office, term, _units = small
    export_roster(tmp_path / "r.zip", term, acting_user=office)

    def edit(tables: dict[str, list[list[str]]]) -> None:
        heads = tables["enrollments.csv"][0]
        tables["enrollments.csv"][3][heads.index("userSourcedId")] = "pupil-999999"

    with pytest.raises(RosterError) as error:
        preview_roster(_edited(tmp_path / "r.zip", tmp_path / "x.zip", edit), term, acting_user=office)
    told = str(error.value)
    assert told == "enrollments.csv 第 4 行：userSourcedId“pupil-999999”在 users 里没有。请核对，或先交换那一张表"


def test_p13_a_table_named_bulk_must_be_there(small: Any, tmp_path: Path) -> None:
    office, term, _units = small
    export_roster(tmp_path / "r.zip", term, acting_user=office)
    archive = _edited(tmp_path / "r.zip", tmp_path / "x.zip", lambda tables: tables.pop("enrollments.csv") and None)
    with pytest.raises(
        RosterError, match=r"enrollments.csv：manifest.csv 写 file.enrollments 为 bulk，压缩包里没有这个文件"
    ):
        preview_roster(archive, term, acting_user=office)


def test_names_and_classes_are_taken_and_units_are_not(small: Any, tmp_path: Path) -> None:
    office, term, _units = small
    export_roster(tmp_path / "r.zip", term, acting_user=office)

    def edit(tables: dict[str, list[list[str]]]) -> None:
        users, enrolled = tables["users.csv"], tables["enrollments.csv"]
        chun = next(row for row in users if row[6:8] == ["春", "欧阳"])
        chun[6] = "春花"
        other = next(row for row in tables["classes.csv"] if row[3] == "三（2）班")[0]
        row = next(row for row in enrolled if chun[0] in row)
        row[0], row[3] = f"{other}-{chun[0]}", other
        tables["orgs.csv"][1][3] = "别的县"

    plan = do_import_roster(_edited(tmp_path / "r.zip", tmp_path / "x.zip", edit), term, acting_user=office)
    assert [dict(one.values) for one in plan.edits] == [{"name": "欧阳春花", "class_code": "C2"}]
    assert plan.notes == ("单位 1 处与本系统不同，未作改动",)
    now = RecordVersion.objects.get(record_id=plan.edits[0].person.record_id, valid_to__isnull=True)
    assert (now.data["name"], now.data["class_code"]) == ("欧阳春花", "C2")


def test_a_reader_exports_his_own_and_a_stranger_nothing(small: Any, tmp_path: Path) -> None:
    from jiaoheng.bureau.core.models import Account

    _office, term, units = small
    clerk = Account.objects.create(username="b", name="乙填报", home=units["2199000002"], created_at=clock.now())
    with pytest.raises(NotFoundError):
        export_roster(tmp_path / "r.zip", term, acting_user=clerk)
    Membership.objects.create(account=clerk, role="clerk", unit=units["2199000002"], starts_on=START)
    made = export_roster(tmp_path / "r.zip", term, acting_user=clerk)
    assert [row["name"] for row in made.rows["orgs"]] == ["乙小学"]
    assert made.rows["users"] == made.rows["enrollments"] == []
    year = Period.objects.get(code="Y2025")
    with pytest.raises(RefusedError, match="不是学期"):
        export_roster(tmp_path / "r.zip", year, acting_user=clerk)


def test_the_commands_tell_and_write(small: Any, tmp_path: Path, capsys: Any) -> None:
    from jiaoheng.cli.roster import run_check, run_export, run_import

    archive = tmp_path / "r.zip"
    assert run_export("T2025-1", "office", archive) == 0
    assert run_check(archive) == 0
    assert "enrollments 5 行" in capsys.readouterr().out

    def edit(tables: dict[str, list[list[str]]]) -> None:
        next(row for row in tables["users.csv"] if row[6:8] == ["伟", "张"])[6] = "炜"

    changed = _edited(archive, tmp_path / "x.zip", edit)
    assert run_import(changed, "T2025-1", "office", False) == 0
    assert "要改 1 条。加 --yes 写入。" in capsys.readouterr().out
    assert not RecordVersion.objects.filter(number=2).exists()
    assert run_import(changed, "T2025-1", "office", True) == 0
    assert RecordVersion.objects.get(number=2).data["name"] == "张炜"
    broken = _edited(archive, tmp_path / "y.zip", lambda tables: tables.pop("users.csv") and None)
    assert run_check(broken) == run_import(broken, "T2025-1", "office", True) == 2
    assert "users.csv：manifest.csv 写 file.users 为 bulk" in capsys.readouterr().out
