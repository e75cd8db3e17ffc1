"""A register as JSON, in the same words as its YAML, with its code tables inside: stored in the database and hashed."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from jiaoheng.registers.model import CodeItem, CodeTable, Field, Register, RowCheck, as_schema

_CONSTRAINTS = {
    "required": "required",
    "unique": "unique",
    "minimum": "minimum",
    "maximum": "maximum",
    "min_length": "minLength",
    "max_length": "maxLength",
    "pattern": "pattern",
}
_FIELD_KEYS = (
    "help",
    "unit",
    "pattern_words",
    "decimals",
    "codes",
    "check",
    "widget",
    "filter",
    "search",
    "identity",
    "once_a_unit",
    "reference",
    "carry",
    "jump",
    "group",
    "width",
)
_TOP_KEYS = ("description", "source", "department", "retention_years")


def to_json(register: Register) -> dict[str, Any]:
    """The whole register; what has its default is left out. `loading.from_json` gives an equal register back."""
    found: dict[str, Any] = {
        "name": register.name,
        "title": register.title,
        "version": register.version,
        "effective_from": register.effective_from.isoformat(),
        "level": str(register.level),
        "period": str(register.period),
        "fill": {"filler": register.fill.filler, "approvers": list(register.fill.approvers)},
        "fields": [_field(one) for one in register.fields],
    }
    found |= {key: getattr(register, key) for key in _TOP_KEYS if getattr(register, key) not in ("", None)}
    lists = {
        "primaryKey": list(register.key),
        "mechanisms": list(register.mechanisms),
        "dropped": list(register.dropped),
        "checks": [_check(one) for one in register.checks],
        "tables": {name: _table(one) for name, one in register.tables.items()},
    }
    return found | {key: value for key, value in lists.items() if value}


def schema_hash(register: Register) -> str:
    """SHA-256 (hex) over the canonical JSON: equal exactly when the registers are equal."""
    text = json.dumps(to_json(register), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _field(one: Field) -> dict[str, Any]:
    found: dict[str, Any] = {"name": one.name, "type": str(one.type), "title": one.title}
    limits = {key: as_schema(getattr(one, name)) for name, key in _CONSTRAINTS.items() if _given(getattr(one, name))}
    if limits:
        found["constraints"] = limits
    found |= {key: as_schema(getattr(one, key)) for key in _FIELD_KEYS if _given(getattr(one, key))}
    if one.sensitive:
        found["sensitive"] = str(one.sensitive)
    if one.renamed_from:
        found["renamed_from"] = list(one.renamed_from)
    return found


def _given(value: Any) -> bool:
    """Not the default; a bound of 0 is one."""
    return value is not None and value is not False and value != "" and not (type(value) is int and value == 0)


def _check(one: RowCheck) -> dict[str, Any]:
    found: dict[str, Any] = {"name": one.name, "rule": one.rule, "message": one.message, "level": str(one.level)}
    return found | ({"fields": list(one.fields)} if one.fields else {})


def _table(one: CodeTable) -> dict[str, Any]:
    found: dict[str, Any] = {"title": one.title, "items": [_item(item) for item in one.items]}
    return found | ({"source": one.source} if one.source else {})


def _item(one: CodeItem) -> dict[str, str]:
    found = {"code": one.code, "label": one.label}
    if one.from_ is not None:
        found["from"] = one.from_.isoformat()
    if one.until is not None:
        found["until"] = one.until.isoformat()
    return found
