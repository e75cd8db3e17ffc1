"""One value of the settings from its text: numbers exactly, shares from percentages, dates, yes and no, fixed words."""

from __future__ import annotations

import datetime as dt
import re
import types
import typing
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import TypeAdapter, ValidationError

from jiaoheng.exams.settings import StateWord
from jiaoheng.exams.settings_words import canonical_subject, clean, grade_words, nearest, value_words, yes_no

_PARTS = re.compile(r"[、,，;；\s]+")
_NAME_PARTS = re.compile(r"[、；;\n]+")
_DATE = re.compile(r"(\d{4})[-./年](\d{1,2})[-./月](\d{1,2})日?(?:[T ]?00:00(?::00(?:\.0+)?)?)?$")
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})$")
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?$")
_MOST_DIGITS = 12  # a mark or share with more digits is a slip; it also bounds the work of exact arithmetic
_UNITS = ("分", "人", "名", "个")


class ScalarError(ValueError):
    """`right` completes the sentence "the content is …, "; `remedy` says what to write."""

    def __init__(self, right: str, remedy: str = "") -> None:
        super().__init__(right)
        self.right = right
        self.remedy = remedy


def split(text: str, names: bool = False) -> list[str]:
    """The parts of a list typed into one cell: `50、100，200` → three texts. Names may hold blanks and commas."""
    if names:
        return [part.strip() for part in _NAME_PARTS.split(text) if part.strip()]
    return [part for part in _PARTS.split(text.strip().strip("[]")) if part]


def read(kind: Any, name: str, text: str, path: tuple[str, ...]) -> Any:
    """The value of one field. `kind` is its annotation with bounds; raises ScalarError with what is right."""
    base = _base(kind)
    if name == "grade":
        return _word(grade_words(), text, "年级不认识", "可以写：一年级至九年级、高一、高二、高三")
    if path and path[0] == "marks" and len(path) == 2:
        return _mark(text)
    if path and path[0] in ("sheets", "rows") and len(path) == 2:
        return _listed(path[0], text)
    if typing.get_origin(base) is typing.Literal:
        return _literal(base, name, text)
    if base is bool:
        return _word(yes_no(), text, "应是“是”或“否”", "请写 是 或 否")
    if base is dt.date:
        return _date(text)
    if base is Decimal or base is int:
        return _bounded(kind, _number(text))
    return text.strip()


def _base(kind: Any) -> Any:
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        return _base(typing.get_args(kind)[0])
    if origin in (typing.Union, types.UnionType):
        members = [item for item in typing.get_args(kind) if item is not type(None)]
        return _base(members[0])
    return kind


def _word(words: typing.Mapping[str, Any], text: str, right: str, remedy: str) -> Any:
    key = clean(text)
    found = words.get(key, words.get(key.lower()))
    if found is None:
        raise ScalarError(right, remedy)
    return found


def _literal(base: Any, name: str, text: str) -> str:
    options = [str(option) for option in typing.get_args(base)]
    by_word = {clean(option).lower(): option for option in options}
    key = clean(text).lower()
    found = by_word.get(key) or value_words(name).get(key)
    if found in options:
        return str(found)
    near = nearest(text, by_word)
    hint = f"是否应为“{by_word[near]}”；" if near else ""
    raise ScalarError("不在可选的内容中", f"{hint}可以写：{'、'.join(options)}")


def _listed(name: str, text: str) -> str:
    """采用, 忽略 …; a sheet may also be answered with the subject whose item scores it holds."""
    words = value_words(name)
    found = words.get(clean(text).lower())
    if found is not None:
        return found
    known = list(dict.fromkeys(words.values()))
    near = nearest(text, words)
    if name == "sheets" and near is None:
        return canonical_subject(text)
    subject = "，或小题分所属的学科" if name == "sheets" else ""
    raise ScalarError("不在可选的内容中", f"可以写：{'、'.join(known)}{subject}")


def _mark(text: str) -> str:
    """What a mark in a score cell means: a state, or the score itself."""
    options = typing.get_args(StateWord)
    key = clean(text).lower()
    found = value_words("marks").get(key)
    if found is not None and key != "0":
        return found
    try:
        number = _number(text)
    except ScalarError:
        raise ScalarError("不是状态也不是分数", f"可以写：{'、'.join(options)}，或一个分数") from None
    if number < 0:
        raise ScalarError("分数不能小于 0", f"可以写：{'、'.join(options)}，或一个分数")
    return format(number.normalize(), "f")


def _number(text: str) -> Decimal:
    plain = unicodedata.normalize("NFKC", text).strip().replace(" ", "")
    share = plain.endswith("%")
    plain = plain[:-1] if share else plain
    for unit in _UNITS:
        plain = plain.removesuffix(unit)
    plain = plain.replace("−", "-")
    if not plain or not any(ch.isdigit() for ch in plain) or not _NUMBER.match(plain):
        raise ScalarError("应是一个数", "请写阿拉伯数字，例如 120 或 0.85")
    if sum(ch.isdigit() for ch in plain) > _MOST_DIGITS:
        raise ScalarError("位数太多", f"最多 {_MOST_DIGITS} 位数字")
    try:
        value = Decimal(plain.replace(",", ""))
    except InvalidOperation:
        raise ScalarError("应是一个数", "请写阿拉伯数字，例如 120 或 0.85") from None
    return value.scaleb(-2) if share else value


_BOUNDS = {
    "greater_than": ("应大于 {gt}", "gt"),
    "greater_than_equal": ("应不小于 {ge}", "ge"),
    "less_than": ("应小于 {lt}", "lt"),
    "less_than_equal": ("应不大于 {le}", "le"),
}


def _bounded(kind: Any, number: Decimal) -> Any:
    try:
        return TypeAdapter(kind).validate_python(number)
    except ValidationError as error:
        fault = error.errors()[0]
        if fault["type"] in _BOUNDS:
            sentence, bound = _BOUNDS[fault["type"]]
            right = sentence.format(**{bound: fault["ctx"][bound]})
            if fault["type"] == "less_than_equal" and fault["ctx"]["le"] == 1:
                raise ScalarError("应是 0 到 1 之间的比例", "请写 0.85 或 85%") from None
            raise ScalarError(right, "请改正") from None
        raise ScalarError("应是整数", "请写不带小数的阿拉伯数字") from None


def _date(text: str) -> dt.date:
    plain = unicodedata.normalize("NFKC", text).strip()
    match = _DATE.match(plain) or _COMPACT_DATE.match(plain)
    if not match:
        raise ScalarError("应是日期", "请写成 2026-04-21")
    try:
        date = dt.date(*(int(part) for part in match.groups()))
    except ValueError:
        raise ScalarError("这一天不存在", "请写成 2026-04-21") from None
    if not 1950 <= date.year <= 2100:
        raise ScalarError("年份不合理", "请写成 2026-04-21")
    return date
