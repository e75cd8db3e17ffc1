"""The uploaded sheet as the second step shows it: row by row, each cell with its text and what would become of it.

Kept beside the preview as one JSON file. Wrong rows and rows with a question come first into it, then changed, new and
same ones, up to MOST_LINES: nobody reads five thousand rows on a page, and the marked workbook holds them all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings

from jiaoheng.bureau.core import durable, secrets
from jiaoheng.bureau.ledgers.imports.planning import Plan
from jiaoheng.bureau.ledgers.imports.reading import Read
from jiaoheng.bureau.ledgers.masking_rules import shown
from jiaoheng.registers.differences import RowDifference, RowState
from jiaoheng.registers.masking import mask_field
from jiaoheng.registers.model import CheckLevel, Field, FieldType
from jiaoheng.registers.rules import RuleError, parse_rule
from jiaoheng.registers.template_marks import TITLES, UNIT
from jiaoheng.registers.values import NOT_CALCULATED
from jiaoheng.sheets.places import Question, Severity, column_letters
from jiaoheng.sheets.text import cell_text

FILE = "sheet.json"
FORMAT = 3  # a file that an earlier program wrote is not read: the preview then shows its sentences alone
_PLACE = "imports/lines"
MOST_LINES = 2_000
MOST_MENDED = 20_000  # wrong rows that can be mended on the page
MOST_CHOICES = 60  # of a column, offered beside its wrong cells
BAD, CHANGED, NEW, ASK, SAME = "bad", "chg", "new", "ask", ""
CLEARED = "清空"
_NUMBERS = (FieldType.INTEGER, FieldType.NUMBER)


@dataclass(frozen=True, slots=True)
class Stored:
    """What lies in the file. `counts`: of cells by kind, of the whole upload; `left`: rows that are not in `lines`.

    `sheets`: file, sheet, header row, columns (letters, head, whether numeric). `lines`: number of the sheet, row of the
    sheet, kind of the row, cells (text, kind, old text). `raw`: place key → text as sent (protected values empty),
    unit of measure, whether numeric, head of the column, whether protected. `together`: place key → place keys of all
    cells that the broken rules there name. `choices`: head of a column → the labels that may stand in it. `asked`: every
    question, answered ones too.
    """

    counts: dict[str, int]
    sheets: list[list[Any]]
    lines: list[list[Any]]
    raw: dict[str, list[Any]]
    together: dict[str, list[str]]
    choices: dict[str, list[str]]
    asked: list[dict[str, Any]]
    left: int


EMPTY = Stored({}, [], [], {}, {}, {}, [], 0)


def save_lines(inside: str, found: Read, plan: Plan, questions: Iterable[Question]) -> None:
    """Write the file into a stored preview's folder."""
    asked = list(questions)
    made = _Maker(found, plan, asked).made()
    content: dict[str, Any] = {name: getattr(made, name) for name in Stored.__slots__}
    content["format"] = FORMAT
    durable.put(Path(settings.FILES) / inside / FILE, secrets.seal_bytes(_PLACE, orjson.dumps(content)))


def load_lines(inside: str) -> Stored:
    """Read it; EMPTY for a preview without one, or with one of another format."""
    path = Path(settings.FILES) / inside / FILE
    content = orjson.loads(secrets.unseal_bytes(_PLACE, path.read_bytes())) if path.is_file() else {}
    if content.pop("format", None) != FORMAT:
        return EMPTY
    return Stored(**content)


class _Maker:
    """One pass over the judged rows."""

    def __init__(self, found: Read, plan: Plan, asked: list[Question]) -> None:
        self.filled, self.schema, self.day = found.judged.filled, found.ground.schema, found.ground.day
        self.rows, self.plan, self.asked = found.judged.differences.rows, plan, asked
        self.open = {
            (one.place.file, one.place.sheet, one.place.row): one.place
            for one in asked
            if one.key not in found.said.answers and one.place.row and one.place.column
        }
        self.asks = {
            one.place.key for one in asked if one.key not in found.said.answers and one.place.row and one.place.column
        }
        self.columns = [self._columns(one) for one in self.filled.column_of]
        self.problems = found.judged.problems

    def made(self) -> Stored:
        chosen = self._chosen()
        sheets = [
            [
                self._file(number),
                name,
                self.filled.headers.get((self._file(number), name), 0),
                [[letters, title, numeric] for _, letters, title, numeric in self.columns[number]],
            ]
            for number, name in enumerate(self.filled.sheets)
        ]
        lines = [self._line(self.rows[number]) for number in chosen]
        asked = [
            {"key": list(one.key), "text": one.text, "place": str(one.place), "default": one.default,
             "choices": [[choice.value, choice.label] for choice in one.choices], "code": one.code}
            for one in self.asked
        ]  # fmt: skip
        raw, together = self._raw()
        left = len(self.rows) - len(chosen)
        return Stored(self._counts(), sheets, lines, raw, together, self._choices(raw), asked, left)

    def _file(self, sheet: int) -> str:
        files = getattr(self.filled, "files", None)
        return str(files[sheet]) if files else self.filled.file

    def _columns(self, names: dict[str, int]) -> list[tuple[str, str, str, bool]]:
        known = self.schema.by_name
        made = []
        for name, at in sorted(names.items(), key=lambda item: item[1]):
            one = known.get(name)
            if one is not None:
                unit = f"（{one.unit}）" if one.unit else ""
                made.append((name, column_letters(at), one.title + unit, one.type in _NUMBERS))
            elif name == UNIT:
                made.append((name, column_letters(at), TITLES[UNIT], False))
        return made

    def _chosen(self) -> list[int]:
        first, changed, new, same = list[int](), list[int](), list[int](), list[int]()
        buckets = (first, changed, new, same)
        # the states' names once: looking one up takes longer than all else that is done for a row
        order = ((RowState.NEW, new), (RowState.SAME, same), (RowState.CHANGED, changed), (RowState.WRONG, first))
        for number, row in enumerate(self.rows):
            state = row.state
            mine = first if self.open and self._asked(number) else next(rows for one, rows in order if one is state)
            if len(mine) < MOST_LINES:
                mine.append(number)
        found: list[int] = []
        for bucket in buckets:
            found += bucket[: MOST_LINES - len(found)]
        return sorted(found)

    def _asked(self, number: int) -> bool:
        place = self.filled.place(number)
        return (place.file, place.sheet, place.row) in self.open

    def _line(self, row: RowDifference) -> list[Any]:
        number = row.row
        sheet = self.filled.sheet_of[number]
        bad = {one.field or (self.schema.key[0] if self.schema.key else "") for one in row.wrongs if _blocks(one)}
        changes = {one.field: one for one in row.changes} if row.record is not None else {}
        place = f"{self._file(sheet)}|{self.filled.sheets[sheet]}|"
        cells = []
        for name, letters, _, _ in self.columns[sheet]:
            raw = self._cell(name, number)
            one = self.schema.by_name.get(name)
            if name in bad:
                cells.append([self._text(raw, one), BAD, ""])
            elif self.asks and f"{place}{letters}{self.filled.row_of[number]}" in self.asks:
                cells.append([self._text(raw, one), ASK, ""])
            elif name in changes and one is not None:
                change = changes[name]
                new = shown(self.schema, one, change.new, self.day) if change.new is not None else CLEARED
                cells.append([new, CHANGED, shown(self.schema, one, change.old, self.day)])
            elif raw is None:
                cells.append(["", SAME, ""])
            else:
                value = row.data.get(name) if one is not None else None
                text = shown(self.schema, one, value, self.day) if one is not None and value is not None else ""
                kind = NEW if row.record is None else SAME
                cells.append([text or self._text(raw, one), kind, ""])
        state = {RowState.WRONG: BAD, RowState.CHANGED: CHANGED, RowState.NEW: NEW, RowState.SAME: SAME}[row.state]
        if any(kind == ASK for _, kind, _ in cells):
            state = ASK if state != BAD else BAD
        return [sheet, self.filled.row_of[number], state, cells]

    def _cell(self, name: str, number: int) -> Any:
        if name == UNIT:
            return self.filled.units[number]
        cells = self.filled.cells.get(name)
        found = cells[number] if cells is not None else None
        return "" if found == NOT_CALCULATED else found  # the mark is ours, nobody wrote it

    def _text(self, raw: Any, one: Field | None) -> str:
        text = cell_text(raw) or ""
        return mask_field(text, one) if one is not None and one.sensitive and text else text

    def _counts(self) -> dict[str, int]:
        filled = self.filled.cells.values()
        total = sum(len(cells) - cells.count(None) for cells in filled)
        changed, new = len(self.plan.changes), 0
        is_new, is_wrong = RowState.NEW, RowState.WRONG
        for row in self.rows:
            if row.state is is_new:
                new += len(row.data)
            elif row.state is is_wrong:  # its right cells are new or changed all the same
                wrong = {one.field for one in row.wrongs if _blocks(one)}
                if row.record is None:
                    new += sum(name not in wrong for name in row.data)
                else:
                    changed += sum(one.field not in wrong for one in row.changes)
        bad = len({one.place.key for one in self.problems if one.severity is Severity.ERROR and one.place.row})
        ask = len(self.asks)
        total = max(total, bad + changed + new + ask)
        same = total - bad - changed - new - ask
        return {"total": total, BAD: bad, CHANGED: changed, NEW: new, ASK: ask, "same": same}

    def _raw(self) -> tuple[dict[str, list[Any]], dict[str, list[str]]]:
        """What stands in the wrong cells, for the inputs beside the sentences, and which cells a broken rule joins."""
        named = {(self._file(number), name): number for number, name in enumerate(self.filled.sheets)}
        rules = self._rules()
        wanted: dict[tuple[int, int], dict[str, None]] = {}  # sheet and row → names of columns
        joined: dict[str, dict[str, None]] = {}
        for problem in self.problems:
            place = problem.place
            sheet = named.get((place.file, place.sheet))
            if problem.severity is not Severity.ERROR or not place.row or not place.column or sheet is None:
                continue
            if len(wanted) >= MOST_MENDED and (sheet, place.row) not in wanted:
                continue
            at = {name: letters for name, letters, _, _ in self.columns[sheet]}
            inside = [name for name in rules.get(problem.code, ()) if name in at]
            own = next((name for name, letters in at.items() if letters == column_letters(place.column)), "")
            wanted.setdefault((sheet, place.row), {}).update(dict.fromkeys([own, *inside]))
            keys = [f"{place.sheet_key}|{at[name]}{place.row}" for name in inside]
            if keys:
                joined.setdefault(place.key, {}).update(dict.fromkeys(keys))
        found: dict[str, list[Any]] = {}
        for row in self.rows:
            if row.state is not RowState.WRONG:
                continue
            sheet = self.filled.sheet_of[row.row]
            number = self.filled.row_of[row.row]
            names = wanted.get((sheet, number), {})
            for name, letters, _, _ in self.columns[sheet] if names else ():
                if name in names:
                    found[f"{self._file(sheet)}|{self.filled.sheets[sheet]}|{letters}{number}"] = self._sent(
                        name, row.row
                    )
        return found, {key: list(keys) for key, keys in joined.items()}

    def _sent(self, name: str, row: int) -> list[Any]:
        one = self.schema.by_name.get(name)
        secret = one is not None and bool(one.sensitive)
        text = "" if secret else cell_text(self._cell(name, row)) or ""
        title = one.title if one is not None else TITLES.get(name, "")
        unit, numeric = (one.unit, one.type in _NUMBERS) if one is not None else ("", False)
        return [text, unit, numeric, title, secret]

    def _rules(self) -> dict[str, tuple[str, ...]]:
        """Code of a problem → the fields that its rule names."""
        found = {}
        for check in self.schema.checks:
            try:
                fields = parse_rule(check.rule, self.schema.by_name).fields
            except RuleError:
                continue  # it judged nothing either
            found[f"rule-{check.name}"] = tuple(dict.fromkeys((*fields, *check.fields)))
        return found

    def _choices(self, raw: dict[str, list[Any]]) -> dict[str, list[str]]:
        """The labels of the day for the columns in which something is wrong."""
        titles = {sent[3] for sent in raw.values()}
        found = {}
        for one in self.schema.fields:
            table = self.schema.tables.get(one.codes) if one.codes and one.title in titles else None
            labels = list(table.valid(self.day).values()) if table is not None else []
            if labels and len(labels) <= MOST_CHOICES and one.type is FieldType.STRING:
                found[one.title] = labels
        return found


def _blocks(one: Any) -> bool:
    return bool(one.level is CheckLevel.BLOCK)
