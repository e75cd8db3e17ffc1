"""Code tables as pages show them: where each is used, which choices hold, which ended, what they were called."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.refusals import NotFoundError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.ledgers import registry
from jiaoheng.registers.model import CodeItem, CodeTable


@dataclass(frozen=True, slots=True)
class CodeLine:
    """One table in the list of tables."""

    name: str
    title: str
    holding: int
    ended: int
    used: str


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """One choice: what it is called today, since when and until when, what it was called before."""

    code: str
    label: str
    since: dt.date | None
    until: dt.date | None
    state: str  # 在用, 将于 … 停用, 已停用, 还没起用
    tone: str
    before: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CodePage:
    """One table."""

    name: str
    title: str
    entries: tuple[CodeEntry, ...]
    used: tuple[str, ...]
    summary: str
    chosen: CodeEntry | None


def access_codes(account: Account, name: object) -> CodeTable:
    """A code table; like schemas they are no secret to whoever reads any unit."""
    found = registry.code_tables().get(str(name))
    if found is None or not scope_of(account, Can.READ):
        raise NotFoundError
    return found


def code_lines(account: Account) -> list[CodeLine]:
    """Every table, by title."""
    if not scope_of(account, Can.READ):
        return []
    used, today = _used(), clock.today()
    made = []
    for table in registry.code_tables().values():
        entries = _entries(table, today)
        ended = sum(one.until is not None and one.until <= today for one in entries)
        words = "、".join(used[table.name][:3])
        more = f" 等 {len(used[table.name])} 处" if len(used[table.name]) > 3 else ""
        made.append(CodeLine(table.name, table.title, len(entries) - ended, ended, words + more))
    return sorted(made, key=lambda one: one.title)


def code_page(table: CodeTable, chosen: str = "") -> CodePage:
    """One table; `chosen`: the code whose form is open."""
    today = clock.today()
    entries = _entries(table, today)
    ended = sum(one.until is not None and one.until <= today for one in entries)
    summary = f"{len(entries) - ended} 个选项在用" + (f"，{ended} 个已停用" if ended else "")
    return CodePage(
        table.name,
        table.title,
        tuple(entries),
        tuple(_used()[table.name]),
        summary,
        next((one for one in entries if one.code == chosen), None),
    )


def _used() -> dict[str, list[str]]:
    """Table → the fields that use it, in words."""
    found: dict[str, list[str]] = defaultdict(list)
    for schema in registry.schemas().values():
        for one in schema.fields:
            if one.codes:
                found[one.codes].append(f"{schema.title}的{one.title}")
    return found


def _entries(table: CodeTable, today: dt.date) -> list[CodeEntry]:
    groups: dict[str, list[CodeItem]] = defaultdict(list)
    for item in table.items:
        groups[item.code].append(item)
    return [_entry(items, today) for items in groups.values()]


def _entry(items: list[CodeItem], today: dt.date) -> CodeEntry:
    items = sorted(items, key=lambda one: one.from_ or dt.date.min)
    newest = items[-1]
    now = next((one for one in reversed(items) if one.from_ is None or one.from_ <= today), items[0])
    until = newest.until
    if until is not None and until <= today:
        state, tone = f"{until:%Y-%m-%d} 停用", "none"
    elif now.from_ is not None and now.from_ > today:
        state, tone = f"{now.from_:%Y-%m-%d} 起用", "pause"
    elif until is not None:
        state, tone = f"在用，{until:%Y-%m-%d} 起停用", "soon"
    else:
        state, tone = "在用", "ok"
    before = [f"{one.label}（{_span(one)}）" for one in items if one is not now]
    return CodeEntry(newest.code, now.label, items[0].from_, until, state, tone, tuple(before))


def _span(one: CodeItem) -> str:
    if one.from_ is not None and one.until is not None:
        return f"{one.from_:%Y-%m-%d} 起，{one.until:%Y-%m-%d} 前"
    if one.until is not None:
        return f"{one.until:%Y-%m-%d} 前"
    return f"{one.from_:%Y-%m-%d} 起" if one.from_ is not None else "一直"
