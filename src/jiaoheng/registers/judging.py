"""One file from its columns to its differences: the whole check of an import in one call, without a database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jiaoheng.registers.collecting import uncollected
from jiaoheng.registers.differences import Current, Differences, Matched, RowState, clashes, compare, match, settle
from jiaoheng.registers.model import CheckLevel, Data, Wrong
from jiaoheng.registers.template_marks import PERIOD, UNIT
from jiaoheng.registers.validation import Checked, Parsed, check_rows, parse_rows
from jiaoheng.registers.workbook_reading_model import Filled
from jiaoheng.sheets.places import Place, Problem, Severity
from jiaoheng.sheets.text import cell_text, fold


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows may be in the file. `units`: code → name; `unit`, `period`: where the file does not say.

    `periods`: those that may be written; empty: only `period`. `period_names`: name → code, as exports write them.
    """

    units: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    period: str = ""
    periods: frozenset[str] = frozenset()
    period_names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judged:
    """What an import would do. `units`, `periods`: of each row; `problems`: every remark with its cell."""

    filled: Filled
    differences: Differences
    checked: Checked
    units: tuple[str | None, ...]
    periods: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def clean(self) -> bool:
        """Whether every row can be stored: nothing refused, nothing wrong."""
        return not self.filled.refused and not self.differences.count(RowState.WRONG)


@uncollected()
def judge(
    filled: Filled,
    *,
    at: dt.date,
    scope: Scope,
    current: Sequence[Current] = (),
    previous: Mapping[tuple[str, ...], Data] | None = None,
    today: dt.date | None = None,
) -> Judged:
    """Check a filled workbook against the current records.

    at: the day whose choices hold (the period's reference date). current: the records of the units in scope.
    previous: last period's data by (unit, *key values as text) for jumps; today: for rules, `at` unless given.
    """
    register = filled.register
    filled.problems += _misplaced(filled, scope)
    units, wrongs = resolve_units(filled, scope)
    periods, more = _periods(filled, scope)
    parsed = parse_rows(register, filled.cells, at=at, digits=filled.digits)

    def named(row: int, name: str) -> str:
        return _named(filled, row, name)

    matched = match(parsed, current, records=filled.records, units=units, periods=periods, name_row=named)
    _units_of_records(filled, units, matched.records, wrongs, scope)
    settle(parsed, matched, filled.versions)
    checked = check_rows(
        parsed,
        units=[f"{unit}|{period}" for unit, period in zip(units, periods, strict=True)],
        base=_base(parsed, matched),
        previous=_previous(filled, units, parsed, matched, previous),
        today=today,
        name_row=named,
    )
    for row, wrong in [*wrongs, *more, *clashes(parsed, matched, current)]:
        checked.add(row, wrong)
    pairs = {(unit or "", period) for unit, period in zip(units, periods, strict=True)}
    differences = compare(checked, matched, current=current, versions=filled.versions, scope=pairs)
    problems = (*filled.problems, *_problems(filled, checked))
    return Judged(filled, differences, checked, tuple(units), tuple(periods), problems)


def _base(parsed: Parsed, matched: Matched) -> list[Data | None] | None:
    """What stands in the records of the rows; None where all rows are new, which is quicker to check.

    A masked cell of a new row is told like an empty one only beside a list.
    """
    if not any(matched.records) and not any(column.masked for column in parsed.columns.values()):
        return None
    return [one.data if one is not None else None for one in matched.records]


def _misplaced(filled: Filled, scope: Scope) -> list[Problem]:
    """A template made for another period or for a unit outside the scope: its rows must not land here."""
    meta = filled.meta
    if meta is None or meta.kind != "template":
        return []
    place, found = Place(filled.file), []
    if meta.unit and meta.unit not in scope.units:
        told = f"这是单位“{meta.unit_name or meta.unit}”的模板，不在您可以填报的单位中"
        found.append(Problem("template-other-unit", Severity.ERROR, place, told, "请下载本单位的模板填写"))
    allowed = scope.periods or frozenset({scope.period})
    if meta.period and any(allowed) and meta.period not in allowed:
        told = f"这是“{meta.period}”的模板，现在导入的是“{scope.period or '、'.join(sorted(allowed))}”"
        found.append(
            Problem("template-other-period", Severity.ERROR, place, told, "请到那一期上传，或下载本期的模板填写")
        )
    known = {str(problem) for problem in filled.problems}
    return [problem for problem in found if str(problem) not in known]


def resolve_units(filled: Filled, scope: Scope) -> tuple[list[str | None], list[tuple[int, Wrong]]]:
    """Unit code of each row: from its own cell (code or name), the workbook, the line above the table, or the scope.

    A unit outside the scope is answered like one that does not exist.
    """
    by_name: dict[str, str] = {}
    for code, name in scope.units.items():
        by_name[fold(name)] = "" if fold(name) in by_name else code  # a name that two units share names neither
    meta_unit = filled.meta.unit if filled.meta is not None and filled.meta.unit in scope.units else ""
    default = meta_unit or scope.unit or filled.unit_hint or None  # a unit's own template is that unit's
    table: dict[object, str | None] = {None: default}
    for cell in set(filled.units) - {None}:
        text = cell_text(cell) or ""
        table[cell] = text if text in scope.units else (by_name.get(fold(text)) or None) if text else default
    units = [table[cell] for cell in filled.units]
    wrongs: list[tuple[int, Wrong]] = []
    if None in units:
        for row, unit in enumerate(units):
            if unit is None:
                wrongs.append((row, _no_unit(cell_text(filled.units[row]), scope)))
    return units, wrongs


def _no_unit(text: str | None, scope: Scope) -> Wrong:
    if not text:
        return Wrong("unit-missing", UNIT, "没有写单位", "请填单位代码")
    return Wrong("unit-unknown", UNIT, f"无此单位：“{text}”", "请核对单位代码，或从下拉列表中选择")


def _units_of_records(
    filled: Filled,
    units: list[str | None],
    records: Sequence[Current | None],
    wrongs: list[tuple[int, Wrong]],
    scope: Scope,
) -> None:
    """A row made from a record belongs to that record's unit; another unit in its cell is a mistake, not a move."""
    for row, record in enumerate(records):
        if record is None or not record.unit or units[row] == record.unit:
            continue
        if filled.units[row] is None:
            units[row] = record.unit
            wrongs[:] = [one for one in wrongs if one[0] != row or one[1].code != "unit-missing"]
        elif units[row] is not None:
            name = scope.units.get(record.unit, record.unit)
            told = f"这条记录属于“{name}”，表中写的是“{cell_text(filled.units[row])}”"
            wrongs.append((row, Wrong("unit-changed", UNIT, told, "请改回原单位；要转到别的单位请另起一行")))


def _periods(filled: Filled, scope: Scope) -> tuple[list[str], list[tuple[int, Wrong]]]:
    allowed = scope.periods or frozenset({scope.period})
    names = {code: name for name, code in scope.period_names.items()}
    meant = "、".join(names.get(code, code) for code in ([scope.period] if scope.period else sorted(allowed)))
    periods: list[str] = []
    wrongs: list[tuple[int, Wrong]] = []
    for row, written in enumerate(filled.periods):
        period = scope.period_names.get(written or "", written)
        if period and period not in allowed:
            told = f"期次“{written}”不在这次导入的范围"
            wrongs.append((row, Wrong("period-unknown", PERIOD, told, f"这次导入的是“{meant}”")))
        periods.append(period or scope.period)
    return periods, wrongs


def _previous(
    filled: Filled,
    units: Sequence[str | None],
    parsed: Parsed,
    matched: Matched,
    previous: Mapping[tuple[str, ...], Data] | None,
) -> list[Data | None] | None:
    if previous is None:
        return None
    rows = zip(units, parsed.given(), matched.records, strict=True)
    whole = ((unit or "", {**record.data, **data} if record is not None else data) for unit, data, record in rows)
    return [previous.get(previous_key(unit, data, filled.register.key)) for unit, data in whole]


def previous_key(unit: str, data: Data, key: Sequence[str]) -> tuple[str, ...]:
    """The key under which last period's record of a row is found."""
    return (unit, *(str(data.get(name, "")) for name in key))


def _named(filled: Filled, row: int, name: str) -> str:
    """An earlier row in a message: A3, with its sheet where there are several, with its file where there are."""
    place = filled.place(row, name)
    if place.file != filled.file:
        return str(place)
    several = len(set(filled.sheets)) > 1
    return f"工作表“{place.sheet}”{place.cell}" if several and place.sheet else place.cell


_LEVELS = {CheckLevel.BLOCK: Severity.ERROR, CheckLevel.WARN: Severity.WARNING}


def _problems(filled: Filled, checked: Checked) -> list[Problem]:
    """Every remark at its cell, in the order of the file."""
    return [
        Problem(wrong.code, _LEVELS[wrong.level], _place(filled, row, wrong.field), wrong.message, wrong.remedy)
        for row in sorted(checked.wrongs)
        for wrong in checked.wrongs[row]
    ]


def _place(filled: Filled, row: int, name: str) -> Place:
    place = filled.place(row, name)
    key = filled.register.key
    if not place.column and key and not name:
        return filled.place(row, key[0])
    return place
