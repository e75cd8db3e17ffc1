"""What a list is asked for: period, unit, filters, sort, columns, as-of; from a page's parameters and back."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.refusals import RefusedError

PAGE = 100
MOST = 500  # rows of a page
_FIRST, _LAST = 1900, 2200  # years of a moment
OPERATORS = ("is", "in", "from", "to", "begins", "blank", "filled")


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition on one column: `is`, `in`, `from`, `to`, `begins` with values, `blank` and `filled` without."""

    field: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A list of a register's records. Empty `columns`: the register's own choice; `record_ids`: only those ticked.

    `sort`: a filterable field, "unit" or "" (by the record's name). `as_of`: a moment; the records as they stood then.
    """

    period_id: int | None = None
    unit_id: int | None = None
    filters: tuple[Filter, ...] = ()
    text: str = ""
    sort: str = ""
    descending: bool = False
    columns: tuple[str, ...] = ()
    as_of: dt.datetime | None = None
    record_ids: tuple[int, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The query as a saved view keeps it."""
        return {
            "period": self.period_id,
            "unit": self.unit_id,
            "filters": [[one.field, one.operator, *one.values] for one in self.filters],
            "text": self.text,
            "sort": self.sort,
            "descending": self.descending,
            "columns": list(self.columns),
            "as_of": self.as_of.isoformat() if self.as_of else None,
        }

    def as_pairs(self, **changes: Any) -> list[tuple[str, str]]:
        """The query as URL parameters, as `from_parameters` reads them; `changes` replace attributes first."""
        one = replace(self, **changes)
        pairs = [(f"f.{f.field}.{f.operator}", value) for f in one.filters for value in (f.values or ("1",))]
        pairs += [("period", str(one.period_id))] if one.period_id else []
        pairs += [("unit", str(one.unit_id))] if one.unit_id else []
        pairs += [("q", one.text)] if one.text else []
        pairs += [("sort", ("-" if one.descending else "") + one.sort)] if one.sort or one.descending else []
        pairs += [("columns", ",".join(one.columns))] if one.columns else []
        pairs += [("as_of", one.as_of.isoformat())] if one.as_of else []
        return pairs + [("id", str(pk)) for pk in one.record_ids]


def from_dict(saved: Mapping[str, Any]) -> ListQuery:
    """A saved view's query; what is unknown in it is left out."""
    filters = [
        Filter(str(one[0]), str(one[1]), tuple(str(value) for value in one[2:]))
        for one in saved.get("filters", [])
        if len(one) > 1 and one[1] in OPERATORS
    ]
    return ListQuery(
        period_id=saved.get("period"),
        unit_id=saved.get("unit"),
        filters=tuple(filters),
        text=str(saved.get("text", "")),
        sort=str(saved.get("sort", "")),
        descending=bool(saved.get("descending")),
        columns=tuple(str(one) for one in saved.get("columns", [])),
        as_of=dt.datetime.fromisoformat(saved["as_of"]) if saved.get("as_of") else None,
    )


def from_parameters(pairs: Mapping[str, Sequence[str]]) -> ListQuery:
    """A query from URL parameters: `f.FIELD.OPERATOR`, `q`, `sort` (-field: descending), `columns`, `period`, `unit`,
    `as_of` (a day counts to its end), `id`. Raises RefusedError `list-parameter`, naming what cannot be read.
    """

    def one(name: str) -> str:
        found = pairs.get(name) or [""]
        return found[-1].strip()

    filters: list[Filter] = []
    for name, values in pairs.items():
        if not name.startswith("f."):
            continue
        _f, field, operator = [*name.split(".", 2), "is"][:3]
        if operator not in OPERATORS:
            raise _unreadable("筛选方式", operator)
        given = tuple(value.strip() for value in values if value.strip())
        if given:
            several = operator == "is" and len(given) > 1
            filters.append(Filter(field, "in" if several else operator, given))
    sort = one("sort")
    return ListQuery(
        period_id=_number("期次", one("period")),
        unit_id=_number("单位", one("unit")),
        filters=tuple(filters),
        text=one("q")[:100],
        sort=sort.lstrip("-"),
        descending=sort.startswith("-"),
        columns=tuple(name for name in one("columns").split(",") if name),
        as_of=_moment(one("as_of")),
        record_ids=tuple(found for text in pairs.get("id", []) if (found := _number("编号", text)) is not None),
    )


def _number(title: str, text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise _unreadable(title, text)
    return int(text)


def _moment(text: str) -> dt.datetime | None:
    if not text:
        return None
    try:
        found = clock.at_end_of(dt.date.fromisoformat(text)) if len(text) == 10 else dt.datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise _unreadable("时点", text) from None
    if not _FIRST <= found.year <= _LAST:  # beyond, a change of zone leaves what a calendar can hold
        raise _unreadable("时点", text)
    return found if found.tzinfo else found.replace(tzinfo=clock.BEIJING)


def _unreadable(title: str, text: str) -> RefusedError:
    return RefusedError("list-parameter", f"{title}“{text[:40]}”无法识别，请从页面上重新选择")


def cursor_text(key: str | None, record_id: int) -> str:
    """Where a page ends, as the next page's `after`."""
    return base64.urlsafe_b64encode(orjson.dumps([key, record_id])).decode().rstrip("=")


def cursor_of(text: str) -> tuple[str | None, int]:
    """The end of the page before. RefusedError `list-parameter` for what is no cursor of ours."""
    try:
        key, record_id = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, TypeError, binascii.Error):
        raise _unreadable("翻页位置", text) from None
    if not isinstance(record_id, int) or not (key is None or isinstance(key, str)):
        raise _unreadable("翻页位置", text)
    return key, record_id
