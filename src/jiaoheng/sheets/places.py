"""Where something stands in a user's files, what is wrong there, and what must be asked.

These four small types are the language in which every room speaks to the user about a file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


def column_letters(column: int) -> str:
    """Spreadsheet letters of a 1-based column number (1 → A, 27 → AA)."""
    letters = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


@dataclass(frozen=True, slots=True)
class Place:
    """A file, sheet, row or cell. Row and column are 1-based as the user sees them; 0 means the whole."""

    file: str = ""
    sheet: str = ""
    row: int = 0
    column: int = 0

    @property
    def cell(self) -> str:
        """`E17`, `17行`, `E列` or the empty string."""
        if self.row and self.column:
            return f"{column_letters(self.column)}{self.row}"
        if self.row:
            return f"第{self.row}行"
        return f"{column_letters(self.column)}列" if self.column else ""

    def __str__(self) -> str:
        parts = [self.file]
        if self.sheet:
            parts.append(f"工作表“{self.sheet}”")
        if self.cell:
            parts.append(self.cell)
        return " ".join(part for part in parts if part)

    @property
    def sheet_key(self) -> str:
        """`file|sheet`, the key under which answers about this sheet are kept in the settings."""
        return f"{self.file}|{self.sheet}"

    @property
    def key(self) -> str:
        """`file|sheet|E17` (or row number, or column letters), the settings key of this place."""
        if self.row and self.column:
            tail = self.cell
        else:
            tail = str(self.row) if self.row else (column_letters(self.column) if self.column else "")
        return f"{self.sheet_key}|{tail}" if tail else self.sheet_key


class Severity(StrEnum):
    """ERROR stops the report; WARNING and NOTE are listed in it."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong or was silently mended: where, what is there, what to do (plain Chinese)."""

    code: str  # stable, e.g. "score-above-full"; listed in docs/messages.md
    severity: Severity
    place: Place
    message: str  # what is there and what is right: "成绩 155 超过满分 150"
    remedy: str = ""  # what to do: "请改正，或在考试设置中修改满分"

    def __str__(self) -> str:
        return f"{self.place}：{self.message}。{self.remedy}".rstrip("。") + "。"


@dataclass(frozen=True, slots=True)
class Choice:
    """One possible answer: the word stored in the settings and what it means."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Question:
    """Something the files do not say and a number depends on.

    `key` is the path in the settings that answers it, e.g. ("marks", "/") or ("subjects", "化学", "full").
    `blocking` questions stop the report unless answered or `--yes` takes `default`;
    a question without a default can only be answered.
    """

    code: str
    key: tuple[str, ...]
    place: Place
    text: str
    choices: tuple[Choice, ...] = ()  # empty: free text or number
    default: str | None = None
    blocking: bool = True
    places: tuple[Place, ...] = field(default=())  # every place concerned, the first is `place`

    @property
    def settings_key(self) -> str:
        """The key as a person writes it: `marks › /`."""
        return " › ".join(self.key)
