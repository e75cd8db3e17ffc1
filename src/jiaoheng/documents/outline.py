"""The numbered outline of a report, the same on the page and in Word: 一、（一）1.（1）, 表1, 图1, anchors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jiaoheng.documents.model import Block, Chart, Definition, Report, Section, Table
from jiaoheng.documents.safe_text import one_line

_DIGITS = "零一二三四五六七八九"
DEFINITIONS_KEY = "definitions"
DEFINITIONS_TITLE = "指标口径"


@dataclass(frozen=True, slots=True)
class Heading:
    """A numbered heading: level 1 …, number as printed (一、), title, anchor unique in the document."""

    level: int
    number: str
    title: str
    anchor: str

    @property
    def text(self) -> str:
        """Number and title."""
        return self.number + self.title


@dataclass(frozen=True, slots=True)
class Part:
    """A section with its heading; `blocks` as in the model."""

    heading: Heading
    blocks: tuple[Block, ...]


def chinese_number(value: int) -> str:
    """1 → 一, 10 → 十, 21 → 二十一 (1 … 99)."""
    tens, ones = divmod(value, 10)
    if not tens:
        return _DIGITS[ones]
    return ("" if tens == 1 else _DIGITS[tens]) + "十" + (_DIGITS[ones] if ones else "")


def parts(report: Report) -> list[Part]:
    """Every section in reading order with its number; the definitions are the last chapter (without blocks)."""
    taken: set[str] = set()
    found = list(_walk(report.sections, 1, taken))
    if report.definitions:
        number = f"{chinese_number(len(report.sections) + 1)}、"
        found.append(Part(Heading(1, number, DEFINITIONS_TITLE, _anchor(DEFINITIONS_KEY, taken)), ()))
    return found


def captions(report: Report) -> dict[int, str]:
    """`表1`, `图1` … by the identity of the block, in reading order."""
    names: dict[int, str] = {}
    counts = {Table: 0, Chart: 0}
    for part in parts(report):
        for block in part.blocks:
            if isinstance(block, (Table, Chart)):
                kind = type(block)
                counts[kind] += 1
                names[id(block)] = f"{'表' if kind is Table else '图'}{counts[kind]}"
    return names


def anchors(items: Sequence[Definition], prefix: str) -> dict[str, str]:
    """Key → anchor in the document."""
    taken: set[str] = set()
    return {item.key: prefix + _anchor(item.key, taken) for item in items}


META_LABELS = {
    "version": "程序版本",
    "files": "所用文件",
    "name": "名称",
    "sha256": "校验值（SHA-256）",
    "rows": "行数",
    "format": "格式",
    "exam": "考试",
    "date": "日期",
    "county": "县区",
    "stage": "学段",
    "grade": "年级",
    "nature": "性质",
    "scope": "范围",
    "approval_document": "批准文件",
    "denominator": "分母",
    "gate": "公布范围",
    "rules": "规则",
    "reasons": "理由",
}  # of what reports name as their sources; another name stands as it is


def meta_lines(meta: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a report is made from, flattened to (name, text) for the last page."""
    lines: list[tuple[str, str]] = []
    for name, value in meta.items():
        if isinstance(value, (list, tuple)):
            lines += [(_label(name) if i == 0 else "", _flat(item)) for i, item in enumerate(value)]
        else:
            lines.append((_label(name), _flat(value)))
    return [(one_line(name), one_line(text)) for name, text in lines]


def _label(name: Any) -> str:
    return META_LABELS.get(str(name), str(name))


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return "；".join(
            f"{_label(key)} {_flat(item)}" for key, item in value.items() if item not in (None, "", [], ())
        )
    if isinstance(value, (list, tuple)):
        return "、".join(_flat(item) for item in value)
    return "" if value is None else str(value)


def _walk(sections: Sequence[Section], level: int, taken: set[str]) -> Iterator[Part]:
    for index, section in enumerate(sections, 1):
        number = (f"{chinese_number(index)}、", f"（{chinese_number(index)}）", f"{index}.", f"（{index}）")[
            min(level, 4) - 1
        ]
        heading = Heading(level, number, one_line(section.title), _anchor(section.key or section.title, taken))
        yield Part(heading, section.blocks)
        yield from _walk(section.children, level + 1, taken)


def _anchor(text: str, taken: set[str]) -> str:
    """An anchor of letters, digits and Chinese characters, unique in `taken`."""
    base = re.sub(r"[^0-9A-Za-z\u4e00-\u9fa5]+", "-", text).strip("-")[:30] or "p"
    anchor, count = base, 1
    while anchor in taken:
        count += 1
        anchor = f"{base}-{count}"
    taken.add(anchor)
    return anchor
