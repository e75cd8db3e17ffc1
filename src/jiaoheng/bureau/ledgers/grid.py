"""The table in which a unit's rows of one register are typed or pasted at once: its columns, rows and texts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Account, Period, Unit
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.tree import name_of
from jiaoheng.bureau.ledgers.changes import carried
from jiaoheng.bureau.ledgers.checking import Place
from jiaoheng.bureau.ledgers.field_forms import field_form, kind_of
from jiaoheng.bureau.ledgers.models import RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.models.records import CURRENT
from jiaoheng.bureau.ledgers.record_places import check_place_open, place_of_new
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.registers.model import Data, Field, Register

MOST_ROWS = 200  # more go by Excel, with its preview
BLANK_ROWS = 5
_APART = ("secret", "file", "photo", "checkboxes")  # what a cell of a table cannot hold


@dataclass(frozen=True, slots=True)
class GridLine:
    """One row as it came: texts by field, the record and the version that was open (None for a new row)."""

    values: Mapping[str, str]
    record_id: int | None = None
    base: int | None = None

    @property
    def blank(self) -> bool:
        """A row in which nobody typed anything."""
        return self.record_id is None and not any(text.strip() for text in self.values.values())


@dataclass(frozen=True, slots=True)
class GridColumn:
    """One column. `choices`: (value, label) of a list, empty for typing; `keyboard`: HTML inputmode."""

    name: str
    title: str
    unit: str
    required: bool
    numeric: bool
    keyboard: str
    choices: tuple[tuple[str, str], ...]
    max_length: int | None


@dataclass(frozen=True, slots=True)
class GridCell:
    """A column with the text in one row, and what is wrong there."""

    column: GridColumn
    text: str
    error: str


@dataclass(frozen=True, slots=True)
class GridRow:
    """One row of inputs. `number` counts from 0 and names the inputs; `error` is of the row as a whole."""

    number: int
    record_id: int | None
    base: int | None
    cells: tuple[GridCell, ...]
    error: str


@dataclass(frozen=True, slots=True)
class Grid:
    """The whole table, ready worded. `blank`: the cells of a row to be added; `apart`: fields that are not in it."""

    register: str
    title: str
    unit_id: int
    unit_name: str
    period_id: int | None
    period_name: str
    rows: tuple[GridRow, ...]
    blank: tuple[GridCell, ...]
    there: int
    apart: tuple[str, ...] = field(default=())


def grid_place(account: Account, register: RegisterRow, unit: Unit, period: Period | None) -> Place:
    """The place whose rows may be typed in a table. RefusedError `grid-no-list`, `grid-field`; those of the doors."""
    place = place_of_new(register, unit, period, account)
    if not place.schema.key:
        raise RefusedError("grid-no-list", f"“{place.schema.title}”每个单位只有一条，请逐项填报")
    needed = _needed_apart(place.schema, place.day)
    if needed:
        told = f"“{place.schema.title}”的必填项“{'、'.join(needed)}”不能在表格里填，请逐条填，或用 Excel 导入"
        raise RefusedError("grid-field", told)
    return place


def grid_of(
    account: Account,
    register: RegisterRow,
    unit: Unit,
    period: Period | None,
    *,
    typed: Sequence[GridLine] | None = None,
    places: Mapping[str, str] | None = None,
    more: int = 0,
) -> Grid:
    """The table of a unit's rows with blank ones below; `typed` and `places` ("row|field" → sentence) after a refusal.

    Raises RefusedError `grid-too-many` beyond MOST_ROWS rows, and those of `grid_place`.
    """
    place = grid_place(account, register, unit, period)
    check_place_open(place, account)
    columns = _columns(place)
    lines = list(typed) if typed is not None else _lines_there(place)
    there = sum(one.record_id is not None for one in lines)
    lines += [GridLine({})] * (more or (BLANK_ROWS if typed is None else 0))
    said = places or {}
    return Grid(
        register=register.name,
        title=place.schema.title,
        unit_id=unit.pk,
        unit_name=name_of(unit, place.day),
        period_id=period.pk if period is not None else None,
        period_name=period.name if period is not None else "",
        rows=tuple(_row(number, line, columns, said) for number, line in enumerate(lines)),
        blank=tuple(GridCell(one, "", "") for one in columns),
        there=there,
        apart=tuple(one.title for one in place.schema.fields if _is_apart(place, one)),
    )


def fits_table(register: RegisterRow) -> bool:
    """Whether a register's rows can be typed in a table: several a unit, nothing required that a cell cannot hold."""
    schema = schema_of(register)
    return bool(schema.key) and not _needed_apart(schema, clock.today())


def _needed_apart(schema: Register, day: dt.date) -> list[str]:
    return [
        one.title
        for one in schema.fields
        if kind_of(schema, one, day) in _APART and (one.required or one.name in schema.key)
    ]


def _is_apart(place: Place, one: Field) -> bool:
    return kind_of(place.schema, one, place.day) in _APART


def _columns(place: Place) -> list[GridColumn]:
    found = []
    for one in place.schema.fields:
        if _is_apart(place, one):
            continue
        shown = field_form(place.schema, one, place.day, {})
        found.append(
            GridColumn(
                name=one.name,
                title=one.title,
                unit=one.unit,
                required=shown.required,
                numeric=shown.kind in ("integer", "number"),
                keyboard=shown.keyboard,
                choices=tuple((choice.value, choice.label) for choice in shown.choices),
                max_length=one.max_length,
            )
        )
    return found


def _lines_there(place: Place) -> list[GridLine]:
    rows = RecordVersion.objects.filter(CURRENT, register=place.row, unit=place.unit, period=place.period)
    versions = list(rows.order_by("record_id")[: MOST_ROWS + 1])
    if len(versions) > MOST_ROWS:
        told = f"这个单位已有 {rows.count():,} 条，表格里最多 {MOST_ROWS} 条，请用 Excel 导入"
        raise RefusedError("grid-too-many", told)
    return [_line_of(place, one, carried(place.schema, one.data)) for one in versions]


def _line_of(place: Place, version: RecordVersion, data: Data) -> GridLine:
    kept = [one for one in place.schema.fields if not _is_apart(place, one)]
    values = {one.name: field_form(place.schema, one, place.day, data).text for one in kept}
    return GridLine(values, version.record_id, version.number)


def _row(number: int, line: GridLine, columns: Sequence[GridColumn], said: Mapping[str, str]) -> GridRow:
    cells = tuple(
        GridCell(
            _holding(one, line.values.get(one.name, "")),
            line.values.get(one.name, ""),
            said.get(f"{number}|{one.name}", ""),
        )
        for one in columns
    )
    return GridRow(number, line.record_id, line.base, cells, said.get(f"{number}|", ""))


def _holding(column: GridColumn, text: str) -> GridColumn:
    """A list keeps what stands in the cell though it is no choice (any more): typed text is never lost."""
    if not column.choices or not text or text in {value for value, _ in column.choices}:
        return column
    return GridColumn(
        column.name, column.title, column.unit, column.required, column.numeric, column.keyboard,
        (*column.choices, (text, text)), column.max_length,
    )  # fmt: skip
