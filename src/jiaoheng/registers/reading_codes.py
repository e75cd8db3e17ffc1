"""A code table from its YAML: `items` as `code: label` pairs, or as a list where choices begin or end on a day."""

from __future__ import annotations

from collections.abc import Sequence

from jiaoheng.registers.checking import Reader
from jiaoheng.registers.model import CodeItem, CodeTable
from jiaoheng.registers.yaml_places import Spot

KEYS = ("name", "title", "source", "items")
_ITEM_KEYS = ("code", "label", "from", "until")


def read_codes(spot: Spot, reader: Reader) -> CodeTable:
    """The table; what is wrong is noted in the reader."""
    entries = reader.mapping(spot, KEYS, "代码表", needed=("name", "title", "items"))
    name = reader.name(entries.get("name"), "name")
    title = reader.text(entries.get("title"), "title")
    source = reader.text(entries.get("source"), "source")
    return CodeTable(name, title, read_items(entries.get("items"), title or name, reader), source)


def read_items(spot: Spot | None, table: str, reader: Reader) -> tuple[CodeItem, ...]:
    """The choices of a table called `table` in messages."""
    if spot is None:
        return ()
    if isinstance(spot.value, dict):
        found = [(one.line, CodeItem(code, reader.text(one, code))) for code, one in spot.value.items()]
    elif isinstance(spot.value, list):
        found = [(one.line, _item(one, table, reader)) for one in spot.value]
    else:
        reader.wrong(spot.line, f"代码表“{table}”的 items 应是“代码: 名称”的一组或一个列表。", "请按示例改写。")
        return ()
    for line, item in found:
        if not item.code or not item.label:
            reader.wrong(line, f"代码表“{table}”的代码“{item.code}”没有名称。", "请补上名称。")
        elif item.from_ is not None and item.until is not None and item.until <= item.from_:
            reader.wrong(
                line,
                f"代码表“{table}”的 {item.code}（{item.label}）{item.from_} 起用、{item.until} 停用，一天也没有用过。",
                "停用日应晚于起用日。",
            )
    _overlaps(found, table, reader)
    return tuple(item for _line, item in found)


def _item(spot: Spot, table: str, reader: Reader) -> CodeItem:
    entries = reader.mapping(spot, _ITEM_KEYS, f"代码表“{table}”的一项", needed=("code", "label"))
    return CodeItem(
        reader.text(entries.get("code"), "code"),
        reader.text(entries.get("label"), "label"),
        reader.date(entries.get("from"), "from"),
        reader.date(entries.get("until"), "until"),
    )


def _overlaps(found: Sequence[tuple[int, CodeItem]], table: str, reader: Reader) -> None:
    """Note every pair of items of one code that hold on a common day; without dates a code may stand once only."""
    by_code: dict[str, list[tuple[int, CodeItem]]] = {}
    for line, item in found:
        for other_line, other in by_code.get(item.code, []):
            starts_before_end = other.until is None or item.from_ is None or item.from_ < other.until
            ends_after_start = item.until is None or other.from_ is None or other.from_ < item.until
            if starts_before_end and ends_after_start:
                reader.wrong(
                    line,
                    f"代码表“{table}”的代码 {item.code} 有两个名称同时有效："
                    f"“{other.label}”（第 {other_line} 行）和“{item.label}”。",
                    "请给前一个写 until、后一个写 from，两段不重叠。",
                )
        by_code.setdefault(item.code, []).append((line, item))
