"""One score cell that is not a plain number: text, date, truth value → exact score, state, or what is wrong."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Literal

from jiaoheng.sheets.reading_model import MILLI, ScoreState
from jiaoheng.sheets.text import clean, fold
from jiaoheng.sheets.vocabulary import STATE_WORDS, ZERO_WORD, Vocabulary
from jiaoheng.sheets.workbook import Cell

_NUMBER = re.compile(r"([+-]?)(\d+|\d{1,3}(?:,\d{3})+)?(?:\.(\d*))?(e[+-]?\d{1,2})?(分)?")
_PAIR = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)分?/(\d{1,3}(?:\.\d{1,3})?)分?")
_MAKE_UP = re.compile(r"原?(\d{1,3}(?:\.\d{1,3})?)分?[,;(]?补考?:?(\d{1,3}(?:\.\d{1,3})?)分?[)]?")
_ERROR_TEXT = re.compile(r"#(?:n/a|ref!|div/0!|value!|name\?|num!|null!|spill!|calc!|getting_data|###*)", re.IGNORECASE)
_ONLY_HASHES = re.compile(r"#{3,}")
_DASHES = str.maketrans({"−": "-", "﹣": "-", "－": "-", "‐": "-", "‑": "-"})
LARGEST = 10_000 * MILLI  # no paper has more marks; a longer number is an id in the wrong column
NOISE = Decimal("0.00001")  # thousandths: 83.33000000001 is 83.33 that went through binary arithmetic


class Oddity(StrEnum):
    """What was mended or is wrong in a score cell."""

    FOLDED = "full-width-number"
    UNIT = "unit-removed"
    QUOTE = "quote-removed"
    THOUSANDS = "thousands-removed"
    EXPONENT = "exponent-number"
    ZERO = "zero-word"
    DECIMALS = "many-decimals"  # three decimals: read exactly, but unusual
    ROUNDED = "too-many-decimals"  # more than three: asked
    MAKE_UP = "make-up-score"
    NEGATIVE = "negative-score"
    NOT_A_SCORE = "not-a-score"
    TOO_LARGE = "number-too-large"
    DATE = "date-in-score"
    TRUTH = "truth-value-in-score"
    ERROR = "error-value"
    MARK = "unknown-mark"
    PAIR = "ambiguous-pair"


WRONG = frozenset({Oddity.NEGATIVE, Oddity.NOT_A_SCORE, Oddity.TOO_LARGE, Oddity.DATE, Oddity.TRUTH, Oddity.ERROR})


@dataclass(frozen=True, slots=True)
class ScoreCell:
    """A score cell understood. `value` in thousandths (0 unless SCORED); `mark` is the folded mark to ask about."""

    state: ScoreState
    value: int = 0
    make_up: int | None = None
    oddities: tuple[Oddity, ...] = ()
    mark: str | None = None


def _wrong(oddity: Oddity) -> ScoreCell:
    return ScoreCell(ScoreState.INVALID, oddities=(oddity,))


def read_score(cell: Cell, words: Vocabulary, marks: Mapping[str, str], full: int | None = None) -> ScoreCell:
    """Understand any cell of a score column.

    `marks`: folded mark → state word or number, as the settings answer it; `full`: full mark in thousandths.
    """
    if cell is None:
        return ScoreCell(ScoreState.MISSING)
    if isinstance(cell, bool):
        return _wrong(Oddity.TRUTH)
    if isinstance(cell, (int, float)):
        return read_number(cell)
    if isinstance(cell, (dt.datetime, dt.date, dt.time, dt.timedelta)):
        return _wrong(Oddity.DATE)
    return read_score_text(cell, words, marks, full)


def read_number(number: float | int) -> ScoreCell:
    """A numeric cell, exact by its shortest decimal text; binary noise beyond 12 digits is not the user's."""
    if isinstance(number, float) and (number != number or abs(number) == float("inf")):
        return _wrong(Oddity.NOT_A_SCORE)
    exact = Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
    if isinstance(number, float):
        short = Decimal(f"{number:.12g}")
        exact = short if abs(exact - short) < Decimal("1e-9") else exact
    return _scored(exact, ())


def _scored(exact: Decimal, oddities: tuple[Oddity, ...]) -> ScoreCell:
    if exact < 0:
        return _wrong(Oddity.NEGATIVE)
    if exact * MILLI > LARGEST:
        return _wrong(Oddity.TOO_LARGE)
    value = int((exact * MILLI).to_integral_value(ROUND_HALF_UP))
    if abs(exact * MILLI - value) > NOISE:
        oddities += (Oddity.ROUNDED,)
    elif value % 10:
        oddities += (Oddity.DECIMALS,)
    return ScoreCell(ScoreState.SCORED, value, oddities=oddities)


def score_mark(text: str, words: Vocabulary) -> str:
    """The form of a mark under which it is asked and answered: all dashes are -, all slashes /."""
    mark = fold(text)
    return words.same_marks.get(text.strip(), words.same_marks.get(mark, mark))


def read_score_text(text: str, words: Vocabulary, marks: Mapping[str, str], full: int | None = None) -> ScoreCell:
    """Understand a text in a score column: numbers with decoration, states, marks, make-up scores, or nonsense."""
    cleaned = clean(text)
    if cleaned is None:
        quoted = text.strip() in {"'", "’", "‘", "`"}
        return (
            ScoreCell(ScoreState.UNRESOLVED, mark=text.strip(), oddities=(Oddity.MARK,))
            if quoted
            else ScoreCell(ScoreState.MISSING)
        )
    folded = fold(cleaned).translate(_DASHES)
    mark = score_mark(cleaned, words)
    if mark in marks or folded in marks:
        return _answered(marks.get(mark, marks.get(folded, "")))
    number = _NUMBER.fullmatch(folded)
    if number and (number[2] or number[3]) and " " not in cleaned:
        return _number_text(number, text)
    if _ERROR_TEXT.fullmatch(folded) or _ONLY_HASHES.fullmatch(folded):
        return _wrong(Oddity.ERROR)
    pair = _PAIR.fullmatch(folded)
    if pair:
        return _pair(pair, folded, full)
    explicit = _MAKE_UP.fullmatch(folded)
    if explicit:
        return _make_up(explicit)
    return _word(folded, mark, words)


def _answered(answer: str) -> ScoreCell:
    if answer == ZERO_WORD:
        return ScoreCell(ScoreState.SCORED)
    state: ScoreState | None = STATE_WORDS.get(answer)
    if state is not None:
        return ScoreCell(state)
    match = re.fullmatch(r"\d{1,4}(?:\.\d{1,3})?", answer.strip())
    if match:
        return ScoreCell(ScoreState.SCORED, int(Decimal(match[0]) * MILLI))
    return _wrong(Oddity.NOT_A_SCORE)


def _number_text(match: re.Match[str], text: str) -> ScoreCell:
    sign, whole, decimals, exponent, unit = match.groups()
    oddities: tuple[Oddity, ...] = ()
    if any("０" <= letter <= "９" or letter in "．，－＋" for letter in text):
        oddities += (Oddity.FOLDED,)
    if text.strip().startswith(("'", "’", "‘", "`")):
        oddities += (Oddity.QUOTE,)
    if "," in (whole or ""):
        oddities += (Oddity.THOUSANDS,)
    if exponent:
        oddities += (Oddity.EXPONENT,)
    if unit:
        oddities += (Oddity.UNIT,)
    exact = Decimal(f"{sign}{(whole or '0').replace(',', '')}.{decimals or '0'}{exponent or ''}")
    return _scored(exact, oddities)


def _pair(match: re.Match[str], folded: str, full: int | None) -> ScoreCell:
    """57/60: original and make-up. What could be a date, a fraction or "out of" is asked and never guessed."""
    first, second = Decimal(match[1]), Decimal(match[2])
    whole = first == int(first) and second == int(second)
    like_date = whole and ((first <= 12 and second <= 31) or (first <= 31 and second <= 12))
    out_of = full is not None and second * MILLI == full
    if like_date or out_of or second < first:
        return ScoreCell(ScoreState.UNRESOLVED, mark=folded, oddities=(Oddity.PAIR,))
    return _make_up(match)


def _make_up(match: re.Match[str]) -> ScoreCell:
    first, second = int(Decimal(match[1]) * MILLI), int(Decimal(match[2]) * MILLI)
    return ScoreCell(ScoreState.SCORED, first, make_up=second, oddities=(Oddity.MAKE_UP,))


def _word(folded: str, mark: str, words: Vocabulary) -> ScoreCell:
    state = words.states.get(folded)
    if folded in words.zero:
        return ScoreCell(ScoreState.SCORED, oddities=(Oddity.ZERO,))
    if state is None:
        bare = re.sub(r"[(\[【（].*?[)\]】）]", "", folded).strip("*。.、,;:!")
        state = words.states.get(bare) if bare else None
    if state is None and (inner := re.fullmatch(r"[(\[【（](.*?)[)\]】）]", folded)):
        state = words.states.get(inner[1])
    if state is not None:
        return ScoreCell(state)
    lone = not any(unicodedata.category(letter)[0] in "LN" for letter in mark)
    if mark in words.marks or (lone and len(mark) <= 4):
        return ScoreCell(ScoreState.UNRESOLVED, mark=mark, oddities=(Oddity.MARK,))
    return _wrong(Oddity.NOT_A_SCORE)


Kind = Literal["number", "level", "other"]


def text_kind(text: str, words: Vocabulary) -> Kind:
    """Rough kind of a text, to tell a column of scores from one of levels (A B C, 优 良)."""
    folded = fold(text)
    if _NUMBER.fullmatch(folded) and any(letter.isdigit() for letter in folded):
        return "number"
    return "level" if words.levels.fullmatch(fold(text)) or words.levels.fullmatch(text.strip()) else "other"
