"""Score cells: every decoration, state, mark and nonsense; numbers against an independent slow parser."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiaoheng.sheets.cells import Oddity, read_number, read_score, score_mark
from jiaoheng.sheets.reading_model import ScoreState
from jiaoheng.sheets.vocabulary import vocabulary

WORDS = vocabulary()


@pytest.mark.parametrize(
    ("cell", "value", "oddities"),
    [
        (90.0, 90_000, ()),
        (0, 0, ()),
        ("85", 85_000, ()),
        (" 85.5 ", 85_500, ()),
        ("１０１", 101_000, (Oddity.FOLDED,)),
        ("１０．５", 10_500, (Oddity.FOLDED,)),
        ("100分", 100_000, (Oddity.UNIT,)),
        ("100.0分", 100_000, (Oddity.UNIT,)),
        ("'95", 95_000, (Oddity.QUOTE,)),
        ("1,050", 1_050_000, (Oddity.THOUSANDS,)),
        ("9.5E1", 95_000, (Oddity.EXPONENT,)),
        ("\u00a088\u200b", 88_000, ()),
        (110.00000000000001, 110_000, ()),
        (0.1 + 0.2, 300, ()),
        (99.111, 99_111, (Oddity.DECIMALS,)),
        (83.33333333333333, 83_333, (Oddity.ROUNDED,)),
        ("99.1235", 99_124, (Oddity.ROUNDED,)),
    ],
)
def test_number(cell: object, value: int, oddities: tuple[Oddity, ...]) -> None:
    found = read_score(cell, WORDS, {})  # type: ignore[arg-type]
    assert (found.state, found.value, found.oddities) == (ScoreState.SCORED, value, oddities)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("缺考", ScoreState.ABSENT),
        ("缺 考", ScoreState.ABSENT),
        ("缺", ScoreState.ABSENT),
        ("旷考", ScoreState.ABSENT),
        ("病假", ScoreState.ABSENT),
        ("缺考（病）", ScoreState.ABSENT),
        ("【缺考】", ScoreState.ABSENT),
        ("免考", ScoreState.EXEMPT),
        ("免修", ScoreState.EXEMPT),
        ("作弊", ScoreState.CHEATED),
        ("违纪", ScoreState.CHEATED),
        ("取消", ScoreState.CHEATED),
        ("缓考", ScoreState.DEFERRED),
        ("休学", ScoreState.LEFT),
        ("转出", ScoreState.LEFT),
        ("未选", ScoreState.NOT_CHOSEN),
        ("", ScoreState.MISSING),
        ("　\u200b", ScoreState.MISSING),
        (None, ScoreState.MISSING),
    ],
)
def test_state(text: str | None, state: ScoreState) -> None:
    found = read_score(text, WORDS, {})
    assert found.state is state
    assert found.value == 0
    assert found.oddities == ()


@pytest.mark.parametrize("mark", ["/", "-", "—", "×", "*", "#", "N/A", "无", "…", "＼", "——", "？"])
def test_mark_is_asked_and_never_guessed(mark: str) -> None:
    found = read_score(mark, WORDS, {})
    assert found.state is ScoreState.UNRESOLVED
    assert found.oddities == (Oddity.MARK,)
    assert found.mark == score_mark(mark, WORDS)


def test_all_dashes_are_one_mark() -> None:
    assert {score_mark(dash, WORDS) for dash in "-－—–−"} == {"-"}


@pytest.mark.parametrize(
    ("answer", "state", "value"),
    [("未选", ScoreState.NOT_CHOSEN, 0), ("零分", ScoreState.SCORED, 0), ("2.5", ScoreState.SCORED, 2500)],
)
def test_answered_mark(answer: str, state: ScoreState, value: int) -> None:
    found = read_score("／", WORDS, {"/": answer})
    assert (found.state, found.value) == (state, value)


@pytest.mark.parametrize(
    ("cell", "oddity"),
    [
        ("八十", Oddity.NOT_A_SCORE),
        ("a", Oddity.NOT_A_SCORE),
        ("8 5", Oddity.NOT_A_SCORE),
        ("57 60", Oddity.NOT_A_SCORE),
        ("85%", Oddity.NOT_A_SCORE),
        ("85+5", Oddity.NOT_A_SCORE),
        (-1.0, Oddity.NEGATIVE),
        ("－0.5", Oddity.NEGATIVE),
        ("−1", Oddity.NEGATIVE),
        (True, Oddity.TRUTH),
        (dt.datetime(2025, 3, 5), Oddity.DATE),
        (dt.time(3, 5), Oddity.DATE),
        ("#REF!", Oddity.ERROR),
        ("#N/A", Oddity.ERROR),
        (float("nan"), Oddity.NOT_A_SCORE),
        (202601180001.0, Oddity.TOO_LARGE),
    ],
)
def test_wrong_cells_are_invalid_and_zero_valued(cell: object, oddity: Oddity) -> None:
    found = read_score(cell, WORDS, {})  # type: ignore[arg-type]
    assert (found.state, found.value, found.oddities) == (ScoreState.INVALID, 0, (oddity,))


@pytest.mark.parametrize("text", ["57/60", "57／60", "原57补60", "57补60", "57.5/60"])
def test_original_and_make_up(text: str) -> None:
    found = read_score(text, WORDS, {})
    assert found.state is ScoreState.SCORED
    assert found.value in (57_000, 57_500)
    assert found.make_up == 60_000


@pytest.mark.parametrize("text", ["3/5", "12/25", "60/57"])
def test_pair_that_may_be_something_else_is_asked(text: str) -> None:
    assert read_score(text, WORDS, {}).oddities == (Oddity.PAIR,)


def test_out_of_full_mark_is_asked() -> None:
    assert read_score("57/60", WORDS, {}, full=60_000).state is ScoreState.UNRESOLVED


def slow_number(text: str) -> int | None:
    """An independent reading of a plain decimal text in thousandths, letter by letter."""
    whole, places, seen = 0, 0, False
    digits = 0
    for letter in text:
        if letter == "." and not seen:
            seen = True
        elif "0" <= letter <= "9":
            digits += 1
            whole = whole * 10 + ord(letter) - 48
            places += seen
        else:
            return None
    if not digits:
        return None
    shift = 3 - places
    return whole * 10**shift if shift >= 0 else (2 * whole + 10**-shift) // (2 * 10**-shift)


@given(st.integers(0, 999), st.integers(0, 6), st.data())
def test_text_numbers_agree_with_the_slow_parser(whole: int, places: int, data: st.DataObject) -> None:
    tail = data.draw(st.text("0123456789", min_size=places, max_size=places))
    text = f"{whole}.{tail}" if places else str(whole)
    found = read_score(text, WORDS, {})
    assert found.state is ScoreState.SCORED
    assert found.value == slow_number(text)
    wide = text.translate({ord(letter): ord(letter) + 0xFEE0 for letter in "0123456789."})
    assert read_score(wide, WORDS, {}).value == found.value


@given(st.text("0123456789.", min_size=1, max_size=6))
def test_digits_and_points_are_a_number_or_an_error(text: str) -> None:
    found = read_score(text, WORDS, {})
    expected = slow_number(text)
    if expected is None:
        assert found.state is not ScoreState.SCORED
    elif expected <= 10_000_000:
        assert found.value == expected


@given(st.decimals(0, 1000, places=2))
def test_floats_of_two_decimals_are_exact(mark: Decimal) -> None:
    found = read_number(float(mark))
    assert found.value == int((mark * 1000).to_integral_value(ROUND_HALF_UP))
    assert found.oddities == ()


@given(st.text(max_size=12))
def test_any_text_has_an_outcome(text: str) -> None:
    found = read_score(text, WORDS, {})
    assert found.value == 0 or found.state is ScoreState.SCORED
    assert (found.state is ScoreState.UNRESOLVED) == (found.mark is not None)
