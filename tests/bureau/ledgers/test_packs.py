"""Loading packs: repeatable, versioned, never making old records unreadable, never taking an office's change back."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bureau.ledgers.test_snapshot import V1, V2
from jiaoheng.bureau.core.models import AuditEntry
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.ledgers import registry
from jiaoheng.bureau.ledgers.actions_codes import do_add_code, do_end_code, do_rename_code
from jiaoheng.bureau.ledgers.actions_registers import load_pack
from jiaoheng.bureau.ledgers.models import CodeRow, RegisterRow, RegisterVersion
from jiaoheng.registers.loading import Pack, load_shipped
from jiaoheng.registers.model import CodeItem, CodeTable

pytestmark = pytest.mark.django_db

ONE, BOTH = Pack({"t_things": (V1,)}, {}), Pack({"t_things": (V1, V2)}, {})
DAY = dt.date(2025, 9, 1)


def table(*items: CodeItem) -> Pack:
    return Pack({}, {"t_kind": CodeTable("t_kind", "种类", items)})


def test_the_shipped_packs_load_and_load_again(world, noon):
    """Everything once, then nothing: no version, no code, no audit entry."""
    shipped = load_shipped()
    first = load_pack(shipped, acting_user=None)
    assert len(first.versions) == sum(len(group) for group in shipped.registers.values())
    assert len(first.codes) == sum(len(one.items) for one in shipped.tables.values())
    entries = AuditEntry.objects.count()
    again = load_pack(shipped, acting_user=None)
    assert (again.changed, again.same) == (0, len(first.versions))
    assert "共改动 0 处" in again.sentences()[-1]
    assert AuditEntry.objects.count() == entries
    for name, group in shipped.registers.items():
        stored = registry.schema_versions(RegisterRow.objects.get(name=name))
        assert [one.fields for one in stored] == [one.fields for one in group]
        assert [one.checks for one in stored] == [one.checks for one in group]


def test_another_content_under_the_same_version_is_refused(world, noon):
    """Refused with the version to write instead; nothing else of the pack is stored."""
    load_pack(ONE, acting_user=None)
    other = replace(V1, fields=V1.fields[:-1])
    with pytest.raises(RefusedError, match="version 改为 2"):
        load_pack(Pack({"t_things": (other,), "t_new": (replace(V1, name="t_new"),)}, {}), acting_user=None)
    assert not RegisterRow.objects.filter(name="t_new").exists()


def test_a_new_version_tells_what_happens_to_each_field(world, noon):
    """Renamed, added, dropped; the old version stays readable."""
    load_pack(ONE, acting_user=None)
    done = load_pack(BOTH, acting_user=None)
    words = "\n".join(done.sentences())
    for told in ("“电脑台数”改名为“计算机台数”", "新增“多媒体教室”", "“图书册数”停用"):
        assert told in words
    row = RegisterRow.objects.get(name="t_things")
    assert registry.schema_of(row, dt.date(2025, 8, 31)).version == 1
    assert registry.schema_of(row, DAY).version == 2
    assert registry.schema_numbered(row, 1).by_name["books"].title == "图书册数"


@pytest.mark.parametrize(
    ("new", "told"),
    [
        (replace(V2, dropped=()), "图书册数"),
        (replace(V2, effective_from=V1.effective_from), "起用日应在旧版之后"),
    ],
)
def test_a_version_that_loses_fields_or_time_is_refused(world, noon, new, told):
    """Also when the version before it is only in the database and not in the folder."""
    load_pack(ONE, acting_user=None)
    with pytest.raises(RefusedError, match=told):
        load_pack(Pack({"t_things": (new,)}, {}), acting_user=None)
    assert RegisterVersion.objects.count() == 1


def test_choices_change_without_a_new_version_of_the_register(world, noon):
    """A code table may grow, be corrected and end in a pack; the registers that use it stay as they are."""
    load_pack(table(CodeItem("1", "甲"), CodeItem("2", "已")), acting_user=None)
    newer = table(
        CodeItem("1", "甲", until=DAY), CodeItem("1", "甲类", from_=DAY), CodeItem("2", "乙"), CodeItem("3", "丙")
    )
    assert load_pack(newer, acting_user=None).changed == 4
    found = registry.code_tables()["t_kind"]
    assert found.valid(DAY) == {"1": "甲类", "2": "乙", "3": "丙"}
    assert found.label("1", DAY - dt.timedelta(days=1)) == "甲"
    assert load_pack(newer, acting_user=None).changed == 0


def test_what_the_office_changed_stays(world, noon):
    """Ended, renamed, added by the office: the same pack loaded again takes nothing back."""
    pack = table(CodeItem("1", "甲"), CodeItem("2", "乙"))
    load_pack(pack, acting_user=None)
    do_end_code("t_kind", "1", DAY, acting_user=world["股长"])
    do_rename_code("t_kind", "2", "乙类", DAY, acting_user=world["股长"])
    do_add_code("t_kind", "3", "丙", acting_user=world["股长"])
    before = list(CodeRow.objects.order_by("pk").values_list("code", "label", "starts_on", "ends_on"))
    assert load_pack(pack, acting_user=None).changed == 0
    assert list(CodeRow.objects.order_by("pk").values_list("code", "label", "starts_on", "ends_on")) == before


def test_the_office_in_charge_is_found_by_its_name(world, noon):
    """A department of the county by its name of today; an unknown one is no fault."""
    load_pack(Pack({"t_things": (replace(V1, department="基础教育股"),)}, {}), acting_user=None)
    assert RegisterRow.objects.get(name="t_things").office == world["股"]


def test_a_schema_costs_one_query(world, noon):
    """Asked on every request: one query for a schema, one for all of them, and a change is seen at once."""
    load_pack(load_shipped(), acting_user=None)
    row = RegisterRow.objects.get(name="teachers")
    registry.schema_of(row)
    registry.schemas()
    for ask in (lambda: registry.schema_of(row), registry.schemas, lambda: registry.schema_versions(row)):
        with CaptureQueriesContext(connection) as asked:
            ask()
        assert len(asked) == 1
    used = next(one.codes for one in registry.schema_of(row).fields if one.codes)
    do_add_code(used, "ZZ", "新选项", acting_user=world["股长"])
    assert "ZZ" in registry.schema_of(row).tables[used].valid(DAY)


def test_registers_of_an_account(world, noon):
    """Readers see every register, a narrow role only its own; counts are of its own scope."""
    load_pack(load_shipped(), acting_user=None)
    assert len(registry.registers_of(world["股长"])) == len(load_shipped().registers)
    assert {one.name for one in registry.registers_of(world["甲教师"])} == {"activities", "documents"}
    assert all(one.records == 0 for one in registry.registers_of(world["甲填报"]))


def test_old_register_titles_follow_the_newest_version(world, noon):
    """The title of the list is that of the newest version."""
    load_pack(ONE, acting_user=None)
    load_pack(Pack({"t_things": (replace(V2, title="设备设施"),)}, {}), acting_user=None)
    assert RegisterRow.objects.get(name="t_things").title == "设备设施"
