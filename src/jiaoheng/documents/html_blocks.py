"""The blocks of a report as plain values for the page's template."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from jiaoheng.documents.model import Block, Bullets, Chart, Definition, KeyFigures, Note, Paragraph, Report, Table
from jiaoheng.documents.model import TableColumn as TableColumn
from jiaoheng.documents.outline import DEFINITIONS_TITLE, Heading, anchors, captions, parts
from jiaoheng.documents.printing import foot_notes, head, head_groups, is_numeric, printed
from jiaoheng.documents.safe_text import clean, one_line
from jiaoheng.documents.words import TONES

_TALL = 16  # rows from which a table scrolls in itself under its head
_SEARCHABLE = 12
_WIDE = 10  # columns from which a table prints on a landscape page


class View:
    """Names and anchors of everything that is linked to in the page."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.names = captions(report)
        self.definitions = anchors(report.definitions, "def-")
        self.texts: dict[str, Definition] = {item.key: item for item in report.definitions}
        self._table_anchor = {id(table): f"table-{self.names[id(table)][1:]}" for table in report.tables()}

    def chart_anchor(self, chart: Chart) -> str:
        """`chart-3`."""
        return f"chart-{self.names[id(chart)][1:]}"

    def table_anchor(self, table: Table) -> str:
        """`table-3`."""
        return self._table_anchor[id(table)]

    def anchor_of_table(self, key: str) -> str:
        """The anchor of the first table with this key; empty where the report has none."""
        return next((self.table_anchor(table) for table in self.report.tables() if table.key == key), "")


def chapters(report: Report, view: View, svg: Callable[[Chart], Any]) -> Iterator[tuple[Heading, list[dict[str, Any]]]]:
    """Each chapter (level 1) with the blocks of all its parts, their headings among them."""
    current: tuple[Heading, list[dict[str, Any]]] | None = None
    for part in parts(report):
        if part.heading.title == DEFINITIONS_TITLE and not part.blocks and part.heading.level == 1:
            continue
        if part.heading.level == 1:
            if current is not None:
                yield current
            current = (part.heading, [])
        elif current is not None:
            tag = min(part.heading.level + 1, 5)
            current[1].append({"kind": "heading", "tag": tag, "anchor": part.heading.anchor, "text": part.heading.text})
        if current is not None:
            current[1].extend(_block(block, view, svg) for block in part.blocks)
    if current is not None:
        yield current


def _block(block: Block, view: View, svg: Callable[[Chart], Any]) -> dict[str, Any]:
    if isinstance(block, Paragraph):
        lines = [line.strip() for line in clean(block.text).split("\n") if line.strip()]
        return {"kind": "paragraph", "lines": lines, "strong": block.strong}
    if isinstance(block, Bullets):
        tag = "ol" if block.numbered else "ul"
        return {"kind": "bullets", "tag": tag, "items_": [one_line(item) for item in block.items]}
    if isinstance(block, Note):
        return {"kind": "note", "tone": block.tone.value, "word": TONES[block.tone], "text": one_line(block.text)}
    if isinstance(block, KeyFigures):
        return {"kind": "figures", "figures": [_figure(figure, view) for figure in block.figures]}
    if isinstance(block, Table):
        return _table(block, view)
    return {
        "kind": "chart",
        "anchor": view.chart_anchor(block),
        "name": view.names[id(block)],
        "title": one_line(block.title),
        "subtitle": one_line(block.subtitle),
        "alt": one_line(block.alt) or one_line(block.title),
        "table": view.anchor_of_table(block.table) if block.table else "",
        "svg": svg(block),
    }


def _figure(figure: Any, view: View) -> dict[str, str]:
    texts = {name: one_line(getattr(figure, name)) for name in ("label", "value", "unit", "context")}
    return texts | {"anchor": view.definitions.get(figure.definition, "")}


def _table(table: Table, view: View) -> dict[str, Any]:
    upper, heads = _heads(table, view)
    rows = [_row(table, index) for index in range(len(table.rows))]
    foot_from = len(rows)
    while foot_from > 0 and foot_from - 1 in table.emphasis:
        foot_from -= 1
    return {
        "kind": "table",
        "anchor": view.table_anchor(table),
        "name": view.names[id(table)],
        "title": one_line(table.title),
        "upper": upper,
        "heads": heads,
        "rows": rows[:foot_from],
        "foot": rows[foot_from:],
        "notes": foot_notes(table) or ([] if rows else ["没有数据。"]),
        "tall": len(rows) > _TALL,
        "searchable": len(rows) > _SEARCHABLE,
        "wide": table.wide or len(table.columns) > _WIDE,
    }


def _heads(table: Table, view: View) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Upper heads (empty where there are none) and the heads of the last row."""
    two = any(column.group for column in table.columns)
    upper: list[dict[str, Any]] = []
    lower: list[dict[str, Any]] = []
    position = 0
    for group, columns in head_groups(table):
        made = [_head(column, position + i, view, len(table.rows)) for i, column in enumerate(columns)]
        position += len(columns)
        if two and not group:
            upper += made
        else:
            if two:
                upper.append({"label": one_line(group), "span": len(columns)})
            lower += made
    return upper, lower


def _head(column: TableColumn, position: int, view: View, rows: int) -> dict[str, Any]:
    label, unit = head(column)
    definition = None
    if column.definition in view.definitions:
        text = view.texts[column.definition].text
        definition = {"anchor": view.definitions[column.definition], "text": one_line(text)}
    return {
        "label": label,
        "unit": unit,
        "span": 0,
        "column": position,
        "numeric": is_numeric(column),
        "sortable": rows > 2,
        "definition": definition,
    }


def _row(table: Table, index: int) -> dict[str, Any]:
    cells = []
    for column, value in zip(table.columns, table.rows[index], strict=True):
        cell = printed(value, column)
        kinds = (["num"] if is_numeric(column) else []) + (["pale"] if cell.dim else [])
        order = None if cell.order is None else f"{cell.order:.12g}"
        cells.append(
            {"text": cell.text, "reason": cell.reason, "dim": cell.dim, "kind": " ".join(kinds), "order": order}
        )
    return {"cells": cells, "strong": index in table.emphasis}
