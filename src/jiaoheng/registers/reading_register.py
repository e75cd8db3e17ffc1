"""A register from its YAML or its stored JSON: the keys at the top, then the fields, then what holds between them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace

from jiaoheng.registers.checking import Reader, did_you_mean
from jiaoheng.registers.model import (
    SLOTS,
    CheckLevel,
    CodeTable,
    Field,
    FieldType,
    FillPlan,
    Level,
    PeriodKind,
    Register,
    RowCheck,
)
from jiaoheng.registers.reading_codes import read_items
from jiaoheng.registers.reading_fields import read_field
from jiaoheng.registers.rules import Message, RuleError, parse_rule
from jiaoheng.registers.yaml_places import Spot

OWN_KEYS = (
    "version",
    "effective_from",
    "level",
    "period",
    "fill",
    "checks",
    "department",
    "source",
    "mechanisms",
    "dropped",
    "retention_years",
    "tables",
)
# missingValues: our readers know blanks; foreignKeys: Table Schema's way of writing `reference`
KEYS = ("name", "title", "description", "fields", "primaryKey", "missingValues", "foreignKeys", *OWN_KEYS)
_CHECK_KEYS = ("name", "rule", "message", "level", "fields")
# types whose value can say which record a row is
_KEY_TYPES = (FieldType.STRING, FieldType.INTEGER, FieldType.DATE, FieldType.YEAR, FieldType.YEARMONTH)


def read_register(spot: Spot, reader: Reader) -> Register:
    """The register with the tables written inside it; `linking` adds those of the pack."""
    entries = reader.mapping(
        spot, KEYS, "台账", needed=("name", "title", "version", "effective_from", "level", "period", "fields")
    )
    name = reader.name(entries.get("name"), "name")
    title = reader.text(entries.get("title"), "title")
    fields, tables, lines = _fields(entries.get("fields"), name, reader)
    tables |= _tables(entries.get("tables"), reader)
    _foreign_keys(entries.get("foreignKeys"), fields, reader)
    by_name = {one.name: one for one in fields}
    key = _key(entries.get("primaryKey"), by_name, reader)
    checks = _checks(entries.get("checks"), by_name, reader)
    dropped = reader.texts(entries.get("dropped"), "dropped")
    _earlier_names(fields, lines, dropped, entries.get("dropped"), reader)
    _slots(fields, lines, reader)
    return Register(
        name=name,
        title=title,
        version=reader.integer(entries.get("version"), "version", least=1) or 1,
        effective_from=reader.date(entries.get("effective_from"), "effective_from") or dt.date(2000, 1, 1),
        level=reader.choice(entries.get("level"), "level", Level, Level.SCHOOL),
        period=reader.choice(entries.get("period"), "period", PeriodKind, PeriodKind.NONE),
        fields=tuple(fields),
        key=key,
        checks=checks,
        fill=_fill(entries.get("fill"), reader),
        description=reader.text(entries.get("description"), "description"),
        source=reader.text(entries.get("source"), "source"),
        mechanisms=reader.texts(entries.get("mechanisms"), "mechanisms"),
        dropped=dropped,
        department=reader.text(entries.get("department"), "department"),
        retention_years=reader.integer(entries.get("retention_years"), "retention_years", least=1),
        tables=tables,
    )


def _fields(
    spot: Spot | None, register: str, reader: Reader
) -> tuple[list[Field], dict[str, CodeTable], dict[str, int]]:
    """Fields, tables made of enums, and field name → line."""
    fields: list[Field] = []
    tables: dict[str, CodeTable] = {}
    lines: dict[str, int] = {}
    titles: dict[str, int] = {}
    for one in reader.items(spot, "fields"):
        found, table = read_field(one, reader, register)
        if table is not None:
            tables[table.name] = table
        if found.name in lines:
            reader.wrong(
                one.line, f"字段名“{found.name}”重复，第 {lines[found.name]} 行已有。", "请改其中一个的 name。"
            )
            continue
        if found.title and found.title in titles:
            reader.wrong(
                one.line, f"列名“{found.title}”重复，第 {titles[found.title]} 行已有。", "请改其中一个的 title。"
            )
        lines[found.name] = one.line
        titles.setdefault(found.title, one.line)
        fields.append(found)
    if spot is not None and not fields:
        reader.wrong(spot.line, "台账没有字段。", "请在 fields 下至少写一个字段。")
    return fields, tables, lines


def _tables(spot: Spot | None, reader: Reader) -> dict[str, CodeTable]:
    if spot is None:
        return {}
    found: dict[str, CodeTable] = {}
    for name, one in spot.map.items():
        entries = reader.mapping(one, ("title", "source", "items"), f"代码表“{name}”", needed=("title", "items"))
        title = reader.text(entries.get("title"), "title")
        source = reader.text(entries.get("source"), "source")
        found[name] = CodeTable(name, title, read_items(entries.get("items"), title, reader), source)
    return found


def _foreign_keys(spot: Spot | None, fields: list[Field], reader: Reader) -> None:
    """Table Schema's foreign keys of one column as `reference` of that field."""
    for one in reader.items(spot, "foreignKeys"):
        entries = reader.mapping(one, ("fields", "reference"), "foreignKeys 的一项", needed=("fields", "reference"))
        if "fields" not in entries or "reference" not in entries:
            continue
        inner = reader.mapping(entries["reference"], ("resource", "fields"), "reference", needed=("resource", "fields"))
        own, there = reader.texts(entries["fields"], "fields"), reader.texts(inner.get("fields"), "fields")
        at = next((number for number, field in enumerate(fields) if (field.name,) == own), None)
        if at is None or len(there) != 1:
            reader.wrong(one.line, "foreignKeys 只能是本表的一个字段对另一张台账的一个字段。", "请改正。")
            continue
        fields[at] = replace(fields[at], reference=f"{reader.text(inner.get('resource'), 'resource')}.{there[0]}")


def _key(spot: Spot | None, by_name: Mapping[str, Field], reader: Reader) -> tuple[str, ...]:
    names = reader.texts(spot, "primaryKey")
    for one in names:
        if one not in by_name:
            guess = did_you_mean(one, by_name)
            reader.wrong(spot.line if spot else 0, f"主键里的“{one}”不是本台账的字段。", guess or "请改成字段的 name。")
        elif by_name[one].type not in _KEY_TYPES:
            reader.wrong(
                spot.line if spot else 0,
                f"主键“{one}”的类型是 {by_name[one].type}，不能分清记录。",
                f"主键的类型可以是 {'、'.join(_KEY_TYPES)}。",
            )
        elif not by_name[one].required:
            reader.wrong(
                spot.line if spot else 0, f"主键“{one}”不是必填。", "请在它的 constraints 里写 required: true。"
            )
    return tuple(one for one in names if one in by_name)


def _checks(spot: Spot | None, by_name: Mapping[str, Field], reader: Reader) -> tuple[RowCheck, ...]:
    found: list[RowCheck] = []
    lines: dict[str, int] = {}
    for one in reader.items(spot, "checks"):
        entries = reader.mapping(one, _CHECK_KEYS, "checks 的一项", needed=("name", "rule", "message"))
        name = reader.name(entries.get("name"), "name")
        rule, message = reader.text(entries.get("rule"), "rule"), reader.text(entries.get("message"), "message")
        fields = reader.texts(entries.get("fields"), "fields")
        if name in lines:
            reader.wrong(one.line, f"检查“{name}”重复，第 {lines[name]} 行已有。", "请改名。")
        lines[name] = one.line
        for field in fields:
            if field not in by_name:
                guess = did_you_mean(field, by_name)
                reader.wrong(
                    entries["fields"].line, f"检查“{name}”的 fields 里没有字段“{field}”。", guess or "请改正。"
                )
        try:
            if rule:
                parse_rule(rule, by_name)
        except RuleError as error:
            reader.wrong(entries["rule"].line, f"检查“{name}”：{error.message}", error.remedy)
        try:
            Message(message, by_name)
        except RuleError as error:
            reader.wrong(entries["message"].line, f"检查“{name}”的说明：{error.message}", error.remedy)
        level = reader.choice(entries.get("level"), f"检查“{name}”的 level", CheckLevel, CheckLevel.BLOCK)
        found.append(RowCheck(name, rule, message, level, fields))
    return tuple(found)


def _fill(spot: Spot | None, reader: Reader) -> FillPlan:
    if spot is None:
        return FillPlan()
    entries = reader.mapping(spot, ("filler", "approvers"), "fill", needed=("filler",))
    plan = FillPlan()
    approvers = reader.texts(entries["approvers"], "approvers") if "approvers" in entries else plan.approvers
    return FillPlan(reader.name(entries.get("filler"), "filler") or plan.filler, approvers)


def _earlier_names(
    fields: Sequence[Field], lines: Mapping[str, int], dropped: Sequence[str], spot: Spot | None, reader: Reader
) -> None:
    """One earlier name leads to one field, and neither it nor a dropped field stands in this version."""
    owner: dict[str, str] = {}
    for one in fields:
        for old in one.renamed_from:
            if old in lines:
                reader.wrong(
                    lines[one.name], f"字段“{one.name}”写了改自“{old}”，但本版还有字段“{old}”。", "请改正其中一处。"
                )
            if old in owner:
                reader.wrong(
                    lines[one.name],
                    f"旧字段“{old}”同时改成了“{owner[old]}”和“{one.name}”。",
                    "一个旧字段只能改成一个新字段。",
                )
            owner[old] = one.name
    for old in dropped:
        if old in lines:
            reader.wrong(
                spot.line if spot else 0, f"dropped 里的“{old}”在本版还有。", "请从 dropped 或 fields 中删去。"
            )
        if old in owner:
            reader.wrong(
                spot.line if spot else 0, f"“{old}”既写在 dropped，又写成改名为“{owner[old]}”。", "请只留一处。"
            )


def _slots(fields: Sequence[Field], lines: Mapping[str, int], reader: Reader) -> None:
    chosen = [one for one in fields if one.filter]
    for one in chosen:
        if not one.slot_type:
            reader.wrong(lines[one.name], f"字段“{one.name}”的类型是 {one.type}，不能筛选排序。", "请删去 filter。")
    if len(chosen) > SLOTS:
        extra = chosen[SLOTS]
        reader.wrong(
            lines[extra.name], f"可筛选的字段有 {len(chosen)} 个，最多 {SLOTS} 个。", "请去掉不常用的 filter。"
        )
