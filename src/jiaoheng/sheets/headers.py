"""Finding the header: anywhere in the first rows, one to three levels, merged or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from jiaoheng.sheets.header_words import HeaderWord, header_word
from jiaoheng.sheets.reading_model import Measure, Role
from jiaoheng.sheets.sheet_grid import Grid
from jiaoheng.sheets.text import cell_text, shown
from jiaoheng.sheets.vocabulary import Vocabulary
from jiaoheng.sheets.workbook import Cell

SEARCH_ROWS = 40  # titles, instructions and code lines stand above; more than this was seen nowhere
MAX_LEVELS = 4
_WEIGHTS = {
    Role.NAME: 4, Role.PUPIL_ID: 3, Role.EXAM_NO: 3, Role.ID_CARD: 3, Role.SCORE: 2, Role.TOTAL: 2, Role.RANK: 2,
    Role.ITEM_NO: 4, Role.ITEM_FULL: 2, Role.KNOWLEDGE: 2,
}  # fmt: skip
_IDENTITY = (Role.NAME, Role.PUPIL_ID, Role.EXAM_NO, Role.ID_CARD)
BLANK = HeaderWord("")
Words = list[HeaderWord]


@dataclass(frozen=True, slots=True)
class Header:
    """The header found: its rows (0-based, top to bottom), and per column its words from top to bottom.

    `number_rows`: rows inside the band that hold numbers and no words (full marks, codes).
    `code_rows`: rows above it with codes of the columns.
    """

    rows: tuple[int, ...]
    stacks: tuple[tuple[HeaderWord, ...], ...]
    texts: tuple[tuple[str, ...], ...]
    number_rows: tuple[int, ...] = ()
    code_rows: tuple[int, ...] = ()

    @property
    def first_data_row(self) -> int:
        """The row under the header."""
        return max((*self.rows, *self.number_rows)) + 1


# only marks, totals and ranks are split further; any other word says all by itself
_MAY_HAVE_LEVELS = frozenset({Role.SCORE, Role.TOTAL, Role.RANK, Role.UNKNOWN, Role.IGNORED})
_MOST_REMEMBERED = 100_000  # texts: header words, and the names and numbers of the rows searched


def row_words(row: Sequence[Cell], words: Vocabulary) -> Words:
    """The header meaning of each cell of a row; BLANK where there is none."""
    out: Words = []
    cache = words.memo
    if len(cache) > _MOST_REMEMBERED:
        cache.clear()
    for cell in row:
        # True == 1 == 1.0, yet they read differently
        key = cell if type(cell) is str else (type(cell), cell)
        word = cache.get(key)
        if word is None:
            text = cell_text(cell)
            word = BLANK if text is None else HeaderWord(text) if len(text) > 40 else header_word(text, words)
            cache[key] = word
        out.append(word)
    return out


def header_score(found: Words) -> tuple[float, int]:
    """How much a row looks like a header: weight of its known words, and how many there are."""
    known = [word for word in found if word.known]
    distinct = {(word.role, word.subject, word.item, word.rank_scope, word.text) for word in known}
    weight = sum(_weight(word) for word in known)
    # a row that repeats one word (语文 语文 语文) is data of a long layout or one level of a header, not all of it
    return (weight if len(distinct) > 1 else min(weight, 3)), len(known)


def _weight(word: HeaderWord) -> float:
    """Words that need a group above them (得分, 班名次) say little: the level with names and subjects is the base."""
    if word.measure is Measure.ITEM or word.aggregate:
        return 1
    return 0.5 if _incomplete(word) else _WEIGHTS.get(word.role, 1)


def find_header(grid: Grid, words: Vocabulary) -> Header | None:
    """The first row that looks most like a header, with the levels above and below it; None where there is none."""
    limit = min(len(grid.rows), SEARCH_ROWS)
    found = [row_words(grid.rows[index], words) for index in range(limit)]
    scores = [header_score(row) for row in found]
    best = max((weight for weight, _ in scores), default=0)
    if best >= 2 and max(count for _, count in scores) >= 2:
        base = next(index for index, (weight, _) in enumerate(scores) if weight >= 0.6 * best)
    else:
        # one known word alone is a header only when it is an identity (姓名)
        alone = [index for index, row in enumerate(found) if any(word.role in _IDENTITY for word in row)]
        if not alone:
            return None
        base = alone[0]
    rows, numbers = _band(grid, found, base)
    return _assemble(grid, found, rows, numbers)


def _band(grid: Grid, found: list[Words], base: int) -> tuple[list[int], list[int]]:
    """Rows that belong to the header around its base row; rows of numbers among them apart."""
    rows, numbers = [base], []
    covered = _merged_down(grid, base)
    for index in range(base + 1, min(base + MAX_LEVELS, len(found))):
        if _is_level_below(found[base], found[index], index <= covered):
            rows.append(index)
        elif index <= covered:
            numbers.append(index)
        else:
            break
    for index in range(base - 1, max(base - MAX_LEVELS, -1), -1):
        if not _is_level_above(grid, found, index, rows[0]):
            break
        rows.insert(0, index)
    return rows, numbers


def _merged_down(grid: Grid, base: int) -> int:
    """The last row that a vertical merge starting in the base row covers."""
    spans = [low for (top, _), (low, _) in grid.sheet.merged if top == base and low - top < MAX_LEVELS]
    return max(spans, default=base)


def _is_level_below(base: Words, row: Words, covered: bool) -> bool:
    """Sub-words (得分, 名次, item numbers) under the base; cells under names and ids are blank."""
    filled = [index for index, word in enumerate(row) if word.text]
    if not filled or any(base[index].role not in _MAY_HAVE_LEVELS for index in filled):
        return False  # something stands under 姓名, 序号, 学校 or 题号: a row of data or of full marks
    known = [index for index in filled if row[index].known]
    bare = [index for index in filled if row[index].bare]
    if known and len(known) >= len(filled) - len(bare) - (len(filled) // 2):
        return True
    under_free = any(not base[index].text for index in bare)
    counting = [row[index].item for index in bare]
    return len(bare) >= 2 and len(bare) == len(filled) and (under_free or covered) and _counts_up(counting)


def _counts_up(labels: Sequence[str | None]) -> bool:
    """1 2 3 … (perhaps beginning again): item numbers and not marks."""
    numbers = [int(label) for label in labels if label and label.isdigit()]
    if len(numbers) != len(labels):
        return True  # 一(1), 1.2: words of items
    steps = [b - a for a, b in pairwise(numbers)]
    return numbers[0] <= 2 and sum(step == 1 or b == 1 for step, b in zip(steps, numbers[1:], strict=True)) >= (
        0.8 * len(steps)
    )


def _is_level_above(grid: Grid, found: list[Words], index: int, below: int) -> bool:
    """A row of groups: known words, or merged cells, over columns whose word below is incomplete."""
    row, under = found[index], found[below]
    filled = [column for column, word in enumerate(row) if word.text]
    if not filled:
        return False
    if any(row[column].text.endswith(":") for column in filled):
        return False
    first_table = next((column for column, word in enumerate(under) if word.known), 0)
    if len(filled) == 1 and filled[0] <= first_table:
        return False  # a title
    wide = {left for (top, left), (low, right) in grid.sheet.merged if top == low == index and right > left}
    groups = [
        column
        for column in filled
        if (row[column].known and row[column].role not in (Role.SCHOOL, Role.CLASS, Role.DISTRICT))
        or (column in wide and not _unit_like(row[column]))
    ]
    incomplete = [column for column in groups if _incomplete(under[column])]
    complete_below = [column for column in groups if under[column].subject]
    return bool(incomplete) or (len(complete_below) >= 2 and all(column in wide for column in groups))


def _unit_like(word: HeaderWord) -> bool:
    return ":" in word.text or "：" in word.text


def _incomplete(word: HeaderWord) -> bool:
    """A word that needs a group above it: 得分, 班名次, 1."""
    return word.subject is None and (
        word.role in (Role.SCORE, Role.RANK) or word.bare or word.aggregate or word.role is Role.TOTAL
    )


def _assemble(grid: Grid, found: list[Words], rows: list[int], numbers: list[int]) -> Header:
    """Stack the words of each column, spreading groups over their merge or to the next group."""
    width = grid.width
    levels: list[list[tuple[HeaderWord, str] | None]] = []
    for level, index in enumerate(rows):
        line: list[tuple[HeaderWord, str] | None] = [
            (word, _printed(grid.rows[index][column])) if word.text else None
            for column, word in enumerate(found[index])
        ]
        if level < len(rows) - 1:
            _spread(grid, index, rows[level + 1], line, found)
        levels.append(line)
    stacks, texts = [], []
    for column in range(width):
        pile = [line[column] for line in levels if column < len(line)]
        kept = [pair for pair in pile if pair is not None]
        stacks.append(tuple(word for word, _ in kept))
        texts.append(tuple(text for _, text in kept))
    codes = tuple(index for index in range(rows[0] - 1, -1, -1) if _is_codes(found[index], rows, found))
    return Header(tuple(rows), tuple(stacks), tuple(texts), tuple(numbers), codes)


def _printed(cell: Cell) -> str:
    """A header's text as in the file, on one line."""
    return "".join(shown(cell).split("\n")).strip()


def _spread(grid: Grid, index: int, below: int, line: list[tuple[HeaderWord, str] | None], found: list[Words]) -> None:
    merges = {left: right for (top, left), (low, right) in grid.sheet.merged if top <= index <= low and right > left}
    covered: set[int] = set()
    for left, right in merges.items():
        for column in range(left + 1, min(right, len(line) - 1) + 1):
            line[column] = line[left]
            covered.add(column)
    if any(top == index for (top, _), _ in grid.sheet.merged):
        return  # the file says which cells are one; what is not merged is not spread
    current: tuple[HeaderWord, str] | None = None
    for column, pair in enumerate(line):
        under = found[below][column] if column < len(found[below]) else BLANK
        if pair is not None:
            current = pair if under.text else None
        elif current is not None and _incomplete(under) and column not in covered:
            line[column] = current
        else:
            current = None


def _is_codes(row: Words, rows: list[int], found: list[Words]) -> bool:
    """Codes over the subject columns: small numbers or pinyin, nothing over names and ids."""
    filled = [column for column, word in enumerate(row) if word.text]
    base = found[rows[-1]]
    if not filled or any(not base[column].text or base[column].role in _IDENTITY for column in filled):
        return False
    texts = [row[column].text for column in filled]
    return all(text.isascii() and len(text) <= 12 for text in texts) and len(filled) >= 1
