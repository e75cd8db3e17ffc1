"""Whether a set says what the standard asks: needed values, dates, choices, ids once, references with a target."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping

from jiaoheng.registers.oneroster.model import TABLES, Column, Mode, RosterProblem, RosterSet, Row

Known = Mapping[str, frozenset[str]]
_ID = re.compile(r"[!-~]{1,255}")
_YEAR = re.compile(r"\d{4}")
_FLAGS = ("true", "false")


def check_roster(roster: RosterSet, known: Known | None = None) -> list[RosterProblem]:
    """Every problem, by file and line; `known`: table → ids that the receiver has, for references out of a delta."""
    there = {name: {row.get("sourcedId", "") for row in roster.rows.get(name, [])} for name in TABLES}
    for name, ids in (known or {}).items():
        there[name] |= ids
    found: list[RosterProblem] = []
    for name, columns in TABLES.items():
        mode = roster.modes.get(name, Mode.ABSENT)
        if mode is Mode.ABSENT:
            continue
        seen: dict[str, int] = {}
        for line, row in roster.of(name):
            told = list(_row(columns, row, mode, there))
            key = row.get("sourcedId", "")
            if key and key in seen:
                told.append((f"sourcedId“{key[:60]}”与第 {seen[key]} 行相同", "请只留一行"))
            seen.setdefault(key, line)
            found += [RosterProblem(f"{name}.csv", line, message, remedy) for message, remedy in told]
    return found


Told = tuple[str, str]


def _row(columns: tuple[Column, ...], row: Row, mode: Mode, there: Mapping[str, set[str]]) -> Iterator[Told]:
    key = row.get("sourcedId", "")
    if key and not _ID.fullmatch(key):
        yield f"sourcedId“{key[:60]}”应是 1 到 255 个可见的英文字符", "请改正"
    for name in ("status", "dateLastModified"):
        if mode is Mode.BULK and row.get(name):
            yield f"{name} 在 bulk 文件里应空着", "请清空，或把文件改为 delta"
        elif mode is Mode.DELTA and not row.get(name):
            yield f"{name} 在 delta 文件里必填", "请补上"
    if row.get("status") == "tobedeleted":
        return  # of a row that ends only its id matters
    for one in columns:
        text = row.get(one.name, "")
        if not text:
            if one.needed:
                yield f"{one.name} 空着", "请补上"
            continue
        yield from _value(one, text, there)
    begins, ends = (row.get(name, "") for name in ("beginDate", "endDate"))
    if begins and ends and _is_day(begins) and _is_day(ends) and ends < begins:
        yield f"endDate {ends} 早于 beginDate {begins}", "请改正其中一个"


def _value(one: Column, text: str, there: Mapping[str, set[str]]) -> Iterator[Told]:
    shown = text[:60]
    if one.choices and text not in one.choices:
        yield f"{one.name}“{shown}”应为 {'、'.join(one.choices)} 之一", "请改正"
    elif one.kind == "date" and not _is_day(text):
        yield f"{one.name}“{shown}”不是日期", "请按 2025-09-01 的样子填写"
    elif one.kind == "moment" and not _is_moment(text):
        yield f"{one.name}“{shown}”不是时刻", "请按 2025-09-01T08:00:00.000Z 的样子填写"
    elif one.kind == "year" and not _YEAR.fullmatch(text):
        yield f"{one.name}“{shown}”不是年份", "请按 2026 的样子填写"
    elif one.kind == "flag" and text not in _FLAGS:
        yield f"{one.name}“{shown}”应为 true 或 false", "请改正"
    if one.target:
        for key in text.split(",") if one.several else [text]:
            if key.strip() not in there[one.target]:
                yield f"{one.name}“{key.strip()[:60]}”在 {one.target} 里没有", "请核对，或先交换那一张表"


def _is_day(text: str) -> bool:
    try:
        return len(text) == 10 and bool(dt.date.fromisoformat(text))
    except ValueError:
        return False


def _is_moment(text: str) -> bool:
    try:
        return bool(dt.datetime.fromisoformat(text)) and len(text) > 10
    except ValueError:
        return False
