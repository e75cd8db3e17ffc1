"""Tables in Word: three rules and thin lines, heads that repeat, rows that never break, the size that fits the page."""

from __future__ import annotations

from dataclasses import dataclass

from jiaoheng.documents.model import Table, TableColumn
from jiaoheng.documents.printing import Printed, foot_notes, head, head_groups, is_numeric, printed
from jiaoheng.documents.safe_text import one_line
from jiaoheng.documents.widths import text_width, widest
from jiaoheng.documents.word_styles import TEXT_TWIPS
from jiaoheng.documents.word_xml import FANG, HEI, Look, paragraph, runs

# Half-points: 小四, 五号, 小五, 六号 — the first that fits is taken, from 五号 for tables of many rows.
_SIZES = (24, 21, 18, 15)
_MANY_ROWS = 12
_WHOLE = 14  # rows of a table that stays on one page
_PADDING = 120  # twips: left and right of a cell
_NAME_WIDTH = 22  # half-width characters that a text column wants before it wraps
_HEAD_WIDTH = 8
_DIM = "6B767E"
_RULE = '<w:{0} w:val="single" w:sz="{1}" w:space="0" w:color="{2}"/>'


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is set: half-points, column widths in twips, on a landscape page or not."""

    size: int
    widths: tuple[int, ...]
    landscape: bool


def layout(table: Table) -> Layout:
    """The largest size at which the columns fit an upright page, else a landscape one, else the smallest size there."""
    needs = [_need(table, index, _NAME_WIDTH, _HEAD_WIDTH) for index in range(len(table.columns))]
    sizes = _SIZES if len(table.rows) <= _MANY_ROWS else _SIZES[1:]
    for landscape in (True,) if table.wide else (False, True):
        room = TEXT_TWIPS[landscape]
        smallest = sizes[-1] if landscape else sizes[-2]
        for size in sizes:
            wanted = [need * size * 5 + _PADDING for need in needs]  # half a character of size/2 pt is size·5 twips
            if sum(wanted) <= room:
                return Layout(size, _stretched(wanted, room), landscape)
            if size == smallest:
                break
    return Layout(sizes[-1], _squeezed(table, sizes[-1], TEXT_TWIPS[True]), landscape=True)


def _squeezed(table: Table, size: int, room: int) -> tuple[int, ...]:
    """Widths of a table too wide for any page: heads wrap more, numbers keep their room, names share the rest."""
    wanted = [
        _need(table, index, _NAME_WIDTH, _HEAD_WIDTH // 2) * size * 5 + _PADDING for index in range(len(table.columns))
    ]
    names = [index for index, column in enumerate(table.columns) if not is_numeric(column)]
    left = room - sum(width for index, width in enumerate(wanted) if index not in names)
    smallest = _NAME_WIDTH // 2 * size * 5
    if names and left >= smallest * len(names):
        for index in names:
            wanted[index] = min(wanted[index], left // len(names))
    total = sum(wanted)
    return tuple(width * room // total for width in wanted)


def table_xml(table: Table, place: Layout) -> str:
    """The table and what stands under it, without its caption."""
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in place.widths)
    rows = [_head_rows(table, place)]
    last = len(table.rows) - 1
    for index, values in enumerate(table.rows):
        cells = [
            _cell(printed(value, column), column, width, place.size, index in table.emphasis)
            for column, value, width in zip(table.columns, values, place.widths, strict=True)
        ]
        rows.append(_row("".join(cells), keep=last < _WHOLE or index in (0, last - 1, last)))
    borders = _RULE.format("top", 12, "182026") + _RULE.format("bottom", 12, "182026")
    borders += _RULE.format("insideH", 4, "D8DEE1")
    properties = (
        f'<w:tblW w:w="{sum(place.widths)}" w:type="dxa"/><w:jc w:val="center"/><w:tblBorders>{borders}</w:tblBorders>'
        '<w:tblLayout w:type="fixed"/><w:tblCellMar><w:left w:w="60" w:type="dxa"/><w:right w:w="60" w:type="dxa"/>'
        '</w:tblCellMar><w:tblLook w:val="0420" w:firstRow="1" w:lastRow="0" w:firstColumn="0" '
        f'w:lastColumn="0" w:noHBand="0" w:noVBand="1"/><w:tblCaption w:val="{_attribute(table.title)}"/>'
    )
    text = f"<w:tbl><w:tblPr>{properties}</w:tblPr><w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>"
    notes = "".join(paragraph("TableNote", runs(line, Look("楷体_GB2312"))) for line in foot_notes(table))
    return text + (notes or paragraph("Gap", ""))


def line(size: int) -> str:
    """Exact line height of a cell: rows are then as high in every program, whatever font stands in."""
    return f'<w:spacing w:before="20" w:after="20" w:line="{size * 13}" w:lineRule="exact"/>'


def _head_rows(table: Table, place: Layout) -> str:
    """One or two rows of heads; upper heads span their columns, single heads span both rows."""
    two = any(column.group for column in table.columns)
    upper, lower, position = [], [], 0
    for group, columns in head_groups(table):
        widths = place.widths[position : position + len(columns)]
        position += len(columns)
        if not two or group:
            lower += [_head(_head_text(c), w, place.size, is_numeric(c)) for c, w in zip(columns, widths, strict=True)]
            if two:
                span = f'<w:gridSpan w:val="{len(columns)}"/>'
                under = f"<w:tcBorders>{_RULE.format('bottom', 4, '828E96')}</w:tcBorders>"
                upper.append(_head(one_line(group), sum(widths), place.size, True, span + under, centre=True))
        else:
            for column, width in zip(columns, widths, strict=True):
                text, numeric = _head_text(column), is_numeric(column)
                upper.append(_head(text, width, place.size, numeric, '<w:vMerge w:val="restart"/>'))
                lower.append(_head("", width, place.size, numeric, "<w:vMerge/>" + _UNDER))
    return (_row("".join(upper), header=True) if two else "") + _row("".join(lower), header=True)


_UNDER = f"<w:tcBorders>{_RULE.format('bottom', 6, '182026')}</w:tcBorders>"


def _head(text: str, width: int, size: int, numeric: bool, extra: str = "", *, centre: bool = False) -> str:
    side = "center" if centre else "right" if numeric else "left"
    extra = extra or _UNDER
    inner = paragraph("TableText", runs(text, Look(HEI, size)), f'<w:keepNext/>{line(size)}<w:jc w:val="{side}"/>')
    return f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{extra}<w:vAlign w:val="bottom"/></w:tcPr>{inner}</w:tc>'


def _cell(cell: Printed, column: TableColumn, width: int, size: int, strong: bool) -> str:
    look = Look(FANG, size, bold=strong, colour=_DIM if cell.dim or cell.reason else "")
    extra = line(size) + ('<w:jc w:val="right"/>' if is_numeric(column) else "")
    inner = paragraph("TableText", runs(cell.text, look), extra)
    return f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/><w:vAlign w:val="center"/></w:tcPr>{inner}</w:tc>'


def _row(cells: str, *, header: bool = False, keep: bool = False) -> str:
    properties = "<w:cantSplit/>" + ("<w:tblHeader/>" if header else "")
    if keep:
        cells = cells.replace('<w:pStyle w:val="TableText"/>', '<w:pStyle w:val="TableText"/><w:keepNext/>')
    return f"<w:tr><w:trPr>{properties}</w:trPr>{cells}</w:tr>"


def _head_text(column: TableColumn) -> str:
    label, unit = head(column)
    return f"{label}（{unit}）" if unit else label


def _need(table: Table, index: int, name_width: int, head_width: int) -> int:
    """Half-width characters that a column needs so that no number wraps and no name wraps badly."""
    column = table.columns[index]
    body = widest(column, (row[index] for row in table.rows))
    if not is_numeric(column):
        body = min(body, column.width or name_width)
    title = min(text_width(_head_text(column)), head_width)
    return max(body, title, 4) + 1


def _stretched(wanted: list[int], room: int) -> tuple[int, ...]:
    """Columns as wide as they want, spread over the page where that keeps them readable as rows."""
    total = sum(wanted)
    if total * 5 < room * 2:  # a narrow table stays narrow: eyes would lose the row
        return tuple(width * 3 // 2 for width in wanted)
    return tuple(width * room // total for width in wanted)


def _attribute(text: str) -> str:
    return one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
