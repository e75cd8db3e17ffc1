"""What calamine does not tell of an .ods: reach of cells (repeats), merges, zero formats, errors, what is hidden."""

from __future__ import annotations

from jiaoheng.sheets.extent import Extent, SheetExtent
from jiaoheng.sheets.guard import Archive
from jiaoheng.sheets.raw_sheets import Facts, RefusalError
from jiaoheng.sheets.xml_parts import Attributes, walk

_HIDDEN = ("collapse", "filter")
_MOST_HIDDEN = 1_048_576


def read_facts(archive: Archive, extent: Extent) -> dict[str, Facts]:
    """Sheet name → facts; raises RefusalError for a password or a filled cell too far out."""
    if b"encryption-data" in archive.read("META-INF/manifest.xml"):
        raise RefusalError("file-encrypted", "工作簿设有密码，读不出内容", "请先去掉密码再交")
    book = _Book(extent)
    archive.check_part("content.xml")
    walk(archive.stream("content.xml"), start=book.start, end=book.end, text=book.text)
    return book.sheets


class _Book:
    """State of the walk; row and column are 0-based."""

    def __init__(self, extent: Extent) -> None:
        self.sheets: dict[str, Facts] = {}
        self._extent = extent
        self._formats: dict[str, int] = {}  # number style → digits
        self._styles: dict[str, int] = {}  # cell style → digits
        self._hidden_styles: set[str] = set()
        self._style = ""
        self._number = ""
        self._facts: Facts | None = None
        self._measure: SheetExtent | None = None
        self._row = self._rows = self._column = self._columns = 0
        self._cell: Attributes | None = None
        self._text: list[str] = []
        self._column_styles: list[tuple[int, int, str]] = []

    def start(self, tag: str, attributes: Attributes) -> None:
        if self._facts is None:
            self._outside(tag, attributes)
            return
        repeated = _repeat(attributes, "number-columns-repeated")
        if tag == "table-column":
            if attributes.get("visibility") in _HIDDEN:
                self._facts.hidden_columns.update(range(self._columns, self._columns + min(repeated, 16_384)))
            self._column_styles.append(
                (self._columns, self._columns + repeated, attributes.get("default-cell-style-name", ""))
            )
            self._columns += repeated
        elif tag == "table-row":
            self._rows = _repeat(attributes, "number-rows-repeated")
            self._column = 0
            if attributes.get("visibility") in _HIDDEN:
                self._facts.hidden_rows.update(range(self._row, self._row + min(self._rows, _MOST_HIDDEN)))
                self._facts.filtered |= attributes.get("visibility") == "filter"
        elif tag in ("table-cell", "covered-table-cell"):
            self._cell, self._text = attributes, []

    def _outside(self, tag: str, attributes: Attributes) -> None:
        name = attributes.get("name", "")
        if tag == "number-style":
            self._number = name
        elif tag == "number" and self._number:
            digits = attributes.get("min-integer-digits", "")
            if digits.isdigit() and 1 < int(digits[:4]) <= 30 and attributes.get("decimal-places", "0") == "0":
                self._formats[self._number] = int(digits)
        elif tag == "style":
            self._style = name
            digits_of = self._formats.get(attributes.get("data-style-name", ""))
            if digits_of:
                self._styles[name] = digits_of
        elif tag == "table-properties" and attributes.get("display") == "false":
            self._hidden_styles.add(self._style)
        elif tag == "table":
            self._facts = Facts(hidden=attributes.get("style-name", "") in self._hidden_styles)
            self.sheets[name] = self._facts
            self._measure = self._extent.sheet(name)
            self._row = self._columns = 0
            self._column_styles = []

    def end(self, tag: str) -> None:
        if tag == "number-style":
            self._number = ""
        if self._facts is None or self._measure is None:
            return
        if tag in ("table-cell", "covered-table-cell") and self._cell is not None:
            self._close_cell(self._cell, self._facts, self._measure)
            self._cell = None
        elif tag == "table-row":
            self._row += self._rows
        elif tag == "table":
            self._measure.close()
            self._facts = None

    def text(self, text: str) -> None:
        if self._cell is not None and len(self._text) < 8:
            self._text.append(text[:200])

    def _close_cell(self, cell: Attributes, facts: Facts, measure: SheetExtent) -> None:
        repeated = _repeat(cell, "number-columns-repeated")
        wide, high = _repeat(cell, "number-columns-spanned"), _repeat(cell, "number-rows-spanned")
        text = "".join(self._text).strip()
        row, column = self._row, self._column
        self._column += repeated
        if wide > 1 or high > 1:
            facts.merged.append((row, column, row + high - 1, column + wide - 1))
        if not text and "value" not in cell and not cell.get("value-type"):
            return
        measure.add(row + self._rows, column + repeated, self._rows * repeated)
        if cell.get("value-type") == "error" or (text.startswith("#") and text in _ERRORS and "formula" in cell):
            facts.errors[row, column] = text[:40]
        if "formula" in cell and not text and "value" not in cell:
            facts.formulas.add((row, column))
        digits = self._styles.get(cell.get("style-name") or self._default_style(column), 0)
        if digits and "value" in cell:
            for at in range(row, row + self._rows):
                facts.zero_formats.update(
                    dict.fromkeys(((at, one) for one in range(column, column + repeated)), digits)
                )

    def _default_style(self, column: int) -> str:
        return next((style for first, end, style in self._column_styles if first <= column < end), "")


_ERRORS = frozenset({"#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!"})


def _repeat(attributes: Attributes, name: str) -> int:
    text = attributes.get(name, "")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else 1
