"""What can be wrong between values: two rows with one key, rules between fields, jumps against the last period."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from jiaoheng.registers.masking import mask_field
from jiaoheng.registers.model import CheckLevel, Data, Field, FieldType, Register, Wrong
from jiaoheng.registers.rules import Expression, Message, RuleError, parse_rule
from jiaoheng.registers.values import show
from jiaoheng.registers.values_numbers import grouped, plain

Found = Iterator[tuple[int, Wrong]]


def duplicates(
    register: Register,
    data: Sequence[Data],
    units: Sequence[str | None],
    name_row: Callable[[int, str], str],
    once_each: bool = True,
) -> Found:
    """Rows whose key (with the unit) or unique value stands in an earlier row; the earlier one is named."""
    if once_each:
        yield from _same_keys(register, data, units, name_row)
    for one in register.fields:
        if one.unique and register.key != (one.name,):
            yield from _same_values(one, [None] * len(data), data, name_row)
        elif one.once_a_unit:
            yield from _same_values(one, units, data, name_row)


def _same_keys(
    register: Register, data: Sequence[Data], units: Sequence[str | None], name_row: Callable[[int, str], str]
) -> Found:
    keys: list[Any] = [units, *([row.get(name) for row in data] for name in register.key)]
    rows = list(zip(*keys, strict=True))
    if len(set(rows)) == len(rows):
        return
    first: dict[Any, int] = {}
    place = register.key[0] if register.key else ""
    titles = "、".join(register.by_name[name].title for name in register.key)
    for row, key in enumerate(rows):
        if None in key[1:]:
            continue  # a missing part is told by itself
        before = first.setdefault(key, row)
        if before != row:
            told = (
                f"{titles}与 {name_row(before, place)} 相同" if titles else f"本单位已有一行：{name_row(before, place)}"
            )
            yield row, Wrong("key-repeated", place, told, "同一条只能有一行，请核对后改正或删去一行")


def _same_values(
    one: Field, units: Sequence[str | None], data: Sequence[Data], name_row: Callable[[int, str], str]
) -> Found:
    values = [row.get(one.name) for row in data]
    present: list[Any] = [(unit, value) for unit, value in zip(units, values, strict=True) if value is not None]
    if not present or isinstance(present[0][1], list) or len(set(present)) == len(present):
        return
    first: dict[Any, int] = {}
    for row, value in enumerate(values):
        if value is None:
            continue
        before = first.setdefault((units[row], value), row)
        if before != row:
            shown = mask_field(value, one)
            told = f"{one.title}“{shown}”与 {name_row(before, one.name)} 相同"
            yield row, Wrong("value-repeated", one.name, told, "这一项不能重复，请核对后改正")


def broken_rules(
    register: Register,
    data: Sequence[Data],
    previous: Sequence[Data | None] | None,
    today: dt.date,
    at: dt.date,
    wrongs: Mapping[int, Sequence[Wrong]],
) -> Found:
    """Rows for which a rule does not hold; a rule that reads a value which is wrong already says nothing more."""
    for check in register.checks:
        try:
            rule, message = parse_rule(check.rule, register.by_name), Message(check.message, register.by_name)
        except RuleError:
            continue  # the loader refuses such a pack; a register made by hand has no say here
        for row in _failing(rule, data, previous, today):
            if any(w.field in rule.fields and w.level is CheckLevel.BLOCK for w in wrongs.get(row, ())):
                continue
            last = previous[row] if previous is not None else None
            told = message.fill(data[row], today, last, lambda name, value: _printed(register, name, value, at))
            told = told.rstrip("。")  # who joins message and remedy sets the stop
            remedy = "" if "请" in told else "请核对这几项"  # most rules of a pack say themselves what to do
            for name in check.fields or rule.fields or ("",):
                yield row, Wrong(f"rule-{check.name}", name, told, remedy, check.level)


def _failing(
    rule: Expression, data: Sequence[Data], previous: Sequence[Data | None] | None, today: dt.date
) -> list[int]:
    """Numbers of the rows that break the rule. Without the last period each different combination is judged once."""
    if rule.last_fields:
        lasts: Sequence[Data | None] = previous or [None] * len(data)
        pairs = enumerate(zip(data, lasts, strict=True))
        return [row for row, (one, last) in pairs if rule.holds(one, today, last) is False]
    columns = [[row.get(name) for row in data] for name in rule.fields]
    combinations: list[Any] = list(zip(*columns, strict=True))
    try:
        different = set(combinations)
    except TypeError:  # lists of choices
        return [row for row, one in enumerate(data) if rule.holds(one, today) is False]
    bad = {
        values
        for values in different
        if rule.holds({n: v for n, v in zip(rule.fields, values, strict=True) if v is not None}, today) is False
    }
    return [row for row, values in enumerate(combinations) if values in bad] if bad else []


def _printed(register: Register, name: str, value: Any, at: dt.date) -> str:
    one = register.by_name[name]
    if value is None:
        return "—"
    if one.sensitive:
        return mask_field(str(value), one)
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    return show(value, one, register, at)


def jumps(register: Register, data: Sequence[Data], previous: Sequence[Data | None] | None, at: dt.date) -> Found:
    """Numbers that moved against the last period by more than the field allows: a sentence is asked, nothing refused."""
    if previous is None:
        return
    for one in register.fields:
        if one.jump is None or one.type not in (FieldType.INTEGER, FieldType.NUMBER):
            continue
        for row, (new, old) in enumerate(zip(data, previous, strict=True)):
            if old is None or one.name not in new or one.name not in old or new[one.name] == old[one.name]:
                continue
            was, now = Decimal(str(old[one.name])), Decimal(str(new[one.name]))
            change = abs(now - was) / abs(was) if was else None
            if change is None or change > one.jump:
                yield row, _jump(one, was, now)


def _jump(one: Field, was: Decimal, now: Decimal) -> Wrong:
    assert one.jump is not None  # noqa: S101 (for the type checker)
    share = f"，{'增加' if now > was else '减少'} {plain(round(abs(now - was) / abs(was) * 100, 1))}%" if was else ""
    unit = f" {one.unit}" if one.unit else ""
    told = f"本期 {grouped(now)}{unit}，上期 {grouped(was)}{unit}{share}，超过 {plain(one.jump * 100)}%"
    return Wrong("jump", one.name, told, "请核对；无误的请写明原因", CheckLevel.WARN)
