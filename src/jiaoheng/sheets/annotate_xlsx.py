"""The user's own workbook with marks, notes and the sheet 待确认, made by patching its package in place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jiaoheng.sheets.annotate_memory import (
    ANSWER_COLUMN,
    MAX_TEXT,
    MEMORY_SHEET,
    QUESTION_SHEET,
    Key,
    Memory,
    Origin,
    is_memory,
    labelled,
    match_origins,
    memory_rows,
    parse_memory,
)
from jiaoheng.sheets.annotate_sheet import mark_sheet
from jiaoheng.sheets.annotate_spots import MAX_NOTES, TINTS, Locator, collect_spots
from jiaoheng.sheets.ooxml_package import Package
from jiaoheng.sheets.ooxml_read import read_cells
from jiaoheng.sheets.ooxml_styles import Styles
from jiaoheng.sheets.ooxml_workbook import Workbook
from jiaoheng.sheets.ooxml_xml import escape_cell
from jiaoheng.sheets.places import Choice, Place, Problem, Question, column_letters
from jiaoheng.sheets.question_answers import header_row, sheet_answers
from jiaoheng.sheets.question_sheet import EXAM, MAX_LISTED, NextStep, ProblemRow, QuestionRow, build_sheet


@dataclass(frozen=True, slots=True)
class Remarks:
    """What is to be shown in the workbook. `headers`: original (file, sheet) → 1-based header row, where known.

    `settings`: what was declared outside the sheets, as the text of an exam.yaml; remembered for the next run.
    """

    problems: Sequence[Problem]
    questions: Sequence[Question]
    answered: Mapping[Key, str]
    headers: Mapping[Origin, int]
    settings: str = ""
    step: NextStep = EXAM


@dataclass(slots=True)
class Patched:
    """Counts of a patched workbook, and sentences about what could not be shown."""

    marked: int = 0
    notes: int = 0
    questions: int = 0
    listed: int = 0
    unplaced: int = 0  # problems that stand in the list only
    has_macros: bool = False
    remarks: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Earlier:
    """What an earlier annotation left in the workbook."""

    memory: Memory = field(default_factory=Memory)
    formats: dict[int, int] = field(default_factory=dict)  # tinted → original
    answers: dict[Key, str] = field(default_factory=dict)
    present: bool = False


def patch_workbook(
    source: Path, out: Path, label: str, remarks: Remarks, origins: Mapping[str, Origin] | None = None
) -> Patched:
    """Write the marked copy of `source` to `out` (a temporary name).

    `origins` tells where each sheet came from when the workbook is itself a copy; otherwise a sheet of an earlier
    annotated workbook keeps the origin it remembers, and any other is its own origin under `label`.
    PackageError or XmlError where the package cannot be patched.
    """
    with Package(source) as package:
        patch = _Patch(package, label, remarks)
        return patch.run(out, origins or {})


def has_annotation(source: Path) -> bool:
    """Whether the workbook carries our hidden sheet."""
    with Package(source) as package:
        return _earlier(Workbook(package)).present


class _Patch:
    """One run over one package."""

    def __init__(self, package: Package, label: str, remarks: Remarks) -> None:
        self.package = package
        self.label = label
        self.remarks = remarks
        self.book = Workbook(package)
        part = self.book.styles_part()
        self.styles = Styles(package.read(part) if part else None, self.book.main_namespace)
        self.styles_part = part or self.book.add_styles()
        self.earlier = _earlier(self.book)
        self.result = Patched(has_macros=self.book.has_macros)
        self.tinted: dict[int, int] = {}
        if self.earlier.present:
            samples = {made: base for made, base in self.earlier.formats.items() if max(made, base) < len(self.styles)}
            ours = self.styles.with_fill(*TINTS)
            self.earlier.formats = {made: self.styles.untinted(made, samples) for made in ours}

    def run(self, out: Path, given: Mapping[str, Origin]) -> Patched:
        sheets = self.book.sheets()
        own = {MEMORY_SHEET, self.earlier.memory.question_sheet} if self.earlier.present else set()
        names = [sheet.name for sheet in sheets if sheet.name not in own and sheet.cells]
        known = match_origins(self.earlier.memory.origins, names)
        origins = {name: given.get(name) or known.get(name) or (self.label, name) for name in names}
        locator = Locator(origins, self.label)
        numbered = list(enumerate(_unique(self.remarks.questions), 1))
        spots = collect_spots(self.remarks.problems, numbered, locator)
        for sheet in sheets:
            if sheet.name in own:
                continue
            header = self.remarks.headers.get(origins.get(sheet.name, ("", "")))
            done = mark_sheet(
                self.book, sheet, spots.get(sheet.name, ()), header, self.earlier.formats, self.tint
            )  # fmt: skip
            self.result.marked += len(done.tints)
            self.result.notes += len(done.notes)
            if done.left_out:
                self.result.remarks.append(
                    f"工作表“{sheet.name}”要标的单元格太多，批注只加了前 {MAX_NOTES:,} 处，"
                    f"其余 {done.left_out:,} 处只有底色"
                )
            if done.without_notes:
                self.result.remarks.append(f"工作表“{sheet.name}”原有批注的格式特殊，没有加批注，原因见下面的清单")
        self.own_sheets(locator, origins, numbered, {sheet.name for sheet in sheets} - own)
        self.package.write(self.styles_part, self.styles.to_bytes())
        self.book.as_workbook()
        self.book.store()
        self.package.save(out)
        return self.result

    def tint(self, base: int, colour: str) -> int:
        made = self.styles.tinted(base, colour)
        if made != base:
            self.tinted[made] = base
        return made

    def own_sheets(
        self, locator: Locator, origins: dict[str, Origin], numbered: list[tuple[int, Question]], taken: set[str]
    ) -> None:
        name = QUESTION_SHEET
        while name.casefold() in {other.casefold() for other in taken}:  # the user's own sheet of that name stays
            name += "（教衡）" if name == QUESTION_SHEET else "1"
        memory = Memory(question_sheet=name, origins=origins, settings=self.remarks.settings)
        rows = [self.question_row(number, question, locator, memory) for number, question in numbered]
        rows += self.kept_rows(len(rows), {row.key for row in rows}, memory)
        problems = [
            ProblemRow(locator.shown(p.place), locator.link(p.place), p.message, p.remedy, p.severity)
            for p in sorted(self.remarks.problems, key=lambda p: ("error", "warning", "note").index(p.severity))
        ]
        memory_cells, spans = memory_rows(memory)
        first = build_sheet(
            rows, problems, self.result.remarks, spans, self.styles, self.book.main_namespace, self.remarks.step
        )
        if self.earlier.present and self.earlier.memory.question_sheet != name:
            name = self.earlier.memory.question_sheet
            memory_cells[0][2] = name
        self.book.put_sheet(name, first, first=True)
        self.book.put_sheet(MEMORY_SHEET, self.memory_xml(memory_cells), first=False, state="veryHidden")
        self.result.questions = len(rows)
        self.result.listed = min(len(problems), MAX_LISTED)
        self.result.unplaced = sum(problem.link is None for problem in problems)

    def question_row(self, number: int, question: Question, locator: Locator, memory: Memory) -> QuestionRow:
        choices = labelled(question.choices)
        place = locator.shown(question.place)
        if len(set(question.places)) > 1:
            place += f" 等 {len(set(question.places))} 处"
        facts = {
            "place": place,
            "text": question.text[:MAX_TEXT],
            "default": question.default,
            "blocking": question.blocking,
        }
        answer = self.remarks.answered.get(question.key, self.earlier.answers.get(question.key, ""))
        return _row(number, question.key, facts, choices, answer, locator.link(question.place), memory)

    def kept_rows(self, count: int, asked: set[Key], memory: Memory) -> list[QuestionRow]:
        """Questions answered in the earlier copy are no longer asked; their answers must not get lost."""
        kept: list[QuestionRow] = []
        for key, answer in self.earlier.answers.items():
            facts = self.earlier.memory.questions.get(key)
            if key in asked or not facts:
                continue
            choices = self.earlier.memory.choices.get(key, [])
            answer = self.remarks.answered.get(key, answer)
            kept.append(_row(count + len(kept) + 1, key, facts, choices, answer, None, memory))
        return kept

    def memory_xml(self, rows: list[list[str]]) -> bytes:
        cells = [[(text, 0) for text in row] for row in rows]
        cells += [[("底纹", 0), ("原", base), ("标", made)] for made, base in sorted(self.tinted.items())]
        lines = []
        for number, row in enumerate(cells, 1):
            made = "".join(
                f'<c r="{column_letters(column)}{number}" s="{style}" t="inlineStr">'
                f'<is><t xml:space="preserve">{escape_cell(text)}</t></is></c>'
                for column, (text, style) in enumerate(row, 1)
            )
            lines.append(f'<row r="{number}">{made}</row>')
        return (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            f'<worksheet xmlns="{self.book.main_namespace}"><sheetData>{"".join(lines)}</sheetData></worksheet>'
        ).encode()


def _row(
    number: int,
    key: Key,
    facts: Mapping[str, Any],
    choices: Sequence[Choice],
    answer: str,
    link: str | None,
    memory: Memory,
) -> QuestionRow:
    memory.questions[key] = dict(facts)
    memory.choices[key] = list(choices)
    default = facts.get("default")
    return QuestionRow(
        number=number,
        key=key,
        place=str(facts.get("place", "")),
        link=link,
        text=str(facts.get("text", "")),
        choices=choices,
        default=default if isinstance(default, str) else None,
        blocking=bool(facts.get("blocking", True)),
        answer=answer,
    )


def _unique(questions: Sequence[Question]) -> list[Question]:
    """One question a key: the first, with the places of all."""
    found: dict[Key, Question] = {}
    for question in questions:
        found.setdefault(question.key, question)
    return list(found.values())


def _earlier(book: Workbook) -> _Earlier:
    sheets = {sheet.name: sheet for sheet in book.sheets() if sheet.cells}
    if MEMORY_SHEET not in sheets:
        return _Earlier()
    shared = book.shared_part()
    cells = read_cells(book.package, sheets[MEMORY_SHEET].part, shared)
    rows = _dense(cells)
    if not is_memory(rows):
        return _Earlier()
    found = _Earlier(parse_memory(rows), present=True)
    for (row, column), (text, _) in cells.items():
        if column == 1 and text == "底纹" and (row, 2) in cells and (row, 3) in cells:
            base, made = cells[row, 2][1], cells[row, 3][1]
            if base != made:
                found.formats[made] = base
    name = found.memory.question_sheet
    if name in sheets:
        rows = _dense(read_cells(book.package, sheets[name].part, shared))
        if header_row(rows) is not None:
            found.answers, _ = sheet_answers(rows, found.memory, Place("", name))
    return found


def _dense(cells: Mapping[tuple[int, int], tuple[str, int]]) -> list[list[str | None]]:
    last = min(max((row for row, _ in cells), default=0), 1_048_576)
    rows: list[list[str | None]] = [[None] * (ANSWER_COLUMN + 1) for _ in range(last)]
    for (row, column), (text, _) in cells.items():
        if 1 <= column <= ANSWER_COLUMN + 1 and 1 <= row <= last:
            rows[row - 1][column - 1] = text or None
    return rows
