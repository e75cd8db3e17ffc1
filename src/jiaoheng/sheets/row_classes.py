"""What each row of a sheet is: pupil, title, full marks, footer, signature, blank …"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jiaoheng.sheets.answers import Answers
from jiaoheng.sheets.columns import IDENTITY, ColumnPlan
from jiaoheng.sheets.headers import Header
from jiaoheng.sheets.reading_model import Role, RowClass
from jiaoheng.sheets.row_model import RowClasses, apply_answers
from jiaoheng.sheets.row_words import BAND, FIGURE, KEY_VALUE, TITLE, row_word, sample_word, texts_of, unit_line
from jiaoheng.sheets.sheet_grid import Grid
from jiaoheng.sheets.text import cell_text, fold, is_blank
from jiaoheng.sheets.vocabulary import Vocabulary
from jiaoheng.sheets.workbook import Cell

_IDS = (Role.PUPIL_ID, Role.EXAM_NO, Role.ID_CARD)
_LOOKED_AT = 2000  # rows without a name that are looked at one by one
_FULL_MARK = re.compile(r"[(]?(?:满分:?\d{2,4}分?|\d{2,4}分)[)]?")
_NUMBERS = (Role.SCORE, Role.TOTAL, Role.RANK)
# where the label of a footer stands
_LABELS = (Role.SERIAL, Role.NAME, Role.CLASS, Role.SCHOOL, Role.GRADE, Role.DISTRICT, Role.EXAM, *_IDS)
_NO_LABELS = (Role.REMARK, Role.TRACK, Role.STATUS, Role.COMBINATION, Role.SEX)
# filled in beforehand on prepared lines, and no sign that anybody is on the line
_PREPARED = (Role.SERIAL, Role.CLASS, Role.GRADE, Role.SCHOOL, Role.DISTRICT, Role.SUBJECT, Role.EXAM, Role.TRACK)


@dataclass(frozen=True, slots=True)
class _Context:
    grid: Grid
    header: Header
    plan: ColumnPlan
    words: Vocabulary
    roles: dict[int, Role]
    header_texts: dict[int, frozenset[str]]
    first: int  # first row under the header

    def columns(self, *roles: Role) -> list[int]:
        return [index for index, role in self.roles.items() if role in roles]

    def texts(self, row: int) -> list[tuple[int, str]]:
        """Folded texts of a row, without those of a small table at the side."""
        found = texts_of(self.grid.rows[row])
        return [pair for pair in found if pair[0] not in self.plan.beside] if self.plan.beside else found

    @property
    def width(self) -> list[int]:
        """The columns of the list."""
        return [index for index in range(self.grid.width) if index not in self.plan.beside]


def classify_rows(
    grid: Grid, header: Header, plan: ColumnPlan, words: Vocabulary, answers: Answers, *, pupils: bool = True
) -> RowClasses:
    """Class of every row. `pupils` False: a table without pupils, whose lines are SKIPPED."""
    if not pupils:
        return _without_pupils(grid, header, plan, words)
    context = _Context(
        grid, header, plan, words,
        {column.index: column.role for column in plan.columns},
        {column.index: frozenset(fold(text) for text in column.header) for column in plan.columns},
        header.first_data_row,
    )  # fmt: skip
    out = RowClasses(np.zeros(len(grid.rows), dtype=np.uint8))
    _above(context, out)
    _below(context, out)
    _stat_tables(context, out)
    apply_answers(grid, context.first, out, answers)
    return out


def _without_pupils(grid: Grid, header: Header, plan: ColumnPlan, words: Vocabulary) -> RowClasses:
    """A table without pupils: its head, and below it lines that are not used."""
    out = RowClasses(np.zeros(len(grid.rows), dtype=np.uint8))
    _above(_Context(grid, header, plan, words, {}, {}, header.first_data_row), out)
    for row in range(header.first_data_row, len(grid.rows)):
        if any(not is_blank(cell) for cell in grid.rows[row]):
            out.classes[row] = RowClass.SKIPPED
    return out


def _above(context: _Context, out: RowClasses) -> None:
    """Title, unit lines, codes, full marks above and inside the header."""
    for row in range(context.first):
        texts = texts_of(context.grid.rows[row])
        if row in context.header.rows:
            found = RowClass.HEADER
        elif row in context.header.number_rows:
            found = RowClass.FULL_MARK
        elif row in context.header.code_rows:
            found = RowClass.CODE_LINE
        elif not texts:
            found = RowClass.BLANK
        else:
            found = _head_line(context, texts)
        out.classes[row] = found
        if texts and found not in (RowClass.HEADER, RowClass.BLANK):
            out.labels[row] = _shown_label(context, row)


def _head_line(context: _Context, texts: list[tuple[int, str]]) -> RowClass:
    words = context.words
    if texts[0][1] in words.full_mark and len(texts) > 1:
        return RowClass.FULL_MARK
    if texts[0][1] in words.weight and len(texts) > 1:
        return RowClass.WEIGHT
    return RowClass.UNIT_LINE if unit_line(texts, words) else RowClass.TITLE


def _below(context: _Context, out: RowClasses) -> None:
    """Rows under the header: whole columns decide most rows, only suspicious ones are looked at one by one."""
    grid, first = context.grid, context.first
    count = len(grid.rows) - first
    if count <= 0:
        return
    filled = {index: grid.column(index, first).filled for index in context.width}
    named = _any(filled, context.columns(*IDENTITY), count)
    scored = _any(filled, context.columns(*_NUMBERS), count)
    prepared = context.columns(*_PREPARED)
    other = _any(filled, [index for index in context.width if index not in prepared], count)
    something = _any(filled, context.width, count)
    alone = sum((column.astype(np.uint8) for column in filled.values()), np.zeros(count, dtype=np.uint8)) == 1
    classes = np.where(named, RowClass.PUPIL, np.where(something, RowClass.EMPTY_PUPIL, RowClass.BLANK))
    out.classes[first:] = classes.astype(np.uint8)
    slow = _suspicious(context, count) | (alone & named)
    unnamed = something & ~named & (scored | other)
    if int(unnamed.sum()) <= _LOOKED_AT:
        slow |= unnamed
    else:  # a whole sheet without names: no row of it is worth a look of its own
        rest = np.flatnonzero(unnamed & ~slow) + first
        out.classes[rest] = RowClass.SKIPPED
        out.nameless += rest.tolist()
    for offset in np.flatnonzero(slow):
        row = int(offset) + first
        found = _classify(context, out, row)
        out.classes[row] = found
        if found is not RowClass.PUPIL and found is not RowClass.BLANK:
            out.labels[row] = _shown_label(context, row)


def _any(filled: dict[int, npt.NDArray[np.bool_]], columns: list[int], count: int) -> npt.NDArray[np.bool_]:
    out = np.zeros(count, dtype=np.bool_)
    for index in columns:
        out |= filled[index]
    return out


def _suspicious(context: _Context, count: int) -> npt.NDArray[np.bool_]:
    """Rows with a word of footers, headers or samples in a column of labels, or a number for a name."""
    out = np.zeros(count, dtype=np.bool_)
    firsts = _first_letters(context)
    for index in context.width:
        if context.roles.get(index) in (*_NUMBERS, Role.REMARK) and index not in _label_like(context):
            continue
        column = context.grid.column(index, context.first)
        if column.numeric:
            if context.roles.get(index) is Role.NAME:
                out |= column.filled
            continue
        texts = {cell for cell in column.cells if type(cell) is str}
        if context.roles.get(index) in _IDS:
            texts = {text for text in texts if not (text.isascii() and text.isalnum())}
        hits = {text for text in texts if _maybe_word(text, firsts) and _is_word(context, index, text)}
        if context.roles.get(index) is Role.NAME:
            out |= ~np.isnan(column.numbers)
        if hits:
            out |= np.fromiter((type(c) is str and c in hits for c in column.cells), dtype=np.bool_, count=count)
    return out


def _label_like(context: _Context) -> list[int]:
    """The first column is looked through even when it is one of scores: footers put their label there."""
    return [min(context.roles)] if context.roles else []


def _first_letters(context: _Context) -> frozenset[str]:
    words = context.words
    every = (
        *words.footer_words, *words.footer_maybe_name, *words.full_mark, *words.weight, *words.sample_words,
        *words.footer_starts, *(text for texts in context.header_texts.values() for text in texts),
    )  # fmt: skip
    return frozenset(word[0] for word in every if word)


def _maybe_word(text: str, firsts: frozenset[str]) -> bool:
    head = text[:1]
    return head.lower() in firsts or len(text) > 4 or not head.isalnum() or ":" in text or "：" in text


def _is_word(context: _Context, index: int, text: str) -> bool:
    folded = fold(text)
    words = context.words
    if context.roles.get(index) is Role.SUBJECT and folded in words.total_words:
        return True
    if context.roles.get(index) in (*_IDS, Role.SERIAL) and folded.isalnum() and folded.isascii():
        return folded in words.sample_words
    return (
        row_word(folded, words) is not None
        or folded in context.header_texts.get(index, frozenset())
        or folded in words.sample_words
        or any(phrase in folded for phrase in words.sample_phrases)
        or bool(words.signature.search(folded))
        or (context.roles.get(index) is Role.NAME and bool(BAND.fullmatch(folded)))
        or bool((match := KEY_VALUE.match(folded)) and match[1] in words.unit_words)
    )


def _classify(context: _Context, out: RowClasses, row: int) -> RowClass:
    """One row that is not plainly a pupil. The order matters: the surest signs first."""
    cells = context.grid.rows[row]
    texts = context.texts(row)
    if not texts:
        return RowClass.BLANK
    repeated = _repeated_header(context, out, row, texts)
    if repeated is not None:
        return repeated
    labels = [(index, text) for index, text in texts if context.roles.get(index) not in _NUMBERS]
    if _sample(context, labels):
        return RowClass.SAMPLE
    if any(context.roles.get(index) is Role.SUBJECT and text in context.words.total_words for index, text in labels):
        return RowClass.SKIPPED  # a long layout's own line of the total
    named = [index for index in context.columns(*IDENTITY) if not is_blank(cells[index])]
    label = _row_label(context, labels or texts, bool(named))
    if label is not None and not _is_person(context, out, row, label):
        return label[1]
    if _signed(context, texts, bool(named)):
        return RowClass.SIGNATURE
    if len(texts) == 1 and named and ":" in texts[0][1] and not unit_line(texts, context.words):
        return RowClass.FOOTER  # 缺考：王某
    if len(texts) == 1 and _title_like(context, texts[0], named):
        out.sections[row] = cell_text(cells[texts[0][0]]) or ""
        return RowClass.UNIT_LINE if unit_line(texts, context.words) else RowClass.TITLE
    if unit_line(texts, context.words) and not any(context.roles.get(index) in _NUMBERS for index, _ in texts):
        out.sections[row] = "　".join(cell_text(cells[index]) or "" for index, _ in texts)
        return RowClass.UNIT_LINE
    if named:
        return RowClass.PUPIL
    return _without_name(context, out, row, texts)


def _without_name(context: _Context, out: RowClasses, row: int, texts: list[tuple[int, str]]) -> RowClass:
    """Filled, but nobody's: prepared lines, tables of figures, or scores whose pupil is not named."""
    roles = {context.roles.get(index) for index, _ in texts}
    if roles <= {*_PREPARED, Role.SEX, Role.REMARK}:
        return RowClass.EMPTY_PUPIL
    if any(row_word(text, context.words) for _, text in texts):
        return RowClass.FOOTER
    numbers = [(context.roles.get(index), text) for index, text in texts if context.roles.get(index) in _NUMBERS]
    if not numbers:
        return RowClass.TITLE if len(texts) == 1 else RowClass.SKIPPED
    if all(role is not Role.SCORE and (role is Role.RANK or text == "0") for role, text in numbers):
        return RowClass.EMPTY_PUPIL  # formulas of totals and ranks on lines prepared for pupils
    if all(_FULL_MARK.fullmatch(text) for _, text in numbers):
        return RowClass.FULL_MARK
    out.nameless.append(row)
    return RowClass.SKIPPED


def _repeated_header(context: _Context, out: RowClasses, row: int, texts: list[tuple[int, str]]) -> RowClass | None:
    same = sum(text in context.header_texts.get(index, frozenset()) for index, text in texts)
    if same >= 2 and same >= 0.6 * len(texts):
        return RowClass.REPEATED_HEADER
    if same == len(texts) == 1 and len(context.roles) == 1:
        return RowClass.REPEATED_HEADER
    known = {text for stack in context.header_texts.values() for text in stack}
    moved = [text for _, text in texts if context.words.roles.get(text) in IDENTITY]
    alike = sum(text in known or text in context.words.roles or text in context.words.subjects for _, text in texts)
    if moved and alike >= 2 and alike >= 0.6 * len(texts):
        out.changed_headers.append(row)
        return RowClass.REPEATED_HEADER
    return None


def _sample(context: _Context, labels: list[tuple[int, str]]) -> bool:
    if any(phrase in text for _, text in labels for phrase in context.words.sample_phrases):
        return True
    first = labels[0][1] if labels else ""
    serial = [text for index, text in labels if context.roles.get(index) is Role.SERIAL]
    return any(sample_word(text, context.words) for text in (first, *serial))


def _row_label(context: _Context, labels: list[tuple[int, str]], named: bool) -> tuple[int, RowClass, str] | None:
    """The first word of footers, full marks or weights; of a named row only in the columns where labels stand.

    A pupil whose column 等第 says 优秀 is no footer.
    """
    for index, text in labels:
        role = context.roles.get(index)
        if role in _NO_LABELS or (named and role not in _LABELS):
            continue
        found = row_word(text, context.words)
        if found is not None:
            return index, found, text
        if context.roles.get(index) is Role.NAME and BAND.fullmatch(text):
            return index, RowClass.FOOTER, text
    return None


def _is_person(context: _Context, out: RowClasses, row: int, label: tuple[int, RowClass, str]) -> bool:
    """满分, 总计, 平均 with an id (or, where there are no ids, a running number) and scores is a pupil of that name."""
    index, _, text = label
    cells = context.grid.rows[row]
    if context.roles.get(index) is not Role.NAME or not any(not is_blank(cells[c]) for c in context.columns(*_NUMBERS)):
        return False
    ids = context.columns(*_IDS)
    if ids:
        person = any(_like_id(cells[column]) for column in ids)
    else:
        maybe = text in context.words.footer_maybe_name or text in context.words.full_mark
        serial = context.columns(Role.SERIAL)
        person = maybe and any(_like_serial(cells[column]) for column in serial)
        person = person and not any("%" in str(cells[column]) for column in context.columns(*_NUMBERS))
    if person:
        out.doubtful.append(row)
    return person


def _like_id(cell: Cell) -> bool:
    text = cell_text(cell)
    return text is not None and any(letter.isdigit() for letter in text)


def _like_serial(cell: Cell) -> bool:
    text = cell_text(cell)
    return text is not None and text.isdigit()


def _signed(context: _Context, texts: list[tuple[int, str]], named: bool) -> bool:
    """校长签字：, 审核：李某. A remark of that kind beside a pupil's name or scores is no signature line."""
    if any(context.roles.get(index) in _NUMBERS and text[0].isdigit() for index, text in texts):
        return False
    places = [context.roles.get(index) for index, text in texts if context.words.signature.search(text)]
    return bool(places) and (not named or any(role in (*_LABELS, *_NUMBERS) for role in places))


def _title_like(context: _Context, only: tuple[int, str], named: list[int]) -> bool:
    """A single text that is not a lone name: long, or outside the columns of names and ids."""
    index, text = only
    if index in named:
        long = len(text) > 8 and not text.isascii() and context.roles.get(index) is Role.NAME
        return long or bool(TITLE.search(text))
    return not text[0].isdigit() and context.roles.get(index) not in _NUMBERS and len(text) > 3


def _shown_label(context: _Context, row: int) -> str:
    """The first text of a row that is not a number, for the list of rows left out."""
    texts = [cell_text(cell) for cell in context.grid.rows[row]]
    words = [text for text in texts if text is not None]
    first = next((text for text in words if not FIGURE.fullmatch(text)), words[0] if words else "")
    return first if len(first) <= 20 else first[:20] + "…"


def _stat_tables(context: _Context, out: RowClasses) -> None:
    """Under the pupils a table of figures with its own header (班级 人数 平均分): its rows are no pupils."""
    words = context.words
    for row in [int(r) for r in np.flatnonzero(out.classes == RowClass.FOOTER) if r >= context.first]:
        texts = texts_of(context.grid.rows[row])
        titles = sum(row_word(text, words) is RowClass.FOOTER or text in words.aggregate_words for _, text in texts)
        if titles < 2 or any(text[0].isdigit() for _, text in texts):
            continue
        for below in range(row + 1, len(out.classes)):
            if out.classes[below] in (RowClass.BLANK, RowClass.REPEATED_HEADER):
                break
            cells = context.grid.rows[below]
            if any(_like_id(cells[column]) for column in context.columns(*_IDS)):
                break
            out.classes[below] = RowClass.FOOTER
            out.labels[below] = _shown_label(context, below)
            if below in out.nameless:
                out.nameless.remove(below)
