"""A register from an Excel sheet: proposed, edited, made, used at once, changed with versions."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import replace

import pytest
import xlsxwriter

from bureau.ledgers.test_snapshot import put
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.actions_files import store_file
from jiaoheng.bureau.core.models import AuditEntry
from jiaoheng.bureau.core.refusals import ForbiddenError, NotFoundError, RefusedError
from jiaoheng.bureau.ledgers import registry
from jiaoheng.bureau.ledgers.actions_registers_own import (
    do_change_register,
    do_edit_register_draft,
    do_make_register,
    do_propose_register,
    preview_change,
)
from jiaoheng.bureau.ledgers.changes import Change
from jiaoheng.bureau.ledgers.models import CodeRow, RegisterDraft, RegisterRow
from jiaoheng.bureau.ledgers.register_from_sheet import access_register_draft, proposed
from jiaoheng.bureau.ledgers.schema_edits import FieldEdit, apply_edits, as_json, edits_of
from jiaoheng.bureau.ledgers.snapshot import heads, snapshot
from jiaoheng.registers.versions import Fate

pytestmark = pytest.mark.django_db

HEADS = ["序号", "学校名称", "车牌号", "车辆类型", "核载人数", "年检日期"]
ROWS = [
    [
        number,
        "东镇甲小学",
        f"青A{number:05d}",
        ("大型", "中型", "小型")[number % 3],
        19 + number,
        dt.date(2025, 3, number + 1),
    ]
    for number in range(12)
]


def sheet(heads=HEADS, rows=ROWS) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    page, day = book.add_worksheet("校车台账"), book.add_format({"num_format": "yyyy-mm-dd"})
    page.write_row(0, 0, heads)
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            page.write(number, column, value, day) if isinstance(value, dt.date) else page.write(number, column, value)
    book.close()
    return out.getvalue()


@pytest.fixture
def draft(world, noon):
    """The office uploaded its sheet of school buses."""
    office = world["股长"]
    kept = store_file(sheet(), "校车台账.xlsx", "workbook", unit=world["县"], acting_user=office)
    return do_propose_register(kept, acting_user=office)


def buses(world, draft):
    return do_make_register(draft.schema, acting_user=world["股长"], draft=draft)


def test_a_sheet_becomes_an_editable_proposal(world, draft):
    """Types, choices and the key by the content; the running number and the unit's own column become no fields."""
    shown = proposed(draft)
    kinds = {one.title: (one.type_words, one.choices) for one in shown.fields}
    assert list(kinds) == ["车牌号", "车辆类型", "核载人数", "年检日期"]
    assert kinds["核载人数"][0] == "整数"
    assert kinds["年检日期"][0] == "日期"
    assert set(kinds["车辆类型"][1]) == {"大型", "中型", "小型"}
    assert [head for head, _why in shown.left_out] == ["序号", "学校名称"]
    assert shown.rows == 12
    assert not RegisterRow.objects.exists()
    assert access_register_draft(world["股长"], draft.pk) == draft
    with pytest.raises(NotFoundError):
        access_register_draft(world["管理员"], draft.pk)


def test_a_made_register_is_usable_at_once(world, draft):
    """Schema, choices, records and the typed table work without a restart; the draft is gone; the trail says it."""
    row = buses(world, draft)
    schema = registry.schema_of(row)
    plate, kind, seats, day = (one.name for one in schema.fields)
    assert (schema.version, schema.key) == (1, (plate,))
    assert sorted(schema.codes_of(schema.by_name[kind]).valid(clock.today()).values()) == ["中型", "大型", "小型"]
    put(row, 1, [Change(world["甲"].pk, {plate: "青A1", seats: 19, day: "2025-03-01"})], clock.now())
    assert snapshot(row).to_polars()[seats].to_list() == [19]
    assert row.name in {one.name for one in registry.registers_of(world["甲填报"])}
    assert next(one for one in registry.registers_of(world["甲填报"])).own
    assert not RegisterDraft.objects.exists()
    assert AuditEntry.objects.filter(action="register.make", object_name=row.title).count() == 1


def edited(schema, **titles):
    """The form's fields with other heads."""
    return [replace(one, title=titles.get(one.name, one.title)) for one in edits_of(schema)]


def test_an_edited_proposal_is_checked_like_a_pack(world, draft):
    """A wrong type, two equal heads, a key that is gone: told at the field, the old proposal stays."""
    office, schema = world["股长"], proposed(draft).register
    good = edited(schema)
    wrong = [FieldEdit("", "载重", "integr"), FieldEdit("", "车牌号"), FieldEdit("", "座位", "integer", minimum="很多")]
    with pytest.raises(RefusedError) as refused:
        do_edit_register_draft(draft, apply_edits(draft.schema, [*good, *wrong]), acting_user=office)
    assert "integer" in str(refused.value)
    assert "很多" in str(refused.value)
    assert refused.value.places
    with pytest.raises(RefusedError, match="列名“车牌号”重复"):
        do_edit_register_draft(draft, apply_edits(draft.schema, [*good, wrong[1]]), acting_user=office)
    draft.refresh_from_db()
    assert len(draft.schema["fields"]) == 4
    more = [*good, FieldEdit("", "司机", choices=("专职", "兼职")), FieldEdit("", "路线", help="起点到终点")]
    found = do_edit_register_draft(
        draft, apply_edits(draft.schema, more, title="校车", period="term"), acting_user=office
    )
    assert [one.title for one in found.fields][-2:] == ["司机", "路线"]
    assert (found.title, found.period) == ("校车", "term")


def test_a_new_version_tells_and_keeps_old_records(world, draft):
    """A head renamed, a field added and one dropped from a day on: words for each; the old record keeps its values."""
    office, row = world["股长"], buses(world, draft)
    schema = registry.schema_of(row)
    plate, _kind, seats, day = (one.name for one in schema.fields)
    put(row, 1, [Change(world["甲"].pk, {plate: "青A1", seats: 19, day: "2025-03-01"})], clock.now())
    edits = edited(schema, **{seats: "座位数"})
    edits[3] = FieldEdit(day, "年检日期", drop=True)
    new = apply_edits(as_json(schema), [*edits, FieldEdit("", "线路数", "integer")])
    start = dt.date(2025, 10, 1)
    words = [one.sentence for one in preview_change(row, new, start)]
    changes = do_change_register(row, new, start, acting_user=office)
    assert [one.sentence for one in changes] == words
    fates = {one.title: one.fate for one in changes}
    assert (fates["座位数"], fates["线路数"], fates["年检日期"]) == (Fate.RENAMED, Fate.ADDED, Fate.DROPPED)
    assert fates["车辆类型"] is Fate.KEPT
    assert registry.schema_of(row).version == 1
    with clock.at(clock.beijing(2025, 10, 1, 8)):
        assert registry.schema_of(row).version == 2
        assert heads(row)[seats] == "座位数"
        assert snapshot(row).to_polars()[day].to_list() == [dt.date(2025, 3, 1)]
    assert heads(row, dt.date(2025, 9, 30))[seats] == "核载人数"
    with pytest.raises(RefusedError, match="起用日应在旧版之后"):
        do_change_register(row, apply_edits(new, [FieldEdit("", "备注")]), start, acting_user=office)


def test_an_unused_register_is_put_right_in_place(world, draft):
    """Nobody has filled it: no second version for a typing slip; without any change it is refused."""
    office, row = world["股长"], buses(world, draft)
    schema = registry.schema_of(row)
    plate = schema.fields[0].name
    do_change_register(
        row, apply_edits(as_json(schema), edited(schema, **{plate: "车号"})), clock.today(), acting_user=office
    )
    found = registry.schema_of(row)
    assert (found.version, found.fields[0].title) == (1, "车号")
    with pytest.raises(RefusedError, match="没有改动"):
        do_change_register(row, as_json(found), clock.today(), acting_user=office)


def test_choices_grow_and_two_sheets_do_not_share_them(world, draft):
    """A choice added to a register's own table keeps the codes of the others; another sheet's 车辆类型 is its own."""
    office, row = world["股长"], buses(world, draft)
    schema = registry.schema_of(row)
    kind = schema.fields[1]
    before = {item.label: item.code for item in schema.codes_of(kind).items}
    edits = edited(schema)
    edits[1] = FieldEdit(kind.name, kind.title, choices=("大型", "中型", "小型", "新能源"))
    do_change_register(row, apply_edits(as_json(schema), edits), clock.today(), acting_user=office)
    after = {item.label: item.code for item in registry.schema_of(row).codes_of(kind).items}
    assert before.items() <= after.items()
    assert "新能源" in after
    other = [[*one[:3], ("轿车", "客车")[number % 2], *one[4:]] for number, one in enumerate(ROWS)]
    kept = store_file(sheet(rows=other), "公务车.xlsx", "workbook", unit=world["县"], acting_user=office)
    second = do_propose_register(kept, acting_user=office, title="公务车")
    made = registry.schema_of(do_make_register(second.schema, acting_user=office, draft=second))
    field = next(one for one in made.fields if one.title == "车辆类型")
    assert set(made.codes_of(field).valid(clock.today()).values()) == {"轿车", "客车"}
    assert set(after) == set(CodeRow.objects.filter(table=kind.codes).values_list("label", flat=True))


def test_who_may_and_what_is_no_sheet(world, draft):
    """Only who may change registers; a name in use is refused; a file without heads is told in words."""
    row = buses(world, draft)
    schema = as_json(registry.schema_of(row))
    with pytest.raises(RefusedError, match="已有台账"):
        do_make_register(schema, acting_user=world["股长"])
    for who in ("甲填报", "东学区", "局长"):
        with pytest.raises(ForbiddenError):
            do_make_register({**schema, "name": "t_x", "title": "别的"}, acting_user=world[who])
    bare = store_file(
        sheet(["合计"], [[1], [2]]), "无表头.xlsx", "workbook", unit=world["县"], acting_user=world["股长"]
    )
    with pytest.raises(RefusedError, match="表头"):
        do_propose_register(bare, acting_user=world["股长"])
    with pytest.raises(NotFoundError):
        do_propose_register(bare, acting_user=world["管理员"])
