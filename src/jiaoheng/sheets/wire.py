"""How sheets travel from the reading process to ours: JSON headers and flat arrays, never pickle.

The reading process has parsed hostile bytes, so it is not trusted: what it sends can only become text, numbers and
dates. Pickle would run its code, marshal is documented as unsafe, and Arrow costs more to import in the child
(0.2 s) than most files take to read. A frame is `JH01`, two lengths, a JSON object and a block of bytes. A sheet
travels in blocks of rows, column by column, so that neither side holds a second copy and both work at once.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import struct
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import compress, islice, zip_longest
from typing import Any, BinaryIO

from jiaoheng.sheets.raw_sheets import Finding, RawCell, RawRow
from jiaoheng.sheets.workbook import Cell

MAGIC = b"JH01"
_HEAD = struct.Struct("<4sII")
MOST = 512 * 1024 * 1024  # bytes of one frame; blocks are far smaller, text may be long
BLOCK_ROWS = 8192
BLOCK_CELLS = 400_000
TEXT, NUMBER, WHOLE, OTHER = b"sdqo"
_KINDS: dict[type, int] = {
    str: TEXT,
    float: NUMBER,
    int: WHOLE,
    bool: OTHER,
    dt.datetime: OTHER,
    dt.date: OTHER,
    dt.time: OTHER,
    dt.timedelta: OTHER,
}
_WHOLE_LIMIT = 2**63


class WireError(Exception):
    """The other side sent something that is not a frame of this protocol, or stopped in the middle."""


def write_frame(stream: BinaryIO, head: dict[str, Any], body: bytes = b"") -> None:
    """Send one frame."""
    text = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    stream.write(_HEAD.pack(MAGIC, len(text), len(body)) + text)
    if body:
        stream.write(body)
    stream.flush()


def read_frame(stream: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """Receive one frame; raises WireError at the end of the stream or on anything else than a frame."""
    magic, head_size, body_size = _HEAD.unpack(_exactly(stream, _HEAD.size))
    if magic != MAGIC or head_size > MOST or body_size > MOST:
        raise WireError("not a frame")
    text = _exactly(stream, head_size)
    try:
        head = json.loads(text.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise WireError("not JSON") from error
    if not isinstance(head, dict):
        raise WireError("not an object")
    return head, _exactly(stream, body_size)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if data is None or len(data) < size:
        raise WireError("the stream ended")
    return data


class SheetEncoder:
    """Turns rows into block frames; counts rows and columns up to the last cell that is not empty."""

    def __init__(self, longest: int, mend: Callable[[str], str] | None = None) -> None:
        self._longest = longest
        self._mend = mend
        self._table: defaultdict[str, int] = defaultdict()
        self._table.default_factory = self._table.__len__
        self._table[""]  # index 0 is the empty cell
        self._sent = 1
        self.rows = 0
        self.columns = 0
        self._seen = 0
        self.too_long: list[tuple[int, int, int]] = []  # 0-based row, column, length
        self.not_finite: list[tuple[int, int]] = []

    def blocks(self, rows: Iterable[RawRow]) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Frames for all rows, in order."""
        source = iter(rows)
        size = 64
        while block := list(islice(source, size)):
            yield self._block(block)
            width = max(map(len, block), default=1) or 1
            size = max(1, min(BLOCK_ROWS, BLOCK_CELLS // width))

    def _block(self, block: list[RawRow]) -> tuple[dict[str, Any], bytes]:
        even = len(set(map(len, block))) == 1
        columns = list(zip(*block, strict=True)) if even else list(zip_longest(*block, fillvalue=""))
        body: list[bytes] = []
        others: list[str] = []
        filled = -1
        for index, column in enumerate(columns):
            last = self._column(index, column, body, others)
            if last >= 0:
                self.columns = max(self.columns, index + 1)
                filled = max(filled, last)
        if filled >= 0:
            self.rows = self._seen + filled + 1
        head = {"t": "block", "rows": len(block), "columns": len(columns), "text": self._new_text(columns)}
        head["other"] = others
        self._seen += len(block)
        return head, b"".join(body)

    def _column(self, index: int, column: tuple[RawCell, ...], body: list[bytes], others: list[str]) -> int:
        """Append one column's bytes; returns the position of its last filled cell, -1 where there is none."""
        types = set(map(type, column))
        if types == {str}:
            texts = array("I", map(self._table.__getitem__, column))  # type: ignore[arg-type]  # all are str
            body += [b"s", texts.tobytes()]
            return next((at for at in range(len(texts) - 1, -1, -1) if texts[at]), -1)
        if types == {float}:
            body += [b"d", self._numbers(index, column)]  # type: ignore[arg-type]  # all are float
            return len(column) - 1
        kinds = bytes(map(_KINDS.__getitem__, map(type, column)))
        body += [b"m", kinds]
        self._mixed(index, column, kinds, body, others)
        last = len(column) - 1
        while last >= 0 and column[last] == "":
            last -= 1
        return last

    def _mixed(
        self, index: int, column: tuple[RawCell, ...], kinds: bytes, body: list[bytes], others: list[str]
    ) -> None:
        texts: list[Any] = [cell for cell in column if type(cell) is str]
        body.append(array("I", map(self._table.__getitem__, texts)).tobytes())
        numbers = [cell for cell in column if type(cell) is float]
        places = (
            None if all(map(math.isfinite, numbers)) else list(compress(range(len(column)), map(NUMBER.__eq__, kinds)))
        )
        body.append(self._numbers(index, numbers, places))
        if WHOLE in kinds:
            whole: list[Any] = [cell for cell in column if type(cell) is int]
            body.append(array("q", [max(-_WHOLE_LIMIT, min(cell, _WHOLE_LIMIT - 1)) for cell in whole]).tobytes())
        if OTHER in kinds:
            others += [_pack(cell) for cell, kind in zip(column, kinds, strict=True) if kind == OTHER]

    def _numbers(self, index: int, numbers: Sequence[float], places: Sequence[int] | None = None) -> bytes:
        values = array("d", numbers)
        if not math.isfinite(sum(numbers)):
            for at, value in enumerate(values):
                if not math.isfinite(value):
                    self.not_finite.append((self._seen + (places[at] if places else at), index))
        return values.tobytes()

    def _new_text(self, columns: Sequence[tuple[RawCell, ...]]) -> list[str]:
        """The texts that this block uses for the first time, mended and cut to the longest that a cell may hold."""
        new = list(islice(reversed(self._table), len(self._table) - self._sent))  # from its end: the table is long
        new.reverse()
        self._sent = len(self._table)
        if self._mend is not None and "_x" in "".join(new):
            new = [self._mend(text) if "_x" in text else text for text in new]
        longest = self._longest
        if max(map(len, new), default=0) <= longest:
            return new
        long = {text for text in new if len(text) > longest}
        for index, column in enumerate(columns):
            self.too_long += [
                (self._seen + at, index, len(cell))
                for at, cell in enumerate(column)
                if isinstance(cell, str) and cell in long
            ]
        return [text[:longest] for text in new]


def _pack(cell: RawCell) -> str:
    if isinstance(cell, bool):
        return f"b{int(cell)}"
    if isinstance(cell, dt.datetime):
        return "D" + cell.isoformat()
    if isinstance(cell, dt.date):
        return "d" + cell.isoformat()
    if isinstance(cell, dt.time):
        return "t" + cell.isoformat()
    assert isinstance(cell, dt.timedelta)  # noqa: S101 (the other kinds never come here)
    return f"l{cell // dt.timedelta(microseconds=1)}"


_UNPACK: dict[str, Callable[[str], Cell]] = {
    "b": lambda text: text == "1",
    "D": dt.datetime.fromisoformat,
    "d": dt.date.fromisoformat,
    "t": dt.time.fromisoformat,
    "l": lambda text: dt.timedelta(microseconds=int(text)),
}


class SheetDecoder:
    """Puts block frames together again. Anything that does not add up raises WireError."""

    def __init__(self, most_cells: int) -> None:
        self._table: list[str | None] = [None]
        self._most = most_cells
        self._cells = 0
        self._rows: list[tuple[Cell, ...]] = []

    def add(self, head: dict[str, Any], body: bytes) -> None:
        """Take in one block."""
        try:
            count, width = int(head["rows"]), int(head["columns"])
            self._cells += count * width
            if count < 0 or width < 0 or self._cells > self._most:
                raise WireError("more cells than allowed")
            new = head["text"]
            if not set(map(type, new)) <= {str}:
                raise WireError("text expected")
            self._table += new
            others = iter([_UNPACK[text[0]](text[1:]) for text in head["other"]])
            columns, at = [], 0
            for _ in range(width):
                column, at = self._column(body, at, count, others)
                columns.append(column)
            self._rows += zip(*columns, strict=True) if columns else [()] * count
        except (KeyError, ValueError, TypeError, IndexError, OverflowError, struct.error) as error:
            raise WireError("a block does not add up") from error

    def _column(self, body: bytes, at: int, count: int, others: Iterator[Cell]) -> tuple[Sequence[Cell], int]:
        layout = body[at]
        at += 1
        if layout == TEXT:
            texts, at = _array("I", body, at, count)
            return list(map(self._table.__getitem__, texts)), at
        if layout == NUMBER:
            numbers, at = _array("d", body, at, count)
            return numbers.tolist(), at
        kinds = body[at : at + count]
        at += count
        texts, at = _array("I", body, at, kinds.count(TEXT))
        numbers, at = _array("d", body, at, kinds.count(NUMBER))
        sources: dict[int, Iterator[Cell]] = {
            TEXT: map(self._table.__getitem__, texts),
            NUMBER: iter(numbers.tolist()),
            OTHER: others,
        }
        if WHOLE in kinds:
            whole, at = _array("q", body, at, kinds.count(WHOLE))
            sources[WHOLE] = iter(whole.tolist())
        column = list(map(next, map(sources.__getitem__, kinds)))
        if len(column) != count:
            raise WireError("a column is short")
        return column, at

    def finish(self, rows: int, columns: int, empty: Iterable[tuple[int, int]] = ()) -> tuple[tuple[Cell, ...], ...]:
        """All rows, cut to `rows` × `columns` and filled up to it with None; the cells at `empty` become None."""
        if rows < 0 or columns < 0 or rows * columns > self._most or rows > self._most:
            raise WireError("the sheet is larger than allowed")
        del self._rows[rows:]
        self._rows += [()] * (rows - len(self._rows))
        for row, column in empty:
            cells = self._rows[row]
            if column < len(cells) and cells[column] is not None:
                self._rows[row] = (*cells[:column], None, *cells[column + 1 :])
        if all(width == columns for width in set(map(len, self._rows))):
            return tuple(self._rows)
        blank: tuple[Cell, ...] = (None,) * columns
        return tuple(row[:columns] if len(row) >= columns else row + blank[len(row) :] for row in self._rows)


def _array(code: str, body: bytes, at: int, count: int) -> tuple[array[Any], int]:
    values = array(code)
    end = at + count * values.itemsize
    if end > len(body):
        raise WireError("a block is short")
    values.frombytes(body[at:end])
    return values, end


def pack_findings(findings: Iterable[Finding]) -> list[list[Any]]:
    """Findings as JSON."""
    return [[f.code, f.severity, f.message, f.remedy, f.sheet, f.row, f.column] for f in findings]


def unpack_findings(packed: Any) -> list[Finding]:
    """Findings from JSON; raises WireError where they are none."""
    try:
        return [
            Finding(str(code), str(severity), str(message), str(remedy), str(sheet), int(row), int(column))
            for code, severity, message, remedy, sheet, row, column in packed
        ]
    except (TypeError, ValueError) as error:
        raise WireError("findings expected") from error
