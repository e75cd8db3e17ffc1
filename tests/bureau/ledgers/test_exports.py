"""Exports: what the screen shows, complete, masked unless a purpose is told, each with an entry."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.conf import settings

from bureau.ledgers import import_kit as kit
from bureau.ledgers.import_kit import start
from bureau.ledgers.registers_for_tests import ROSTER, store
from bureau.ledgers.rounds_stage import listing, make_stage
from bureau.world import World
from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Attachment, AuditEntry, Job
from jiaoheng.bureau.core.refusals import ForbiddenError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.worker import Worker
from jiaoheng.bureau.ledgers import export_jobs, exports
from jiaoheng.bureau.ledgers.changes import Change
from jiaoheng.bureau.ledgers.export_files import do_export_files
from jiaoheng.bureau.ledgers.export_jobs import do_export_list
from jiaoheng.bureau.ledgers.exports import Chosen, do_export
from jiaoheng.bureau.ledgers.imports.files import plain
from jiaoheng.bureau.ledgers.imports.starting import preview_of
from jiaoheng.bureau.ledgers.list_exports import from_list, from_ticked
from jiaoheng.bureau.ledgers.listing import iter_rows
from jiaoheng.bureau.ledgers.listing_query import from_parameters
from jiaoheng.bureau.ledgers.models import RecordVersion
from jiaoheng.bureau.ledgers.models.records import CURRENT
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.writing import Batch, write
from jiaoheng.registers import export
from jiaoheng.registers.model import Field, FieldType

pytestmark = pytest.mark.django_db
ID = "990000201204070001"


@audit.action
def fill(register: Any, rows: list[tuple[Any, dict[str, Any]]], *, acting_user: Any) -> None:
    made = Batch(register, schema_of(register), None, acting_user, "load")
    write(made, [Change(unit.pk, data) for unit, data in rows])
    audit.note("test.fill", actor=acting_user)


def pupils(world: World, count: int, unit: str = "甲", first: int = 0) -> list[tuple[Any, dict[str, Any]]]:
    return [
        (world[unit], {"code": f"{number:05d}", "name": f"学生{number}", "points": number % 7, "id_number": ID})
        for number in range(first, first + count)
    ]


def standing(register: Any, who: Any) -> Chosen:
    rows = RecordVersion.objects.filter(CURRENT, scope_of(who, Can.READ).rows(register.name), register=register)
    return Chosen(list(rows.order_by("-record_id")), "积分不限")


def read_xlsx(made: Attachment) -> tuple[Any, list[list[Any]]]:
    with plain(made) as path:
        book = openpyxl.load_workbook(path)
    sheet = kit.data_sheet(book)
    first = kit.head_row(sheet)
    return book, [[cell.value for cell in row] for row in sheet.iter_rows(min_row=first)]


def read_csv(made: Attachment) -> list[list[str]]:
    text = (Path(settings.FILES) / made.path).read_text(encoding="utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_p20_workbook_and_csv_hold_the_same_rows_in_the_screens_order(world: World, roster: Any) -> None:
    fill(roster, pupils(world, 9), acting_user=world["甲填报"])
    chosen = standing(roster, world["甲填报"])
    book, rows = read_xlsx(do_export(roster, chosen, acting_user=world["甲填报"]))
    text = read_csv(do_export(roster, chosen, form="csv", acting_user=world["甲填报"]))
    name = rows[0].index("姓名 *")
    assert [row[name] for row in rows[1:]] == [f"学生{number}" for number in reversed(range(9))]
    column = next(number for number, head in enumerate(text[0]) if head.startswith("姓名"))
    assert [row[column] for row in text[1:]] == [row[name] for row in rows[1:]]
    assert book.sheetnames[0] == "说明"
    said = {row[0].value: row[1].value for row in book["说明"].iter_rows(min_row=2, max_col=2) if row[0].value}
    assert (said["筛选"], said["行数"]) == ("积分不限", "9")
    assert said["导出人"] == "甲填报（东镇甲小学）"
    assert said["导出时间"] == said["截至"] == "2025-09-15 12:00"


def test_p20_twelve_thousand_rows_are_twelve_thousand(world: World, roster: Any) -> None:
    fill(roster, pupils(world, 12_000), acting_user=world["甲填报"])
    chosen = standing(roster, world["甲填报"])
    assert len(read_csv(do_export(roster, chosen, form="csv", acting_user=world["甲填报"]))) == 12_001
    made = do_export(roster, chosen, acting_user=world["甲填报"])
    with zipfile.ZipFile(Path(settings.FILES) / made.path) as archive:
        sizes = [archive.read(name).count(b"<row ") for name in archive.namelist() if "worksheets/sheet" in name]
    assert max(sizes) >= 12_000
    assert AuditEntry.objects.filter(action="export").values_list("count", flat=True)[0] == 12_000


def test_p20_a_limit_is_refused_with_both_numbers(
    world: World,
    roster: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(roster, pupils(world, 12), acting_user=world["甲填报"])
    monkeypatch.setattr(exports, "MOST_CSV", 10)
    with pytest.raises(RefusedError, match="共 12 行，一次最多导出 10 行"):
        do_export(roster, standing(roster, world["甲填报"]), form="csv", acting_user=world["甲填报"])
    assert not Attachment.objects.filter(kind="result").exists()
    assert not list((Path(settings.FILES) / "results").iterdir())


def test_p20_ticked_rows_say_which_the_filter_hides(world: World, roster: Any) -> None:
    fill(roster, pupils(world, 9), acting_user=world["甲填报"])
    ids = list(RecordVersion.objects.order_by("record_id").values_list("record_id", flat=True))
    query = from_parameters({"f.points.from": ["3"], "sort": ["-code"]})
    found = from_ticked(world["甲填报"], roster, query, [ids[1], ids[4], ids[3]])
    assert found.words == "3，其中 1 条不在当前筛选"
    assert [one.record_id for one in found.chosen.rows] == [ids[4], ids[3], ids[1]]
    assert from_ticked(world["甲填报"], roster, query, [ids[4], ids[3]]).words == "2"
    assert from_ticked(world["乙填报"], roster, query, ids).words == "0"


def test_p20_the_file_is_what_the_screen_shows(world: World, roster: Any) -> None:
    fill(roster, pupils(world, 340), acting_user=world["甲填报"])
    query = from_parameters({"f.points.is": ["3"], "sort": ["-code"], "columns": ["code,points"]})
    screen = [row.cells[0].text for row in iter_rows(world["甲填报"], "t_roster", query)]
    chosen = from_list(world["甲填报"], roster, query)
    assert "积分" in chosen.filter
    book, rows = read_xlsx(do_export(roster, chosen, acting_user=world["甲填报"]))
    text = read_csv(do_export(roster, chosen, form="csv", acting_user=world["甲填报"]))
    column = rows[0].index("学号 *")
    assert len(screen) == 49
    assert [row[column] for row in rows[1:]] == screen
    at = next(number for number, head in enumerate(text[0]) if head.startswith("学号"))
    assert [row[at] for row in text[1:]] == screen
    assert "姓名 *" not in rows[0]
    assert book.sheetnames[0] == "说明"


def test_p06_protected_numbers_are_masked_in_both_forms(world: World, roster: Any) -> None:
    fill(roster, pupils(world, 2), acting_user=world["甲填报"])
    chosen = standing(roster, world["甲填报"])
    for form in ("xlsx", "csv"):
        made = do_export(roster, chosen, form=form, acting_user=world["甲填报"])
        content = (Path(settings.FILES) / made.path).read_bytes()
        if form == "xlsx":
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                content = b"".join(archive.read(name) for name in archive.namelist())
        assert ID.encode() not in content
        assert b"990000********0001" in content


def test_p06_full_numbers_need_the_right_and_a_purpose_and_leave_a_count(world: World, roster: Any) -> None:
    fill(roster, pupils(world, 40), acting_user=world["甲填报"])
    with pytest.raises(ForbiddenError):
        do_export(roster, standing(roster, world["甲填报"]), purpose="核对学籍", acting_user=world["甲填报"])
    made = do_export(roster, standing(roster, world["股长"]), purpose="核对学籍", acting_user=world["股长"])
    _, rows = read_xlsx(made)
    assert ID in rows[1]
    entry = AuditEntry.objects.filter(action="export.full").latest("number")
    assert entry.count == 40
    assert "完整身份证 40 人，用途：核对学籍" in entry.reason


def test_p05_a_district_exports_its_own_schools_only(world: World, roster: Any) -> None:
    rows = [*pupils(world, 1, "甲"), *pupils(world, 1, "乙", 1), *pupils(world, 1, "丙", 2)]
    fill(roster, rows, acting_user=world["股长"])
    _, found = read_xlsx(do_export(roster, standing(roster, world["东学区"]), acting_user=world["东学区"]))
    assert len(found) == 3


def test_c22_formulas_in_texts_are_not_run(world: World, roster: Any) -> None:
    fill(roster, [(world["甲"], {"code": "1", "name": '=HYPERLINK("http://x","y")'})], acting_user=world["甲填报"])
    chosen = standing(roster, world["甲填报"])
    book, _rows = read_xlsx(do_export(roster, chosen, acting_user=world["甲填报"]))
    sheet = kit.data_sheet(book)
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    text = read_csv(do_export(roster, chosen, form="csv", acting_user=world["甲填报"]))
    assert not any(cell.startswith("=") for row in text for cell in row)


def test_an_export_comes_in_again_without_a_difference(world: World, roster: Any) -> None:
    fill(roster, pupils(world, 30), acting_user=world["甲填报"])
    for form in ("xlsx", "csv"):
        made = do_export(roster, standing(roster, world["甲填报"]), form=form, acting_user=world["甲填报"])
        batch = start(world, roster, kit.opened(Path(settings.FILES) / made.path))
        counts = preview_of(batch).counts
        assert (counts["same"], counts["new"], counts["changed"], counts["wrong"]) == (30, 0, 0, 0)


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_a_periods_name_comes_in_again_as_well_as_its_code(world: World, form: str) -> None:
    stage = make_stage(world, listing())
    clerk = world["甲填报"]
    with clock.at(clock.beijing(2025, 10, 9, 9)):
        stage.fill("甲", name="一（1）班", pupils=41)
        made = do_export(stage.row, standing(stage.row, clerk), form=form, acting_user=clerk)
        read = read_xlsx(made)[1] if form == "xlsx" else read_csv(made)
        assert [row[4] for row in read if "一（1）班" in row] == ["2025 年秋季"]
        for written, same in (("2025 年秋季", 1), (stage.period.code, 1), ("2025 年春季", 0)):
            content = kit.opened(Path(settings.FILES) / made.path)[0].getvalue()
            file = _with_period(content, form, written)
            batch = start(world, stage.row, file, period=stage.period)
            assert preview_of(batch).counts["same"] == same, written
            wrong = [(one.code, one.message) for one in preview_of(batch).problems]
            assert wrong == ([] if same else [("period-unknown", "期次“2025 年春季”不在这次导入的范围")])


def _with_period(content: bytes, form: str, written: str) -> tuple[io.BytesIO, str]:
    if form == "csv":
        return io.BytesIO(content.replace("2025 年秋季,".encode(), f"{written},".encode())), "导出.csv"
    book = openpyxl.load_workbook(io.BytesIO(content))
    for cell in (cell for row in kit.data_sheet(book).iter_rows() for cell in row if cell.value == "2025 年秋季"):
        cell.value = written
    out = io.BytesIO()
    book.save(out)
    out.seek(0)
    return out, "导出.xlsx"


def test_p05_an_archive_of_files_holds_the_readers_units(world: World, noon: Any) -> None:
    from dataclasses import replace

    fields = (*ROSTER.fields, Field("photo", FieldType.FILE, "照片"))
    register = store(replace(ROSTER, fields=fields))
    rows = []
    for number, unit in enumerate(("甲", "乙", "丙")):
        path = Path(settings.FILES) / "photos" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\xff\xd8" + bytes([number]))
        kept = Attachment.objects.create(
            unit=world[unit],
            owner=world["股长"],
            name="大门.jpg",
            kind="photo",
            media_type="image/jpeg",
            size=3,
            sha256="0" * 64,
            path=f"photos/{number}.jpg",
            created_at=clock.now(),
        )
        rows.append((world[unit], {"code": str(number), "name": f"学生{number}", "photo": [str(kept.pk)]}))
    fill(register, rows, acting_user=world["股长"])
    made = do_export_files(register, None, acting_user=world["东学区"])
    with zipfile.ZipFile(Path(settings.FILES) / made.path) as archive:
        assert sorted(archive.namelist()) == ["东镇乙小学/学生1/大门.jpg", "东镇甲小学/学生0/大门.jpg"]
    assert AuditEntry.objects.get(action="export.files").count == 2
    with pytest.raises(RefusedError, match="没有附件"):
        do_export_files(register, None, acting_user=world["直填报"])


def test_p20_a_long_export_is_made_by_the_worker(world: World, roster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(roster, pupils(world, 30), acting_user=world["甲填报"])
    monkeypatch.setattr(export_jobs, "AT_ONCE", 20)
    query = from_parameters({"sort": ["-code"]})
    few = from_parameters({"sort": ["-code"], "f.points.is": ["3"]})
    assert isinstance(do_export_list(roster, few, acting_user=world["甲填报"]), Attachment)
    job = do_export_list(roster, query, acting_user=world["甲填报"])
    assert isinstance(job, Job)
    Worker().work_off_one()
    job.refresh_from_db()
    assert (job.state, job.message) == (Job.State.DONE, "共 30 行")
    made = Attachment.objects.get(kind="result", pk=job.result["link"].rpartition("/")[2])
    _, rows = read_xlsx(made)
    assert [row[rows[0].index("学号 *")] for row in rows[1:]] == [f"{number:05d}" for number in reversed(range(30))]
    assert (made.owner, made.size) == (world["甲填报"], (Path(settings.FILES) / made.path).stat().st_size)


def test_p20_a_long_export_with_full_numbers_needs_the_right_at_once(
    world: World, roster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(roster, pupils(world, 3), acting_user=world["甲填报"])
    monkeypatch.setattr(export_jobs, "AT_ONCE", 1)
    with pytest.raises(ForbiddenError, match="县局股室"):
        do_export_list(roster, from_parameters({}), purpose="核对学籍", acting_user=world["甲填报"])
    assert not Job.objects.filter(kind=export_jobs.EXPORT).exists()


def test_p20_columns_of_many_different_values_come_back_unchanged(
    world: World, roster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond a number of different values texts are not shared any more; the file reads alike."""
    monkeypatch.setattr(export, "_MOST_TAILS", 5)
    rows = pupils(world, 40)
    rows[17][1]["name"] = "=1+1 & <b>"
    fill(roster, rows, acting_user=world["甲填报"])
    made = do_export(roster, exports.everything(world["甲填报"], roster), acting_user=world["甲填报"])
    _, found = read_xlsx(made)
    name, points = found[0].index("姓名 *"), found[0].index("积分")
    assert [row[name] for row in found[1:]] == [one["name"] for _, one in rows]
    assert [row[points] for row in found[1:]] == [number % 7 for number in range(40)]
    batch = start(world, roster, kit.opened(Path(settings.FILES) / made.path))
    assert preview_of(batch).counts["same"] == 40
