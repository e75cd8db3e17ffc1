"""What loading a pack would do to the registers and code tables of the database: a plan first, then the writing.

The plan reads only. It tells for each register what is new and what happens to each field, and refuses what would make
records unreadable: another content under a version number that is taken, a field that goes nowhere.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Unit
from jiaoheng.bureau.core.tree import facts_at
from jiaoheng.bureau.ledgers.models import CodeRow, RegisterRow, RegisterVersion
from jiaoheng.bureau.ledgers.reslotting import reslot_if_moved
from jiaoheng.registers.loading import Pack, from_json, schema_hash, to_json
from jiaoheng.registers.model import CodeTable, Register
from jiaoheng.registers.versions import Fate, FieldChange, diff_versions


@dataclass(frozen=True, slots=True)
class VersionPlan:
    """One version of a register that the database does not have yet, and what it does to the version before it."""

    schema: Register
    changes: tuple[FieldChange, ...] = ()  # empty for the first version of a register

    @property
    def words(self) -> str:
        """One line for the person who loads: 学校基本情况 第 2 版（2025-09-01 起）：新增 1 项…"""
        one = self.schema
        head = f"{one.title} 第 {one.version} 版（{one.effective_from:%Y-%m-%d} 起）"
        if not self.changes:
            return f"{head}：{len(one.fields)} 个字段"
        counts: dict[Fate, int] = {}
        for change in self.changes:
            counts[change.fate] = counts.get(change.fate, 0) + 1
        return f"{head}：{'，'.join(f'{fate} {count} 项' for fate, count in counts.items())}"


@dataclass(frozen=True, slots=True)
class CodePlan:
    """One row of a code table: new (`row_id` None), or an old one that gets another label, order or end."""

    table: str
    table_title: str
    code: str
    label: str
    order: int
    starts_on: dt.date | None
    ends_on: dt.date | None
    row_id: int | None = None
    was: str = ""  # label or end before, as people read it


@dataclass(frozen=True, slots=True)
class PackPlan:
    """What a pack would change, and why it cannot be loaded (`refused`, sentences with the remedy)."""

    versions: tuple[VersionPlan, ...] = ()
    codes: tuple[CodePlan, ...] = ()
    retitled: tuple[str, ...] = ()  # registers of which only the title of the row differs
    same: int = 0  # versions that are there already
    refused: tuple[str, ...] = ()

    @property
    def changed(self) -> int:
        """How many things loading would write; 0: the pack is in the database already."""
        return len(self.versions) + len(self.codes) + len(self.retitled)

    def sentences(self) -> list[str]:
        """The result in words, one thing a line: each version, what happens to each of its fields, the code tables."""
        lines = []
        for one in self.versions:
            lines.append(one.words)
            lines += [f"  {change.sentence}" for change in one.changes if change.fate is not Fate.KEPT]
        new = sum(one.row_id is None for one in self.codes)
        if self.codes:
            lines.append(f"代码：新增 {new} 项，改动 {len(self.codes) - new} 项")
        lines.append(f"共改动 {self.changed} 处，{self.same} 个版本原样未动")
        return lines


def plan_pack(pack: Pack) -> PackPlan:
    """What loading a pack would do now."""
    stored: dict[str, dict[int, RegisterVersion]] = defaultdict(dict)
    for version in RegisterVersion.objects.filter(register__name__in=list(pack.registers)).select_related("register"):
        stored[version.register.name][version.number] = version
    versions: list[VersionPlan] = []
    refused: list[str] = []
    retitled: list[str] = []
    same = 0
    for name, group in pack.registers.items():
        there = stored.get(name, {})
        fresh = [one for one in group if one.version not in there]
        refused += [
            _taken(one) for one in group if one.version in there and there[one.version].hash != content_hash(one)
        ]
        same += len(group) - len(fresh)
        versions += _fresh_versions(fresh, group, there, refused)
        newest = max(group, key=lambda one: one.version)
        if there and max(there) == newest.version and not fresh:
            row = there[newest.version].register
            if row.title != newest.title:
                retitled.append(name)
    return PackPlan(tuple(versions), tuple(plan_codes(pack.tables.values())), tuple(retitled), same, tuple(refused))


def _fresh_versions(
    fresh: Sequence[Register], group: Sequence[Register], there: dict[int, RegisterVersion], refused: list[str]
) -> list[VersionPlan]:
    known = {number: from_json(version.schema) for number, version in there.items()}
    known |= {one.version: one for one in group}
    plans = []
    for one in sorted(fresh, key=lambda each: each.version):
        earlier = [number for number in known if number < one.version]
        if not earlier:
            plans.append(VersionPlan(one))
            continue
        before = known[max(earlier)]
        if one.effective_from <= before.effective_from:
            refused.append(
                f"“{one.title}”第 {one.version} 版 {one.effective_from:%Y-%m-%d} 起用，不晚于第 {before.version} 版的"
                f" {before.effective_from:%Y-%m-%d}。请改 effective_from，新版的起用日应在旧版之后"
            )
        changes = tuple(diff_versions(before, one))
        refused += [
            f"“{one.title}”第 {one.version} 版：{change.sentence}" for change in changes if change.fate is Fate.LOST
        ]
        plans.append(VersionPlan(one, changes))
    return plans


def _taken(one: Register) -> str:
    return (
        f"“{one.title}”第 {one.version} 版已经装入，文件里的内容与它不同。"
        f"请把文件里的 version 改为 {one.version + 1}，写上新的 effective_from，再装入"
    )


def content_hash(schema: Register) -> str:
    """Hash of a schema without its code tables: choices are dated rows of their own and change without a version."""
    return schema_hash(replace(schema, tables={}))


def plan_codes(tables: Iterable[CodeTable]) -> list[CodePlan]:
    """What loading code tables would write.

    Rows are matched by code and first day. A pack adds rows, corrects labels and ends rows; what the office added,
    renamed or ended stays, so that loading the same pack again never takes an office's change back.
    """
    wanted = list(tables)
    rows: dict[str, dict[tuple[str, dt.date | None], CodeRow]] = defaultdict(dict)
    for row in CodeRow.objects.filter(table__in=[one.name for one in wanted]):
        rows[row.table][row.code, row.starts_on] = row
    plans = []
    for table in wanted:
        for order, item in enumerate(table.items):
            there = rows[table.name].get((item.code, item.from_))
            ends_on = item.until
            if there is not None:
                ends_on = there.ends_on or item.until
                if (there.label, there.order, there.ends_on, there.table_title) == (
                    item.label,
                    order,
                    ends_on,
                    table.title,
                ):
                    continue
            was = "" if there is None else there.label
            plans.append(
                CodePlan(
                    table.name,
                    table.title,
                    item.code,
                    item.label,
                    order,
                    item.from_,
                    ends_on,
                    None if there is None else there.pk,
                    was,
                )
            )
    return plans


def next_change() -> dt.datetime:
    """The moment for `changed_at` of code rows: now, but always after the newest, because caches go by it."""
    newest = CodeRow.objects.order_by("-changed_at").values_list("changed_at", flat=True).first()
    at = clock.now()
    return at if newest is None or newest < at else newest + dt.timedelta(microseconds=1)


def write_codes(plans: Sequence[CodePlan]) -> None:
    """Write planned code rows. To be called inside an audited action."""
    at = next_change()
    ended = [one for one in plans if one.row_id is not None]
    for one in ended:
        CodeRow.objects.filter(pk=one.row_id).update(
            table_title=one.table_title, label=one.label, order=one.order, ends_on=one.ends_on, changed_at=at
        )
    CodeRow.objects.bulk_create(
        [
            CodeRow(
                table=one.table,
                table_title=one.table_title,
                code=one.code,
                label=one.label,
                order=one.order,
                starts_on=one.starts_on,
                ends_on=one.ends_on,
                changed_at=at,
            )
            for one in plans
            if one.row_id is None
        ],
        batch_size=500,
    )


def write_version(row: RegisterRow, schema: Register, source: str) -> RegisterVersion:
    """Store one version of a schema. To be called inside an audited action."""
    made = RegisterVersion.objects.create(
        register=row,
        number=schema.version,
        effective_from=schema.effective_from,
        schema=to_json(schema),
        hash=content_hash(schema),
        loaded_at=clock.now(),
        source=source,
    )
    reslot_if_moved(row)
    return made


def office_named(words: str) -> Unit | None:
    """The department that a register names as the office in charge, by its code or by its name of today."""
    if not words:
        return None
    departments = list(Unit.objects.filter(level=Unit.Level.DEPARTMENT))
    names = facts_at([one.pk for one in departments], clock.today())
    for one in departments:
        facts = names.get(one.pk)
        if words == one.code or (facts is not None and words in (facts.name, facts.short_name)):
            return one
    return None
