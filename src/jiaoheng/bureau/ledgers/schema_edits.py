"""A register's schema changed by a person: edits of a form applied, checked as a pack is checked, told in sentences."""

from __future__ import annotations

import copy
import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.ledgers import registry
from jiaoheng.bureau.ledgers.models import RegisterRow
from jiaoheng.registers.linking import Loaded, reference_problems, version_problems
from jiaoheng.registers.loading import from_json, to_json
from jiaoheng.registers.model import CodeTable, FieldType, Register, SchemaError, SchemaProblem, as_schema
from jiaoheng.registers.proposing import english
from jiaoheng.registers.yaml_places import Spot

MOST_FIELDS = 120  # more are several registers, and no screen or printed page holds them


@dataclass(frozen=True, slots=True)
class FieldEdit:
    """One field as the form has it. `name` "": a new field. `choices`: labels in order, None leaves them as they are.

    `drop`: the field is asked no more; its old values stay readable.
    """

    name: str
    title: str
    type: str = "string"
    required: bool = False
    help: str = ""
    unit: str = ""
    decimals: int | None = None
    minimum: str = ""
    maximum: str = ""
    choices: tuple[str, ...] | None = None
    many: bool = False  # several choices in one cell
    filter: bool = False
    identity: bool = False
    sensitive: str = ""
    drop: bool = False


def edits_of(register: Register) -> list[FieldEdit]:
    """The fields of a register as a form shows them: applied unchanged they change nothing."""
    made = []
    for one in register.fields:
        table = register.codes_of(one)
        made.append(
            FieldEdit(
                name=one.name,
                title=one.title,
                type=str(one.type),
                required=one.required,
                help=one.help,
                unit=one.unit,
                decimals=one.decimals,
                minimum=_bound(one.minimum),
                maximum=_bound(one.maximum),
                choices=tuple(dict.fromkeys(item.label for item in table.items)) if table is not None else None,
                many=one.type is FieldType.ARRAY,
                filter=one.filter,
                identity=one.identity,
                sensitive=str(one.sensitive),
            )
        )
    return made


def _bound(value: Decimal | dt.date | None) -> str:
    return "" if value is None else str(as_schema(value))


def apply_edits(
    schema: Mapping[str, Any],
    edits: Sequence[FieldEdit],
    *,
    title: str = "",
    period: str = "",
    level: str = "",
    key: Sequence[str] | None = None,
) -> dict[str, Any]:
    """A schema in the pack's words (`to_json`) with a form's edits; fields in the order of the edits.

    Fields that no edit names stay at the end. What the form does not show (checks, references) stays as it is.
    """
    made = copy.deepcopy(dict(schema))
    made |= {name: text for name, text in (("title", title), ("period", period), ("level", level)) if text}
    if key is not None:
        made["primaryKey"] = list(key)
    old = {one["name"]: one for one in made["fields"]}
    taken = set(old) | set(made.get("dropped", ()))
    fields, dropped = [], []
    for edit in edits:
        before = old.pop(edit.name, None)
        if edit.drop:
            dropped += [edit.name] if before is not None else []
            continue
        name = edit.name if before is not None else _free(english(edit.title) or "field", taken)
        taken.add(name)
        fields.append(_field(before or {}, name, edit, made))
    made["fields"] = [
        _required(one) if one["name"] in made.get("primaryKey", ()) else one for one in (*fields, *old.values())
    ]
    made["dropped"] = [*made.get("dropped", ()), *dropped]
    if not made["dropped"]:
        del made["dropped"]
    return made


def _required(one: dict[str, Any]) -> dict[str, Any]:
    """A field of the key tells records apart, so it is never blank."""
    return one | {"constraints": dict(one.get("constraints", {})) | {"required": True}}


def _field(before: Mapping[str, Any], name: str, edit: FieldEdit, schema: dict[str, Any]) -> dict[str, Any]:
    made = dict(before) | {"name": name, "title": edit.title.strip(), "type": edit.type}
    limits: dict[str, Any] = dict(before.get("constraints", {}))
    for word, value in (("required", edit.required), ("minimum", edit.minimum), ("maximum", edit.maximum)):
        limits.pop(word, None)
        if value:
            limits[word] = value
    settings: dict[str, Any] = {
        "constraints": limits,
        "help": edit.help,
        "unit": edit.unit,
        "decimals": edit.decimals,
        "filter": edit.filter,
        "identity": edit.identity,
        "sensitive": edit.sensitive,
    }
    for word, value in settings.items():
        made.pop(word, None)
        if value or (word == "decimals" and value == 0):
            made[word] = value
    if edit.choices is not None:
        made["type"] = "array" if edit.many else "string"
        made.pop("codes", None)
        if edit.choices:
            made["codes"] = str(before.get("codes") or f"{schema['name']}_{name}")[:40]
            _choose(schema, made["codes"], edit)
    return made


def _choose(schema: dict[str, Any], table: str, edit: FieldEdit) -> None:
    """The choices of a field as items of its own table: a label that was there keeps its code and dates."""
    tables = schema.setdefault("tables", {})
    items: list[dict[str, str]] = list(tables.get(table, {}).get("items", ()))
    codes = {one["label"]: one["code"] for one in items}
    count = max((int(one["code"]) for one in items if one["code"].isdigit()), default=0)
    made: list[dict[str, str]] = []
    for label in dict.fromkeys(one.strip() for one in edit.choices or () if one.strip()):
        if label in codes:
            made += [one for one in items if one["code"] == codes[label] and one not in made]
        else:
            count += 1
            made.append({"code": str(count), "label": label})
    tables[table] = {"title": edit.title.strip(), "items": made}


def _free(name: str, taken: Collection[str]) -> str:
    count, found = 1, name
    while found in taken:
        count += 1
        found = f"{name}_{count}"
    return found


def checked(schema: Mapping[str, Any]) -> Register:
    """The register of a schema that a person made, through the same checks as a pack.

    Choices that the schema does not hold are those of the database. Raises RefusedError (`schema-wrong`) with every
    sentence; `places` by field where one is named.
    """
    data = dict(schema)
    tables = registry.code_tables()
    used = {str(one.get("codes", "")) for one in data.get("fields", ()) if isinstance(one, Mapping)}
    shared = {name: table_json(tables[name]) for name in used if name in tables}
    data["tables"] = shared | dict(data.get("tables", {}))
    try:
        found = from_json(data)
    except SchemaError as error:
        refuse(error.errors)
        raise
    problems = list(_own_problems(found))
    names = RegisterRow.objects.exclude(name=found.name).filter(name__in=_referred(found))
    known = {row.name: tuple(registry.schema_versions(row)) for row in names} | {found.name: (found,)}
    problems += reference_problems([Loaded(found, found.title, Spot(0, {}))], known)
    refuse(problems)
    return found


def check_follows(old: Register, new: Register) -> None:
    """Raises RefusedError (`schema-wrong`) where the new version loses a field or begins too early."""
    pair = [Loaded(old, old.title, Spot(0, {})), Loaded(new, new.title, Spot(0, {}))]
    refuse(list(version_problems(pair)))


def refuse(problems: Sequence[SchemaProblem]) -> None:
    """RefusedError with all problems as sentences; nothing where there are none."""
    if not problems:
        return
    lines = [_sentence(one) for one in problems]
    places: dict[str, str] = {}
    for one, line in zip(problems, lines, strict=True):
        name = one.message.partition("字段“")[2].partition("”")[0]
        places.setdefault(name, line)
    raise RefusedError("schema-wrong", "\n".join(lines), places=places)


def _sentence(one: SchemaProblem) -> str:
    """A problem for somebody who has a form before him and no file: no lines, no words of the file's language."""
    remedy = "请改正。" if re.search(r"[a-z]{3,}", one.remedy) and "是不是" not in one.remedy else one.remedy
    return one.message.replace("，第 0 行已有", "") + remedy


def _own_problems(found: Register) -> list[SchemaProblem]:
    """What a pack's author may do and a form may not."""
    problems = []
    if len(found.fields) > MOST_FIELDS:
        message = f"有 {len(found.fields)} 个字段，最多 {MOST_FIELDS} 个。"
        problems.append(SchemaProblem(found.title, 0, message, "请分成几张台账。"))
    return problems


def _referred(found: Register) -> list[str]:
    return [one.reference.partition(".")[0] for one in found.fields if one.reference]


def table_json(table: CodeTable) -> dict[str, Any]:
    """A code table in the words of a schema."""
    items = []
    for one in table.items:
        item = {"code": one.code, "label": one.label}
        for word, day in (("from", one.from_), ("until", one.until)):
            if day is not None:
                item[word] = day.isoformat()
        items.append(item)
    return {"title": table.title, "items": items}


def numbered(schema: Mapping[str, Any], number: int, effective_from: dt.date) -> dict[str, Any]:
    """The schema as a version of its own."""
    return dict(schema) | {"version": number, "effective_from": effective_from.isoformat()}


def as_json(register: Register) -> dict[str, Any]:
    """A register in the words of a schema, for a form to edit."""
    return to_json(register)
