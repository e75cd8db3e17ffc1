"""One page of the uploaded sheet: its rows as in the file, same rows folded, filtered by what would become of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jiaoheng.bureau.ledgers.imports.sheet_lines import ASK, BAD, CHANGED, NEW, SAME, Stored

SIZE = 60  # rows of one page: half a screenful of twenty columns is 1,200 cells
_MARKS = {BAD: "错", CHANGED: "改", NEW: "新", ASK: "问"}


@dataclass(frozen=True, slots=True)
class ShownCell:
    """One cell; `kind`: bad, chg, new, ask or ""."""

    text: str
    old: str
    kind: str
    mark: str
    title: str
    anchor: str
    numeric: bool


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One row of the sheet; `folded`: how many same rows it stands for, `page` where they are listed."""

    words: str  # 9 or 6—8
    kind: str
    mark: str
    cells: tuple[ShownCell, ...]
    folded: int
    page: int


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one sheet that stand together."""

    name: str
    header_row: int
    columns: tuple[tuple[str, str, bool], ...]
    rows: tuple[ShownRow, ...]
    width: int


@dataclass(frozen=True, slots=True)
class SheetPage:
    """One page of the table."""

    parts: tuple[Part, ...]
    kind: str
    number: int
    pages: int
    words: str  # 第 1—60 行，共 130 行
    left: int  # rows that the preview does not list
    before: int
    after: int
    anchors: frozenset[str]  # of the wrong cells on this page


def sheet_page(lines: Stored, kind: str, number: object) -> SheetPage:
    """A page of the rows of a kind; "" is all of them with same rows folded. A page that is not there is the nearest."""
    entries = list(_folded(lines.lines)) if kind not in (BAD, CHANGED, NEW, ASK, "same") else list(_of(lines, kind))
    pages = max(1, -(-len(entries) // SIZE))
    text = str(number)
    at = min(max(int(text), 1), pages) if text.isascii() and text.isdigit() and len(text) < 9 else 1
    first = (at - 1) * SIZE
    chosen = entries[first : first + SIZE]
    words = f"第 {first + 1}—{first + len(chosen)} 行，共 {len(entries):,} 行" if pages > 1 else ""
    parts = tuple(_parts(lines, chosen))
    wrong = (cell.anchor for part in parts for row in part.rows for cell in row.cells if cell.kind == BAD)
    after = at + 1 if at < pages else 0
    return SheetPage(parts, kind, at, pages, words, lines.left, at - 1, after, frozenset(wrong))


Entry = tuple[list[Any], int, int]  # a line, how many same lines follow folded into it, their page


def _of(lines: Stored, kind: str) -> Iterator[Entry]:
    wanted = SAME if kind == "same" else kind
    for line in lines.lines:
        inside = line[2] == SAME if wanted == SAME else any(cell[1] == wanted for cell in line[3]) or line[2] == wanted
        if inside:
            yield line, 0, 0


def _folded(lines: Sequence[list[Any]]) -> Iterator[Entry]:
    run: list[list[Any]] = []
    before = 0  # same rows so far
    for line in lines:
        if line[2] == SAME and (not run or (run[-1][0] == line[0] and run[-1][1] + 1 == line[1])):
            run.append(line)
            continue
        if run:
            yield run[0], len(run), before // SIZE + 1
            before += len(run)
            run = []
        if line[2] == SAME:
            run.append(line)
        else:
            yield line, 0, 0
    if run:
        yield run[0], len(run), before // SIZE + 1


def _parts(lines: Stored, entries: Sequence[Entry]) -> Iterator[Part]:
    groups: list[tuple[int, list[Entry]]] = []
    for entry in entries:
        if not groups or groups[-1][0] != entry[0][0]:
            groups.append((entry[0][0], []))
        groups[-1][1].append(entry)
    several = len({one[0] for one in lines.sheets}) > 1
    for number, group in groups:
        file, name, header, columns = lines.sheets[number]
        words = f"{file} 工作表“{name}”" if several else f"工作表“{name}”"
        heads = tuple((letters, title, numeric) for letters, title, numeric in columns)
        rows = tuple(_row(lines, number, entry) for entry in group)
        yield Part(words, header, heads, rows, len(heads))


def _row(lines: Stored, sheet: int, entry: Entry) -> ShownRow:
    (_, row, kind, cells), folded, page = entry
    if folded:
        words = f"{row}—{row + folded - 1}" if folded > 1 else str(row)
        return ShownRow(words, "same", "", (), folded, page)
    columns = lines.sheets[sheet][3]
    made = tuple(
        ShownCell(text, old, cell_kind, _MARKS.get(cell_kind, "") if cell_kind != NEW else "", title,
                  f"c{sheet}-{letters}{row}", numeric)
        for (letters, title, numeric), (text, cell_kind, old) in zip(columns, cells, strict=True)
    )  # fmt: skip
    return ShownRow(str(row), kind, _MARKS.get(kind, "") if kind == NEW else "", made, 0, 0)
