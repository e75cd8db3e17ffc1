"""A worksheet whose table is longer than memory should hold: its finished rows wait in a file until the book is closed.

XlsxWriter's own way for long tables (constant_memory) wants every cell in order and repeats each text in its cell; here
heads are written as usual, and only the rows below them go past XlsxWriter, with shared texts.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from typing import Any

from xlsxwriter.worksheet import Worksheet

_PIECE = 1 << 20  # characters copied at once


class BodySheet(Worksheet):  # type: ignore[misc]
    """A worksheet that takes finished rows, in order and below everything written by XlsxWriter's own calls."""

    def __init__(self) -> None:
        super().__init__()
        self._body: Any = None
        self._first = 0
        self.dim_rowmax: Any

    def put_rows(self, first: int, columns: int, rows: Iterable[str]) -> None:
        """Take the cells' XML of rows from `first` (0-based) on, each with the cells of `columns` columns."""
        if self._body is None:
            # closed and removed with the worksheet, whatever happens before
            self._body = tempfile.TemporaryFile("w+", encoding="utf-8", newline="")  # noqa: SIM115
            self._first = first
        count = 0
        for count, cells in enumerate(rows, 1):
            self._body.write(f'<row r="{first + count}">{cells}</row>')
        if count:
            self._check_dimensions(first, 0)
            self._check_dimensions(first + count - 1, columns - 1)

    def _write_rows(self) -> None:
        """XlsxWriter's writing of the rows: the heads its way, then the body."""
        if self._body is None:
            super()._write_rows()
            return
        last, self.dim_rowmax = self.dim_rowmax, self._first - 1
        super()._write_rows()
        self.dim_rowmax = last
        self._body.seek(0)
        shutil.copyfileobj(self._body, self.fh, _PIECE)
        self._body.close()
