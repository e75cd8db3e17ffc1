"""Guided changes of units: which questions a change asks, its preview, its confirmation, from text as typed.

Each change goes the same way: answers as text → `preview_of` → the person reads it → `confirm_of` with its basis.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.access import access_unit
from jiaoheng.bureau.core.actions_units import do_add_unit, do_change_facts, do_move_unit, do_rename_unit
from jiaoheng.bureau.core.actions_units_ends import do_close_unit, do_merge_unit, do_reopen_unit, do_split_unit
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Unit
from jiaoheng.bureau.core.refusals import NotFoundError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import facts_at, line_at
from jiaoheng.bureau.core.tree_writing import Seed
from jiaoheng.bureau.core.unit_checks import ABOVE, TITLES, check_reason
from jiaoheng.bureau.core.unit_page import children_of
from jiaoheng.bureau.core.unit_preview import (
    Preview,
    parent_at,
    preview_add,
    preview_close,
    preview_facts,
    preview_merge,
    preview_move,
    preview_split,
)

Typed = Mapping[str, str | list[str]]
_LEVEL = Unit.Level


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of change. `levels`: units that it is offered for; `asks`: fields before day, reason and document."""

    key: str
    title: str
    says: str
    levels: tuple[str, ...]
    asks: tuple[str, ...]


_ALL = (_LEVEL.DEPARTMENT, _LEVEL.DISTRICT, _LEVEL.SCHOOL, _LEVEL.CLASS)
KINDS: tuple[Kind, ...] = (
    Kind("rename", "更名", "换名称，代码不变；之前的台账仍用原名", (_LEVEL.COUNTY, *_ALL), ("name", "short_name")),
    Kind(
        "facts",
        "改类别",
        "改类别、办别、城乡、乡镇",
        (_LEVEL.SCHOOL, _LEVEL.DISTRICT),
        ("kind", "ownership", "locality", "township"),
    ),
    Kind("move", "划转", "换上级单位，例如划入另一学区", (_LEVEL.SCHOOL, _LEVEL.CLASS), ("parent",)),
    Kind("merge", "并入", "并入另一个单位，本单位到那一天为止", _ALL, ("receiver",)),
    Kind(
        "split",
        "分设",
        "分出一个新单位，本单位保留",
        (_LEVEL.SCHOOL, _LEVEL.DISTRICT),
        ("code", "name", "short_name", "children"),
    ),
    Kind("close", "撤销", "到那一天为止，没有接收单位", _ALL, ()),
)
REOPEN = Kind("reopen", "恢复", "撤销办错了，恢复这个单位", _ALL, ())
NEW = Kind(
    "new", "新设单位", "", (), ("level", "code", "name", "short_name", "kind", "ownership", "locality", "township")
)
FIELDS = {
    **TITLES,
    "level": "层级",
    "code": "代码",
    "parent": "上级单位",
    "receiver": "并入哪个单位",
    "children": "随之分出的下属单位",
    "day": "从哪天起",
    "reason": "事由",
    "document": "文号",
}


@dataclass(frozen=True, slots=True)
class Ask:
    """One question of the form, filled with what was typed, else with what stands."""

    name: str
    title: str
    control: str  # text, select, many, date
    value: str
    chosen: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    optional: bool
    hint: str = ""


def kinds_for(unit: Unit, today: dt.date | None = None) -> tuple[Kind, ...]:
    """The changes that a unit's page offers."""
    day = today or clock.today()
    if unit.ends_on is not None and unit.ends_on <= day:
        return (REOPEN,)
    return tuple(one for one in KINDS if unit.level in one.levels)


def kind_named(what: str, unit: Unit) -> Kind:
    """A change by its key. Raises NotFoundError for one that this unit does not have."""
    for one in (*KINDS, REOPEN):
        if one.key == what and unit.level in one.levels:
            return one
    raise NotFoundError


def asks_of(
    account: Account, kind: Kind, unit: Unit | None, typed: Typed, words: Mapping[str, Mapping[str, str]]
) -> tuple[Ask, ...]:
    """The form of a change. `words`: code → label of kind, ownership and locality."""
    day = _day_or_today(typed)
    facts = facts_at([unit.pk], day).get(unit.pk) if unit is not None else None
    made = []
    names = (*(("parent",) if kind.key == "new" else ()), *kind.asks)
    for name in (
        *names,
        *(() if kind.key == "reopen" else ("day",)),
        "reason",
        *(() if kind.key == "reopen" else ("document",)),
    ):
        given = typed.get(name)
        standing = str(getattr(facts, name, "") or "") if facts is not None and kind.key != "split" else ""
        value = given if isinstance(given, str) else standing
        if name == "day" and given is None:
            value = clock.today().isoformat()
        many = tuple(given) if isinstance(given, list) else (given,) if isinstance(given, str) and given else ()
        options = _options(account, kind, unit, name, day, words)
        control = (
            "many"
            if name == "children"
            else "date"
            if name == "day"
            else "select"
            if options or name in _CHOSEN
            else "text"
        )
        made.append(Ask(name, FIELDS[name], control, value, many, options, name in _OPTIONAL, _HINTS.get(name, "")))
    return tuple(made)


_CHOSEN = ("parent", "receiver", "level", "kind", "ownership", "locality")
_OPTIONAL = ("short_name", "document", "children", "township", "ownership", "locality", "kind")
_HINTS = {
    "day": "这一天起按新的算；之前的台账不变。可以填以前或以后的日子。",
    "reason": "例如：县政府批复并校",
    "code": "学校填 10 位学校标识码；用过的代码不再使用",
    "parent": "县直属的学校选县",
}


def preview_of(account: Account, kind: Kind, unit: Unit | None, typed: Typed) -> Preview:
    """What the change will do. Raises RefusedError with the field, like the change itself; nothing is written."""
    check_reason(_text(typed, "reason"))
    day = _day(typed)
    if kind.key == "new":
        return preview_add(_seed(account, typed, day))
    unit = _needed(unit)
    if kind.key in ("rename", "facts"):
        return preview_facts(unit, day, _values(kind, typed))
    if kind.key == "move":
        return preview_move(unit, _chosen(account, typed, "parent"), day)
    if kind.key == "merge":
        return preview_merge(unit, _chosen(account, typed, "receiver"), day)
    if kind.key == "split":
        return preview_split(unit, _split_seed(unit, typed, day), _children(account, typed))
    if kind.key == "close":
        return preview_close(unit, day)
    raise NotFoundError


def confirm_of(account: Account, kind: Kind, unit: Unit | None, typed: Typed, basis: str | None) -> Unit:
    """Carry the change out as previewed. Returns the unit whose page shows it. Raises ConflictError for a stale basis."""
    reason, document = _text(typed, "reason"), _text(typed, "document")
    if kind.key == "reopen":
        do_reopen_unit(_needed(unit), acting_user=account, reason=reason)
        return _needed(unit)
    day = _day(typed)
    if kind.key == "new":
        seed = _seed(account, typed, day)
        return do_add_unit(seed, acting_user=account, reason=reason, document=document, basis=basis)
    unit = _needed(unit)
    if kind.key == "split":
        return do_split_unit(
            unit,
            _split_seed(unit, typed, day),
            _children(account, typed),
            acting_user=account,
            reason=reason,
            document=document,
            basis=basis,
        )
    if kind.key == "rename":
        values = _values(kind, typed)
        do_rename_unit(
            unit,
            values["name"],
            short_name=values["short_name"],
            acting_user=account,
            day=day,
            reason=reason,
            document=document,
            basis=basis,
        )
        return unit
    if kind.key == "facts":
        do_change_facts(
            unit, acting_user=account, day=day, reason=reason, document=document, basis=basis, **_values(kind, typed)
        )
        return unit
    return _confirm_place(account, kind, unit, typed, day, basis)


def _confirm_place(account: Account, kind: Kind, unit: Unit, typed: Typed, day: dt.date, basis: str | None) -> Unit:
    reason, document = _text(typed, "reason"), _text(typed, "document")
    if kind.key == "move":
        parent = _chosen(account, typed, "parent")
        do_move_unit(unit, parent, acting_user=account, day=day, reason=reason, document=document, basis=basis)
    elif kind.key == "merge":
        receiver = _chosen(account, typed, "receiver")
        do_merge_unit(unit, receiver, acting_user=account, day=day, reason=reason, document=document, basis=basis)
    else:
        do_close_unit(unit, acting_user=account, day=day, reason=reason, document=document, basis=basis)
    return unit


def _needed(unit: Unit | None) -> Unit:
    if unit is None:
        raise NotFoundError
    return unit


def _text(typed: Typed, name: str) -> str:
    value = typed.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def _day(typed: Typed) -> dt.date:
    try:
        return dt.date.fromisoformat(_text(typed, "day"))
    except ValueError:
        said = f"日期“{_text(typed, 'day')[:20]}”无法识别，请按 2026-09-01 的样子填写"
        raise RefusedError("day-wrong", said, places={"day": said}) from None


def _day_or_today(typed: Typed) -> dt.date:
    try:
        return _day(typed)
    except RefusedError:
        return clock.today()


def _values(kind: Kind, typed: Typed) -> dict[str, str]:
    return {name: _text(typed, name) for name in kind.asks}


def _chosen(account: Account, typed: Typed, name: str) -> Unit:
    """The other unit, one that the person may change too."""
    if not _text(typed, name):
        said = f"请选择{FIELDS[name]}"
        raise RefusedError("unit-missing", said, places={name: said})
    return access_unit(account, _text(typed, name), Can.UNITS)


def _children(account: Account, typed: Typed) -> list[Unit]:
    given = typed.get("children", [])
    return [access_unit(account, one, Can.UNITS) for one in (given if isinstance(given, list) else [given]) if one]


def _seed(account: Account, typed: Typed, day: dt.date) -> Seed:
    level = _text(typed, "level")
    if level not in ABOVE or level == _LEVEL.COUNTY:
        raise RefusedError("level-missing", "请选择层级", places={"level": "请选择层级"})
    parent = _chosen(account, typed, "parent")
    more: dict[str, Any] = {
        name: _text(typed, name) for name in ("short_name", "kind", "ownership", "locality", "township")
    }
    return replace(Seed(_text(typed, "code"), level, _text(typed, "name"), parent.code, day), **more)


def _split_seed(unit: Unit, typed: Typed, day: dt.date) -> Seed:
    """The new unit: like the one that it comes out of, with its own code and name."""
    parent, facts = parent_at(unit, day), facts_at([unit.pk], day).get(unit.pk)
    same: dict[str, Any] = {
        name: str(getattr(facts, name, "")) for name in ("kind", "ownership", "locality", "township")
    }
    above = parent.code if parent is not None else ""
    seed = Seed(_text(typed, "code"), unit.level, _text(typed, "name"), above, day)
    return replace(seed, short_name=_text(typed, "short_name"), **same)


_PLACES = {
    "unit-not-yet": "day",
    "unit-ended": "day",
    "ends-at-start": "day",
    "children-left": "day",
    "no-place": "parent",
    "same-parent": "parent",
    "parent-ends": "parent",
    "receiver-ends": "receiver",
    "split-child": "children",
}


def places_of(error: RefusedError, asks: Sequence[Ask]) -> dict[str, str]:
    """Field → sentence of a refusal, for the fields that the form has; a refusal of no field stands at the first one."""
    names = [one.name for one in asks]
    found = {name: said for name, said in error.places.items() if name in names}
    if found:
        return found
    place = _PLACES.get(error.code, "")
    return {place if place in names else names[0]: str(error)}


def _options(
    account: Account, kind: Kind, unit: Unit | None, name: str, day: dt.date, words: Mapping[str, Mapping[str, str]]
) -> tuple[tuple[str, str], ...]:
    if name in words:
        return tuple(words[name].items())
    if name == "level":
        return tuple((one.value, one.label) for one in Unit.Level if one is not _LEVEL.COUNTY)
    if name == "parent":
        levels = ABOVE[unit.level] if unit is not None else (_LEVEL.COUNTY, _LEVEL.DISTRICT, _LEVEL.SCHOOL)
        return _units(account, day, levels, without=unit)
    if name == "receiver" and unit is not None:
        return _units(account, day, (unit.level,), without=unit, beside=unit)
    if name == "children" and unit is not None:
        return tuple((str(one.unit_id), one.name) for one in children_of(unit, day))
    return ()


def _units(
    account: Account, day: dt.date, levels: Sequence[str], *, without: Unit | None, beside: Unit | None = None
) -> tuple[tuple[str, str], ...]:
    """Units that the person may change, by level and name; of classes only those of the same school."""
    units = scope_of(account, Can.UNITS).units(day).filter(level__in=levels)
    if beside is not None and beside.level == _LEVEL.CLASS:
        units = units.filter(up_paths__ancestor_id=line_at(beside, day).school_id).distinct()
    found = [one for one in units if without is None or one.pk != without.pk]
    facts = facts_at([one.pk for one in found], day)
    order = [level.value for level in Unit.Level]
    found.sort(key=lambda one: (order.index(one.level), facts[one.pk].sort_key if one.pk in facts else "", one.pk))
    return tuple((str(one.pk), facts[one.pk].name if one.pk in facts else one.code) for one in found)
