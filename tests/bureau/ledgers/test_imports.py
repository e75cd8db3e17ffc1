"""Imports: previewed by cell, all or nothing, repeating changes nothing, blanks keep, stale previews are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from bureau.ledgers import import_kit as kit
from bureau.ledgers.import_kit import HEADS, accept, bring, edit, now_stands, start
from bureau.ledgers.registers_for_tests import CONDITIONS, ROSTER, store, year
from bureau.world import World
from jiaoheng.bureau.core.models import AuditEntry
from jiaoheng.bureau.core.refusals import ConflictError, ForbiddenError, RefusedError
from jiaoheng.bureau.ledgers.imports.answering import do_answer_questions, do_fix_cells
from jiaoheng.bureau.ledgers.imports.confirming import do_confirm_import
from jiaoheng.bureau.ledgers.imports.starting import do_cancel_import, preview_of
from jiaoheng.bureau.ledgers.models import Draft, ImportBatch, Record, RecordVersion
from jiaoheng.bureau.ledgers.models.records import CURRENT
from jiaoheng.bureau.ledgers.templates import make_template
from jiaoheng.registers.model import Field, FieldType

pytestmark = pytest.mark.django_db


def test_new_rows_come_in_with_one_audit_entry_and_a_digest(world: World, roster: Any) -> None:
    batch = bring(world, roster, [["001", "张三", "1班", 5], ["002", "李四", "2班", 0]])
    assert batch.state == "done"
    assert batch.message == "已导入：新增 2 条，变更 0 条"
    assert now_stands(roster) == [
        {"code": "001", "name": "张三", "class_name": "1班", "points": 5},
        {"code": "002", "name": "李四", "class_name": "2班", "points": 0},
    ]
    entry = AuditEntry.objects.get(action="import.confirm")
    assert (entry.count, entry.actor_name, len(entry.digest)) == (2, "甲填报（东镇甲小学）", 64)


def test_the_same_file_again_is_recognised_and_changes_nothing(world: World, roster: Any) -> None:
    rows = [["001", "张三", "1班", 5], ["002", "李四", "2班", 0]]
    bring(world, roster, rows)
    again = start(world, roster, kit.sheet([HEADS, *rows]))
    accept(again, world)
    shown = preview_of(again)
    assert (shown.counts["new"], shown.counts["changed"], shown.counts["same"]) == (0, 0, 2)
    assert "完全相同" in shown.sentence
    with pytest.raises(RefusedError, match="没有要写入的内容"):
        do_confirm_import(again, acting_user=world["甲填报"])
    assert RecordVersion.objects.filter(register=roster).count() == 2


def test_a_blank_keeps_and_the_word_for_clearing_clears(world: World, roster: Any) -> None:
    bring(world, roster, [["001", "张三", "1班", 5], ["002", "李四", "2班", 7]])
    batch = start(world, roster, kit.sheet([HEADS, ["001", "张三", None, 6], ["002", "李四", "清空", None]]))
    shown = preview_of(batch)
    assert (shown.counts["changed"], shown.counts["cleared"]) == (2, 1)
    assert [one.change for one in shown.cells] == ["5 → 6", "2班 → 清空"]
    do_confirm_import(batch, acting_user=world["甲填报"])
    assert now_stands(roster)[0] == {"code": "001", "name": "张三", "class_name": "1班", "points": 6}
    assert now_stands(roster)[1] == {"code": "002", "name": "李四", "points": 7}
    assert RecordVersion.objects.get(record__key="002", number=1).data["class_name"] == "2班"


def test_p14_every_mistake_in_one_pass_and_nothing_stored(world: World, roster: Any) -> None:
    content = {
        "九1": [HEADS, ["001", "张三", "1班", "约30"], ["002", None, "1班", 3]],
        "九2": [HEADS, ["003", "王五", "1班", 3], ["001", "赵六", "1班", 3]],
    }
    batch = start(world, roster, kit.sheets(content))
    shown = preview_of(batch)
    places = {f"{one.place.sheet} {one.place.cell}" for one in shown.problems}
    assert places == {"九1 D2", "九1 B3", "九2 A3"}
    assert any("A2" in one.message for one in shown.problems if one.place.sheet == "九2")
    with pytest.raises(RefusedError, match="有 3 处错误"):
        do_confirm_import(batch, acting_user=world["甲填报"])
    assert not Record.objects.filter(register=roster).exists()


def test_wrong_cells_are_corrected_on_the_page(world: World, roster: Any) -> None:
    batch = start(world, roster, kit.sheet([HEADS, ["001", "张三", "1班", "约30"]]))
    key = preview_of(batch).problems[0].place.key
    shown = do_fix_cells(batch, {key: "30"}, acting_user=world["甲填报"])
    assert shown is not None
    assert not shown.problems
    accept(batch, world)
    do_confirm_import(batch, acting_user=world["甲填报"])
    assert now_stands(roster)[0]["points"] == 30
    with pytest.raises(RefusedError, match="不能再改"):
        do_fix_cells_again(batch, key, world)


def do_fix_cells_again(batch: ImportBatch, key: str, world: World) -> None:
    from jiaoheng.bureau.ledgers.imports.answering import _keep
    from jiaoheng.bureau.ledgers.imports.answers import Said

    _keep(batch, Said(cells={key: "31"}), acting_user=world["甲填报"])


def test_a_place_that_is_not_asked_about_cannot_be_written(world: World, roster: Any) -> None:
    batch = start(world, roster, kit.sheet([HEADS, ["001", "张三", "1班", "约30"]]))
    with pytest.raises(RefusedError, match="不在要改正的格子里"):
        do_fix_cells(batch, {"表.xlsx|表|B2": "李四"}, acting_user=world["甲填报"])


def test_p05_a_row_of_a_foreign_or_unknown_unit_is_marked_and_nothing_is_stored(world: World, roster: Any) -> None:
    heads = ["单位代码", *HEADS]
    rows = [
        ["2199000001", "001", "张三", "1班", 1],
        ["2199000003", "002", "李四", "1班", 1],
        ["2199009999", "003", "王五", "1班", 1],
    ]
    batch = start(world, roster, kit.sheet([heads, *rows]), who="东学区", unit="东")
    shown = preview_of(batch)
    wrong = {one.place.cell: one.message for one in shown.problems}
    assert set(wrong) == {"A3", "A4"}
    assert all("无此单位" in told for told in wrong.values())
    assert wrong["A3"].replace("2199000003", "") == wrong["A4"].replace("2199009999", "")
    with pytest.raises(RefusedError):
        do_confirm_import(batch, acting_user=world["东学区"])
    assert not Record.objects.filter(register=roster).exists()


def test_a_district_imports_rows_of_its_schools(world: World, roster: Any) -> None:
    heads = ["单位代码", *HEADS]
    rows = [["2199000001", "001", "张三", "1班", 1], ["2199000002", "001", "李四", "1班", 1]]
    batch = start(world, roster, kit.sheet([heads, *rows]), who="东学区", unit="东")
    accept(batch, world, "东学区")
    do_confirm_import(batch, acting_user=world["东学区"])
    found = RecordVersion.objects.filter(CURRENT, register=roster).order_by("unit_id")
    assert [one.unit_id for one in found] == [world["甲"].pk, world["乙"].pk]
    assert {one.district_id for one in found} == {world["东"].pk}


def test_who_may_not_fill_a_unit_may_not_import_for_it(world: World, roster: Any) -> None:
    for who, unit in (("甲填报", "乙"), ("局长", "甲"), ("甲教师", "甲")):
        with pytest.raises(ForbiddenError):
            start(world, roster, kit.sheet([HEADS, ["001", "张三", "1班", 1]]), who=who, unit=unit)
    assert not ImportBatch.objects.exists()


def test_p11_out_and_in_again(world: World, roster: Any, tmp_path: Path) -> None:
    rows = [[f"03{number:02d}", f"学生{number}", "10班", 0] for number in range(25)]
    bring(world, roster, rows)
    record = Record.objects.get(register=roster, key="0300")
    edit(roster, record, world["甲填报"], acting_user=world["甲填报"], id_number="990000201204070001")
    path = tmp_path / "模板.xlsx"
    make_template(path, roster, world["甲"], account=world["甲填报"])
    batch = start(world, roster, kit.opened(path))
    counts = preview_of(batch).counts
    assert (counts["new"], counts["changed"], counts["same"], counts["masked"]) == (0, 0, 25, 1)
    book = openpyxl.load_workbook(path)
    made = kit.data_sheet(book)
    first = kit.head_row(made) + 1
    made.cell(first + 1, kit.column_of(made, "points")).value = 96
    made.delete_rows(first + 10, 2)
    made.column_dimensions["D"].hidden = True
    book.save(path)
    batch = start(world, roster, kit.opened(path))
    shown = preview_of(batch)
    assert (shown.counts["new"], shown.counts["changed"], shown.counts["same"]) == (0, 1, 22)
    assert "2 条在文件中没有，未作改动" in shown.sentence
    assert "脱敏值，未导入" in shown.sentence
    do_confirm_import(batch, acting_user=world["甲填报"])
    assert RecordVersion.objects.filter(CURRENT, register=roster).count() == 25
    newest = RecordVersion.objects.get(record=record, valid_to__isnull=True)
    assert newest.data["id_number"] == "990000201204070001"


def test_p12_an_older_template_gives_drafts_where_a_new_required_column_is_missing(
    world: World, noon: Any, tmp_path: Path
) -> None:
    row = store(ROSTER)
    path = tmp_path / "v1.xlsx"
    make_template(path, row, world["甲"], account=world["甲填报"])
    book = openpyxl.load_workbook(path)
    made = kit.data_sheet(book)
    first = kit.head_row(made) + 1
    for number in range(8):
        values = {"code": f"00{number}", "name": f"学生{number}", "class_name": "1班", "points": number}
        for field, value in values.items():
            made.cell(first + number, kit.column_of(made, field)).value = value
    book.save(path)
    import datetime as dt

    fields = [
        replace(one, name="score", title="得分", renamed_from=("points",)) if one.name == "points" else one
        for one in ROSTER.fields
        if one.name != "class_name"
    ]
    fields.append(Field("dormitory", FieldType.STRING, "宿舍", required=True))
    store(replace(ROSTER, version=2, effective_from=dt.date(2025, 9, 1), fields=tuple(fields), dropped=("class_name",)))
    batch = start(world, row, kit.opened(path))
    shown = preview_of(batch)
    assert any("第 1 版（2020-09-01）" in note and "第 2 版（2025-09-01）" in note for note in shown.notes)
    assert any("班级" in one and "8 个值没有导入" in one for one in shown.not_taken)
    assert (shown.counts["drafts"], shown.counts["new"]) == (8, 0)
    assert "8 条缺必填的宿舍，存为草稿" in shown.sentence
    done = do_confirm_import(batch, acting_user=world["甲填报"])
    assert "草稿 8 条" in done.message
    drafts = list(Draft.objects.filter(account=world["甲填报"], register=row).order_by("pk"))
    assert [one.typed for one in drafts][3] == {"code": "003", "name": "学生3", "score": "3"}
    assert not Record.objects.filter(register=row).exists()


def test_p12_the_template_of_another_register_is_refused_naming_both(world: World, roster: Any, tmp_path: Path) -> None:
    other = store(CONDITIONS)
    path = tmp_path / "a.xlsx"
    make_template(path, roster, world["甲"], account=world["甲填报"])
    batch = start(world, other, kit.opened(path), period=year(2025))
    shown = preview_of(batch)
    assert "学生名册" in shown.blocked
    assert "办学条件" in shown.blocked
    with pytest.raises(RefusedError, match="学生名册"):
        do_confirm_import(batch, acting_user=world["甲填报"])


def test_a_file_without_rows_never_succeeds(world: World, roster: Any) -> None:
    for upload in (kit.sheet([HEADS]), kit.sheet([["食堂", "菜单"], ["一", "二"]])):
        batch = start(world, roster, upload)
        with pytest.raises(RefusedError):
            do_confirm_import(batch, acting_user=world["甲填报"])
        batch.refresh_from_db()
        assert batch.state == "preview"


def test_an_unknown_column_is_named_and_asked_about(world: World, roster: Any) -> None:
    batch = start(world, roster, kit.sheet([[*HEADS, "食堂"], ["001", "张三", "1班", 1, "一"]]))
    shown = preview_of(batch)
    asked = [one for one in shown.questions if one.code == "column-unknown"]
    assert "食堂" in asked[0].text
    with pytest.raises(RefusedError, match="问题没有回答"):
        do_confirm_import(batch, acting_user=world["甲填报"])
    with pytest.raises(RefusedError, match="不是可选的回答"):
        do_answer_questions(batch, {asked[0].key: "tables"}, acting_user=world["甲填报"])
    accept(batch, world)
    do_confirm_import(batch, acting_user=world["甲填报"])
    assert len(now_stands(roster)) == 1


def test_a_stale_preview_is_refused_with_what_changed_and_asks_about_the_cell(world: World, roster: Any) -> None:
    bring(world, roster, [["001", "张三", "1班", 5], ["002", "李四", "2班", 7]])
    batch = start(world, roster, kit.sheet([HEADS, ["001", "张三", "1班", 6], ["002", "李四", "2班", 8]]))
    accept(batch, world)
    edit(roster, Record.objects.get(key="001"), world["甲校长"], acting_user=world["甲校长"], points=9)
    with pytest.raises(ConflictError, match="甲校长（东镇甲小学） 于 9 月 15 日 12:00 改动") as refused:
        do_confirm_import(batch, acting_user=world["甲填报"])
    assert len(refused.value.detail["changed"]) == 1
    assert [one["points"] for one in now_stands(roster)] == [9, 7]
    batch.refresh_from_db()
    asked = [one for one in preview_of(batch).questions if one.code == "cell-moved"]
    assert "由 5 改为 9，文件中是 6" in asked[0].text
    do_answer_questions(batch, {asked[0].key: "mine"}, acting_user=world["甲填报"])
    do_confirm_import(batch, acting_user=world["甲填报"])
    assert [one["points"] for one in now_stands(roster)] == [6, 8]


def test_the_other_persons_value_stays_where_that_is_chosen(world: World, roster: Any, tmp_path: Path) -> None:
    bring(world, roster, [["001", "张三", "1班", 5]])
    path = tmp_path / "t.xlsx"
    make_template(path, roster, world["甲"], account=world["甲填报"])
    book = openpyxl.load_workbook(path)
    made = kit.data_sheet(book)
    row = kit.head_row(made) + 1
    made.cell(row, kit.column_of(made, "points")).value = 6
    made.cell(row, kit.column_of(made, "class_name")).value = "3班"
    book.save(path)
    edit(roster, Record.objects.get(key="001"), world["甲校长"], acting_user=world["甲校长"], points=9)
    batch = start(world, roster, kit.opened(path))
    assert preview_of(batch).counts["conflicts"] == 1
    accept(batch, world)
    do_confirm_import(batch, acting_user=world["甲填报"])
    assert now_stands(roster) == [{"code": "001", "name": "张三", "class_name": "3班", "points": 9}]


def test_a_key_added_meanwhile_is_told_and_becomes_a_change(world: World, roster: Any) -> None:
    batch = start(world, roster, kit.sheet([HEADS, ["001", "张三", "1班", 6]]))
    accept(batch, world)
    bring(world, roster, [["001", "张三丰", "1班", 5]])
    with pytest.raises(ConflictError, match="张三丰"):
        do_confirm_import(batch, acting_user=world["甲填报"])
    batch.refresh_from_db()
    assert preview_of(batch).counts["changed"] == 1


def test_confirming_twice_stores_once(world: World, roster: Any) -> None:
    batch = bring(world, roster, [["001", "张三", "1班", 6]])
    with pytest.raises(RefusedError):
        do_confirm_import(batch, acting_user=world["甲填报"])
    assert RecordVersion.objects.filter(register=roster).count() == 1


def test_a_cancelled_import_leaves_nothing(world: World, roster: Any) -> None:
    batch = start(world, roster, kit.sheet([HEADS, ["001", "张三", "1班", 6]]))
    do_cancel_import(batch, acting_user=world["甲填报"])
    batch.refresh_from_db()
    assert (batch.state, batch.preview) == ("cancelled", "")
    with pytest.raises(RefusedError):
        do_confirm_import(batch, acting_user=world["甲填报"])
    assert not Record.objects.exists()


def test_p19_an_ended_choice_is_told_with_its_date_in_the_period_where_it_has_ended(world: World, noon: Any) -> None:
    row = store(CONDITIONS)
    rows = [["教师数", "班级数", "等级"], [20, 6, "丙级"]]
    late = start(world, row, kit.sheet(rows), period=year(2025))
    assert any("2025-09-01" in one.message for one in preview_of(late).problems)
    early = start(world, row, kit.sheet(rows), period=year(2024))
    assert not preview_of(early).problems


def test_a_wrong_file_says_what_it_is(world: World, roster: Any) -> None:
    import io

    batch = start(world, roster, (io.BytesIO(b"MZ\x90\x00 a program" * 50), "花名册.xlsx"))
    assert preview_of(batch).blocked
    with pytest.raises(RefusedError, match="空的"):
        start(world, roster, (io.BytesIO(b""), "空.xlsx"))


def test_formulas_as_text_come_in_as_text_and_identity_numbers_stay_masked(world: World, roster: Any) -> None:
    heads = ["学号", "姓名", "身份证"]
    bad = start(world, roster, kit.sheet([heads, ["001", "张三", "99000020120407000"]]))
    for one in preview_of(bad).problems:
        assert "990000201204" not in one.message
    batch = start(world, roster, kit.sheet([heads, ["001", "张三", "990000201204070001"]]))
    accept(batch, world)
    do_confirm_import(batch, acting_user=world["甲填报"])
    change = start(world, roster, kit.sheet([heads, ["001", "张三", "990000201204070028"]]))
    texts = [one.change for one in preview_of(change).cells]
    assert texts == ["990000********0001 → 990000********0028"]
