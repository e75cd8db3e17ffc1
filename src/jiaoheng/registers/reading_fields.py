"""One field of a register from its YAML: Table Schema's own keys and ours."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

from jiaoheng.registers.checking import Reader
from jiaoheng.registers.model import CodeItem, CodeTable, Field, FieldType, Sensitive
from jiaoheng.registers.validation_checks import CHECKS
from jiaoheng.registers.yaml_places import Spot

OWN_KEYS = (
    "codes",
    "check",
    "sensitive",
    "widget",
    "filter",
    "search",
    "identity",
    "reference",
    "renamed_from",
    "carry",
    "jump",
    "group",
    "unit",
    "decimals",
    "help",
    "width",
    "pattern_words",
    "once_a_unit",
)
# `format` and `example` are Table Schema's; they say nothing that a register needs and are read past
FIELD_KEYS = ("name", "type", "title", "description", "constraints", "format", "example", *OWN_KEYS)
CONSTRAINTS = ("required", "unique", "minimum", "maximum", "minLength", "maxLength", "pattern", "enum")
WIDGETS = ("textarea", "photo", "document", "radio", "select", "checkboxes")
_NUMERIC = (FieldType.INTEGER, FieldType.NUMBER)
_TEXTUAL = (FieldType.STRING,)
_MOST_PATTERN = 200  # a longer pattern is nobody's to read
_REFERENCE = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


def read_field(spot: Spot, reader: Reader, register: str) -> tuple[Field, CodeTable | None]:
    """A field and, where its choices stand in `constraints.enum`, the code table made of them."""
    named = spot.map.get("name")
    place = f"字段“{named.value}”" if named is not None and isinstance(named.value, str) else "字段"
    entries = reader.mapping(spot, FIELD_KEYS, place, needed=("name", "type", "title"))
    limits = {}
    if "constraints" in entries:
        limits = reader.mapping(entries["constraints"], CONSTRAINTS, f"{place}的 constraints")
    kind = reader.choice(entries.get("type"), f"{place}的 type", FieldType, FieldType.STRING)
    name = reader.name(named, "name")
    table = _enum(limits.get("enum"), f"{register}.{name}", reader.text(entries.get("title"), "title"), reader)
    jump = entries.get("jump")
    one = Field(
        name=name,
        type=kind,
        title=reader.text(entries.get("title"), f"{place}的 title"),
        help=reader.text(entries.get("help"), "help") or reader.text(entries.get("description"), "description"),
        unit=reader.text(entries.get("unit"), f"{place}的 unit"),
        required=reader.flag(limits.get("required"), f"{place}的 required"),
        unique=reader.flag(limits.get("unique"), f"{place}的 unique"),
        once_a_unit=reader.flag(entries.get("once_a_unit"), f"{place}的 once_a_unit"),
        minimum=_bound(limits.get("minimum"), f"{place}的 minimum", kind, reader),
        maximum=_bound(limits.get("maximum"), f"{place}的 maximum", kind, reader),
        min_length=reader.integer(limits.get("minLength"), f"{place}的 minLength"),
        max_length=reader.integer(limits.get("maxLength"), f"{place}的 maxLength"),
        pattern=_pattern(limits.get("pattern"), place, reader),
        pattern_words=reader.text(entries.get("pattern_words"), f"{place}的 pattern_words"),
        decimals=reader.integer(entries.get("decimals"), f"{place}的 decimals"),
        codes=table.name if table is not None else reader.text(entries.get("codes"), f"{place}的 codes"),
        check=_among(entries.get("check"), f"{place}的 check", tuple(CHECKS), reader),
        sensitive=reader.choice(entries.get("sensitive"), f"{place}的 sensitive", Sensitive, Sensitive.NONE),
        widget=_among(entries.get("widget"), f"{place}的 widget", WIDGETS, reader),
        filter=reader.flag(entries.get("filter"), f"{place}的 filter"),
        search=reader.flag(entries.get("search"), f"{place}的 search"),
        identity=reader.flag(entries.get("identity"), f"{place}的 identity"),
        reference=_reference(entries.get("reference"), place, reader),
        renamed_from=reader.texts(entries.get("renamed_from"), f"{place}的 renamed_from"),
        carry=reader.flag(entries.get("carry"), f"{place}的 carry"),
        jump=reader.decimal(jump, f"{place}的 jump"),
        group=reader.text(entries.get("group"), f"{place}的 group"),
        width=reader.integer(entries.get("width"), f"{place}的 width") or 0,
    )
    _fits(one, entries, limits, place, reader)
    return one, table


def _bound(spot: Spot | None, place: str, kind: FieldType, reader: Reader) -> Decimal | dt.date | None:
    if kind is FieldType.DATE:
        return reader.date(spot, place)
    return reader.decimal(spot, place)


def _pattern(spot: Spot | None, place: str, reader: Reader) -> str:
    text = reader.text(spot, f"{place}的 pattern")
    if not text or spot is None:
        return ""
    try:
        re.compile(text)
    except re.error:
        reader.wrong(spot.line, f"{place}的 pattern“{text}”不是正则表达式。", "请改正，特殊符号前加反斜线。")
        return ""
    if len(text) > _MOST_PATTERN:
        reader.wrong(spot.line, f"{place}的 pattern 有 {len(text)} 个字，最多 {_MOST_PATTERN} 个。", "请写短些。")
        return ""
    return text


def _among(spot: Spot | None, place: str, known: tuple[str, ...], reader: Reader) -> str:
    text = reader.text(spot, place)
    if text and spot is not None and text not in known:
        reader.wrong(spot.line, f"“{place}”写的是“{text}”，不在可选范围。", f"可选：{'、'.join(known)}。")
        return ""
    return text


def _reference(spot: Spot | None, place: str, reader: Reader) -> str:
    text = reader.text(spot, f"{place}的 reference")
    if text and spot is not None and not _REFERENCE.fullmatch(text):
        reader.wrong(
            spot.line, f"{place}的 reference 写的是“{text}”。", "请写成“台账名.字段名”，如 classes.class_code。"
        )
        return ""
    return text


def _enum(spot: Spot | None, name: str, title: str, reader: Reader) -> CodeTable | None:
    if spot is None:
        return None
    members = reader.texts(spot, f"{title}的 enum")
    return CodeTable(name, title, tuple(CodeItem(one, one) for one in dict.fromkeys(members)))


def _fits(one: Field, entries: dict[str, Spot], limits: dict[str, Spot], place: str, reader: Reader) -> None:
    """Keys that say nothing for a field of this type, bounds that leave no value."""
    if "enum" in limits and "codes" in entries:
        reader.wrong(entries["codes"].line, f"{place}同时写了 codes 和 enum。", "请只留一处。")
    if one.codes and one.type not in (FieldType.STRING, FieldType.ARRAY):
        line = entries["codes"].line if "codes" in entries else limits["enum"].line
        reader.wrong(line, f"{place}有代码表，类型却是 {one.type}。", "类型请写 string（单选）或 array（多选）。")
    for key in ("minimum", "maximum"):
        if key in limits and one.type not in (*_NUMERIC, FieldType.DATE, FieldType.YEAR):
            reader.wrong(limits[key].line, f"{place}的类型是 {one.type}，不能有 {key}。", "请删去，或改类型。")
    for key in ("minLength", "maxLength", "pattern"):
        if key in limits and one.type not in _TEXTUAL:
            reader.wrong(limits[key].line, f"{place}的类型是 {one.type}，不能有 {key}。", "请删去，或改类型。")
    low, high = one.minimum, one.maximum
    if isinstance(low, Decimal) and isinstance(high, Decimal) and low > high:
        reader.wrong(limits["minimum"].line, f"{place}的下限 {low} 大于上限 {high}。", "请改正其中一个。")
    if isinstance(low, dt.date) and isinstance(high, dt.date) and low > high:
        reader.wrong(limits["minimum"].line, f"{place}的下限 {low} 晚于上限 {high}。", "请改正其中一个。")
    if one.min_length is not None and one.max_length is not None and one.min_length > one.max_length:
        reader.wrong(
            limits["minLength"].line, f"{place}的最短 {one.min_length} 大于最长 {one.max_length}。", "请改正。"
        )
    if "decimals" in entries and one.type is not FieldType.NUMBER:
        reader.wrong(
            entries["decimals"].line,
            f"{place}的类型是 {one.type}，没有小数位数。",
            "请删去 decimals，或改类型为 number。",
        )
    if "jump" in entries and (one.type not in _NUMERIC or (one.jump is not None and one.jump <= 0)):
        reader.wrong(entries["jump"].line, f"{place}的 jump 只用于数，且应大于 0。", "20 % 请写 0.2。")
    if one.sensitive is not Sensitive.NONE and one.filter:
        reader.wrong(
            entries["filter"].line, f"{place}是敏感列，不能筛选和排序。", "请删去 filter；可用 search 按整号查找。"
        )
