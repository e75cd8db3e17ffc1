"""Marked workbooks to take away, and several workbooks in one import."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import openpyxl
import pytest

from bureau.ledgers import import_kit as kit
from bureau.ledgers.import_kit import HEADS, accept, start
from bureau.world import World
from jiaoheng.bureau.core.access import access_attachment
from jiaoheng.bureau.core.refusals import NotFoundError, RefusedError
from jiaoheng.bureau.ledgers.imports.answering import do_answer_questions
from jiaoheng.bureau.ledgers.imports.confirming import do_confirm_import
from jiaoheng.bureau.ledgers.imports.files import plain
from jiaoheng.bureau.ledgers.imports.marked import do_take_marked
from jiaoheng.bureau.ledgers.imports.starting import do_start_import, preview_of
from jiaoheng.bureau.ledgers.models import ImportBatch, Record

pytestmark = pytest.mark.django_db


def test_p14_the_marked_workbook_is_mended_and_read_again(world: World, roster: Any) -> None:
    content = {
        "九1": [HEADS, *[[f"1{number:02d}", f"张{number}", "九1", number] for number in range(21)]],
        "九2": [HEADS, *[[f"2{number:02d}", f"李{number}", "九2", number] for number in range(21)]],
    }
    content["九1"][4][3], content["九2"][6][0] = "约30", "101"
    upload = kit.sheets(content, "两班.xlsx")
    batch = start(world, roster, upload)
    shown = preview_of(batch)
    assert {f"{one.place.sheet} {one.place.cell}" for one in shown.problems} == {"九1 D5", "九2 A7"}
    kept = do_take_marked(batch, acting_user=world["甲填报"])
    assert kept.name == "标注_两班.xlsx"
    with pytest.raises(NotFoundError):
        access_attachment(world["甲校长"], kept.pk)
    with plain(kept) as path:
        book = openpyxl.load_workbook(path)
    for name, rows in content.items():
        found = [[cell.value for cell in row] for row in book[name].iter_rows(max_col=4)]
        assert found == rows
    assert "改完后保存，再次上传本文件" in str(book.worksheets[0]["A1"].value)
    marked = [cell.coordinate for name in content for row in book[name].iter_rows() for cell in row if cell.comment]
    assert sorted(marked) == ["A7", "D5"]
    book["九1"]["D5"], book["九2"]["A7"] = 30, "299"
    out = io.BytesIO()
    book.save(out)
    out.seek(0)
    again = start(world, roster, (out, kept.name))
    accept(again, world)
    assert (preview_of(again).counts["new"], preview_of(again).counts["wrong"]) == (42, 0)
    do_confirm_import(again, acting_user=world["甲填报"])
    assert Record.objects.count() == 42


def _books(count: int, wrong: int | None = None) -> list[kit.Upload]:
    made = []
    for number in range(count):
        rows = [HEADS, *[[f"{number:03d}{row}", f"学生{row}", "1班", row] for row in range(3)]]
        if number == wrong:
            rows[2][3] = "约30"
        made.append(kit.sheet(rows, f"第{number}组.xlsx"))
    return made


def several(world: World, register: Any, uploads: list[kit.Upload]) -> ImportBatch:
    return do_start_import(register, world["甲"], uploads, at_once=True, acting_user=world["甲填报"])


def test_several_files_make_one_preview_with_the_problems_of_each(world: World, roster: Any) -> None:
    batch = several(world, roster, _books(12, wrong=4))
    shown = preview_of(batch)
    assert (shown.counts["files"], shown.counts["rows"], shown.counts["wrong"]) == (12, 36, 1)
    wrong = {one.file: one.wrong for one in shown.files}
    assert wrong["第4组.xlsx"] == 1
    assert sum(wrong.values()) == 1
    assert shown.problems[0].place.file == "第4组.xlsx"
    with pytest.raises(RefusedError):
        do_confirm_import(batch, acting_user=world["甲填报"])
    assert not Record.objects.exists()


def test_the_same_key_in_two_files_names_the_other_file(world: World, roster: Any) -> None:
    rows = [HEADS, ["001", "张三", "1班", 1]]
    shown = preview_of(several(world, roster, [kit.sheet(rows, "一.xlsx"), kit.sheet(rows, "二.xlsx")]))
    assert shown.problems[0].place.file == "二.xlsx"
    assert "一.xlsx" in shown.problems[0].message


def test_a_file_that_cannot_be_read_stops_the_others_until_it_is_left_out(world: World, roster: Any) -> None:
    batch = several(world, roster, [*_books(3), (io.BytesIO(b"MZ\x90\x00" * 100), "坏.xlsx")])
    shown = preview_of(batch)
    assert shown.blocked
    asked = [one for one in shown.questions if one.code == "file-refused"]
    assert "坏.xlsx" in asked[0].text
    do_answer_questions(batch, {asked[0].key: "忽略"}, acting_user=world["甲填报"])
    accept(batch, world)
    do_confirm_import(batch, acting_user=world["甲填报"])
    assert Record.objects.count() == 9


def test_an_archive_from_an_old_windows_keeps_its_file_names(world: World, roster: Any) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for upload, name in _books(2):
            archive.writestr(name.encode("gbk").decode("cp437"), upload.read())
    packed.seek(0)
    batch = several(world, roster, [(packed, "各组.zip")])
    shown = preview_of(batch)
    assert [one.file for one in shown.files] == ["第0组.xlsx", "第1组.xlsx"]
    assert shown.counts["new"] == 6


def test_a_bomb_among_the_files_is_refused(world: World, roster: Any) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("一.csv", b"0" * 60_000_000)
    packed.seek(0)
    with pytest.raises(RefusedError, match="倍"):
        several(world, roster, [(packed, "各组.zip")])
