"""A register's schema as a form that a person edits, and back again from what the form sent."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jiaoheng.bureau.core.capabilities import ROLES
from jiaoheng.bureau.core.models import Unit
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.ledgers.list_shell import Option
from jiaoheng.bureau.ledgers.schema_edits import FieldEdit, apply_edits, edits_of
from jiaoheng.registers.model import FieldType, PeriodKind, Register, Sensitive
from jiaoheng.registers.versions import TYPE_WORDS, Fate, FieldChange
from jiaoheng.sheets.places import column_letters

SPARE = 3  # blank rows at the end, for fields that the sheet does not have
_MOST_ROWS = 140
CHOICE, CHOICES = "choice", "choices"
_KINDS = (
    *((one.value, words) for one, words in TYPE_WORDS.items() if one is not FieldType.ARRAY),
    (CHOICE, "从选项里选一个"),
    (CHOICES, "从选项里选几个"),
)
_PERIODS = {
    "none": "不分期，随时更新",
    "year": "每学年",
    "term": "每学期",
    "month": "每月",
    "week": "每周",
    "day": "每日",
}
_FILLERS = ("clerk", "principal", "class_teacher", "district", "department")
_CHAINS = {
    "district,department": "学区审核，再由局审定",
    "department": "由局审定",
    "district": "由学区审核",
    "": "不用审",
}
_PROTECTED = {
    "": "不受保护",
    "name": "姓名",
    "id": "身份证等号码",
    "phone": "电话",
    "address": "住址",
    "bank": "银行账号",
    "special": "困难、残疾等情况",
}


@dataclass(frozen=True, slots=True)
class FormField:
    """One row of the form. `number`: of its inputs; `origin`: the column of the sheet that it comes from."""

    number: int
    edit: FieldEdit
    kinds: tuple[Option, ...]
    protections: tuple[Option, ...]
    key: bool
    choices: str  # one a line
    decimals: str
    origin: str
    said: str  # what is wrong with it
    more: bool  # whether one of the folded settings is set


@dataclass(frozen=True, slots=True)
class RegisterForm:
    """The whole form."""

    title: str
    description: str
    levels: tuple[Option, ...]
    periods: tuple[Option, ...]
    fillers: tuple[Option, ...]
    chains: tuple[Option, ...]
    fields: tuple[FormField, ...]
    effective_from: str


@dataclass(frozen=True, slots=True)
class Typed:
    """What a form sent, kept as typed so that it can be shown again."""

    title: str
    description: str
    level: str
    period: str
    filler: str
    chain: str
    edits: tuple[FieldEdit, ...]
    keys: frozenset[int]  # numbers of the rows that tell records apart
    decimals: tuple[str, ...]
    effective_from: str = ""


def typed_of(register: Register, effective_from: dt.date | None = None) -> Typed:
    """A register as if a person had typed it."""
    edits = tuple(edits_of(register))
    return Typed(
        register.title,
        register.description,
        str(register.level),
        str(register.period),
        register.fill.filler,
        ",".join(register.fill.approvers),
        edits,
        frozenset(number for number, one in enumerate(edits) if one.name in register.key),
        tuple("" if one.decimals is None else str(one.decimals) for one in edits),
        effective_from.isoformat() if effective_from is not None else "",
    )


def read_form(sent: Mapping[str, str]) -> Typed:
    """What a form sent; rows without a head are blank ones and are left out, unless they stand for a field."""
    edits: list[FieldEdit] = []
    keys: set[int] = set()
    decimals: list[str] = []
    count = int(sent.get("rows", "0")) if sent.get("rows", "0").isdigit() else 0
    for number in range(min(count, _MOST_ROWS)):
        at = f"f{number}-"
        title, name = sent.get(f"{at}title", "").strip(), sent.get(f"{at}name", "")
        if not title and not name:
            continue
        kind = sent.get(f"{at}kind", "string")
        lines = tuple(one.strip() for one in sent.get(f"{at}choices", "").splitlines() if one.strip())
        digits = sent.get(f"{at}decimals", "").strip()
        if sent.get(f"{at}key"):
            keys.add(len(edits))
        decimals.append(digits)
        edits.append(
            FieldEdit(
                name=name,
                title=title,
                type="array" if kind == CHOICES else "string" if kind == CHOICE else kind,
                required=bool(sent.get(f"{at}required")),
                help=sent.get(f"{at}help", "").strip(),
                unit=sent.get(f"{at}unit", "").strip(),
                decimals=int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 3 else None,
                minimum=sent.get(f"{at}minimum", "").strip(),
                maximum=sent.get(f"{at}maximum", "").strip(),
                choices=lines if kind in (CHOICE, CHOICES) else None,
                many=kind == CHOICES,
                filter=bool(sent.get(f"{at}filter")),
                identity=bool(sent.get(f"{at}identity")),
                sensitive=sent.get(f"{at}sensitive", ""),
                drop=bool(sent.get(f"{at}drop")),
            )
        )
    words = {
        name: sent.get(name, "").strip() for name in ("title", "description", "level", "period", "filler", "chain")
    }
    return Typed(
        **words,
        edits=tuple(edits),
        keys=frozenset(keys),
        decimals=tuple(decimals),
        effective_from=sent.get("effective_from", "").strip(),
    )


def schema_from(base: Mapping[str, Any], typed: Typed) -> dict[str, Any]:
    """The schema of a form. RefusedError `schema-wrong` with `places` by head where something is missing."""
    places: dict[str, str] = {}
    for one, digits in zip(typed.edits, typed.decimals, strict=True):
        if not one.title:
            places[one.name] = "项目没有名称。请填名称，或勾选“不要这一项”"
        elif one.choices is not None and not one.choices and not one.drop:
            places[one.title] = f"“{one.title}”要从选项里选，但没有写选项。请一行写一个"
        elif digits and one.decimals is None:
            places[one.title] = f"“{one.title}”的小数位数是“{digits}”，应为 0 至 9 的整数。请改正"
    if not typed.title:
        places["title"] = "台账没有名称。请填名称"
    if places:
        raise RefusedError("schema-wrong", "\n".join(places.values()), places=places)
    base = dict(base) | {"fill": _fill(typed), "description": typed.description}
    settings = {"title": typed.title, "period": typed.period, "level": typed.level}
    first = apply_edits(base, typed.edits, **settings)
    names = {str(one["title"]).strip(): str(one["name"]) for one in first["fields"]}
    chosen = [one for number, one in enumerate(typed.edits) if number in typed.keys and not one.drop]
    key = [one.name or names.get(one.title, "") for one in chosen]
    made = apply_edits(base, typed.edits, key=[one for one in key if one], **settings)
    return {name: value for name, value in made.items() if name != "description" or value}


def _fill(typed: Typed) -> dict[str, Any]:
    filler = typed.filler if typed.filler in _FILLERS else "clerk"
    return {"filler": filler, "approvers": [one for one in typed.chain.split(",") if one]}


def form_of(
    typed: Typed,
    *,
    columns: Mapping[str, int] | None = None,
    places: Mapping[str, str] | None = None,
    spare: int = SPARE,
) -> RegisterForm:
    """The form with everything as typed. `columns`: field → column of its sheet; `places`: what is wrong by head."""
    said, origins = places or {}, columns or {}
    blank = FieldEdit("", "")
    rows = [
        _row(number, one, typed, origins.get(one.name, 0), said.get(one.title) or said.get(one.name) or "")
        for number, one in enumerate(typed.edits)
    ]
    first = len(rows)
    rows += [_row(first + number, blank, typed, 0, "") for number in range(spare)]
    levels = tuple((one.value, one.label) for one in Unit.Level if one.value != "department")
    return RegisterForm(
        title=typed.title,
        description=typed.description,
        levels=_options(levels, typed.level),
        periods=_options([(one.value, _PERIODS[one.value]) for one in PeriodKind], typed.period),
        fillers=_options([(one, ROLES[one].title) for one in _FILLERS], typed.filler),
        chains=_options(list(_CHAINS.items()), typed.chain),
        fields=tuple(rows),
        effective_from=typed.effective_from,
    )


def _row(number: int, edit: FieldEdit, typed: Typed, column: int, said: str) -> FormField:
    kind = (CHOICES if edit.many else CHOICE) if edit.choices is not None else edit.type
    decimals = typed.decimals[number] if number < len(typed.decimals) else ""
    settings = (edit.help, edit.unit, decimals, edit.minimum, edit.maximum, edit.sensitive, edit.identity)
    return FormField(
        number=number,
        edit=edit,
        kinds=_options(_KINDS, kind),
        protections=_options([(one.value, _PROTECTED[one.value]) for one in Sensitive], edit.sensitive),
        key=number in typed.keys,
        choices="\n".join(edit.choices or ()),
        decimals=decimals,
        origin=f"{column_letters(column)} 列" if column else "",
        said=said,
        more=any(settings),
    )


def _options(pairs: Sequence[tuple[str, str]], chosen: str) -> tuple[Option, ...]:
    return tuple(Option(value, label, value == chosen) for value, label in pairs)


_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def effective_day(typed: Typed) -> dt.date:
    """The day from which a new version holds. RefusedError where none is given."""
    try:
        return dt.date.fromisoformat(typed.effective_from) if _DATE.fullmatch(typed.effective_from) else _no_day()
    except ValueError:
        return _no_day()


def _no_day() -> dt.date:
    raise RefusedError("date-missing", "请填新表样从哪天起用，写成 2025-09-01 这样", places={"effective_from": "日期"})


@dataclass(frozen=True, slots=True)
class Fates:
    """What a new version does: the fields to which something happens, and how many stay as they are."""

    told: tuple[FieldChange, ...]
    kept: int


def fates_of(changes: Sequence[FieldChange]) -> Fates:
    """The changes as a page tells them."""
    told = tuple(one for one in changes if one.fate is not Fate.KEPT)
    return Fates(told, len(changes) - len(told))
