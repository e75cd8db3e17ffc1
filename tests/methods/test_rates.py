"""One score, three rates; who counts by B1–B5. Cases C06, C07; standards §1.1, §1.2."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiaoheng.methods.histogram import ScoreHistogram
from jiaoheng.methods.moments import mean
from jiaoheng.methods.numbers import percent, text
from jiaoheng.methods.participation import (
    apply_rule,
    cohort_base,
    counting_rule,
    discounted_base,
    enrolled,
    keep_top,
    participation,
    reminders,
)
from jiaoheng.methods.rates import Cuts, SubjectReach, all_subject_rate, relative_cut, score_rates
from jiaoheng.methods.states import ScoreState as S

CUTS = Cuts(Fraction(85, 100), Fraction(75, 100), Fraction(60, 100), Fraction(40, 100))
ONE = np.zeros(8, np.int32)
# case C06: 90, 0, 缺考, blank, 免考, 作弊, '/' = not chosen, '-' = absent
VALUES = np.array([90, 0, 0, 0, 0, 0, 0, 0], np.int32)
STATES = np.array([S.SCORED, S.SCORED, S.ABSENT, S.MISSING, S.EXEMPT, S.CHEATED, S.NOT_CHOSEN, S.ABSENT], np.uint8)


def of(values: list[int], step: Fraction = Fraction(1)) -> ScoreHistogram:
    return ScoreHistogram.build(np.array(values, np.int32), np.zeros(len(values), np.int32), 1, step=step)


@pytest.mark.parametrize(
    ("base", "cheated_zero", "n", "average", "passed"),
    [("B1", False, 2, "45.00", "50.00"), ("B1", True, 3, "30.00", "33.33"), ("B2", True, 6, "15.00", "16.67")],
)
def test_case_c06(base: str, cheated_zero: bool, n: int, average: str, passed: str) -> None:
    counted = apply_rule(VALUES, STATES, counting_rule(base, cheated_zero=cheated_zero, blank_absent=True))
    rates = score_rates(ScoreHistogram.build(counted.values, ONE, 1, counted.mask), Fraction(100), CUTS)
    assert int(counted.mask.sum()) == n
    assert text(rates.mean.fraction(0) or 0) == average
    assert percent(rates.passing.fraction(0) or 0) == passed


def test_blank_is_absent_only_where_declared() -> None:
    rule = counting_rule("B2", cheated_zero=True, blank_absent=False)
    assert apply_rule(VALUES, STATES, rule).mask.tolist() == [True, True, True, False, False, True, False, True]


def test_unresolved_and_invalid_never_count() -> None:
    states = np.array([S.UNRESOLVED, S.INVALID, S.LEFT, S.DEFERRED], np.uint8)
    for base in ("B1", "B2", "B3", "B4", "B5"):
        counted = apply_rule(
            np.full(4, 50, np.int32), states, counting_rule(base, cheated_zero=True, blank_absent=True)
        )
        assert not counted.mask.any()
        assert not counted.values.any()


def test_absent_pupils_of_b2_are_low_scores() -> None:
    counted = apply_rule(VALUES, STATES, counting_rule("B2", cheated_zero=True, blank_absent=True))
    rates = score_rates(ScoreHistogram.build(counted.values, ONE, 1, counted.mask), Fraction(100), CUTS)
    assert rates.low.fraction(0) == Fraction(5, 6)
    assert counted.zeroed.sum() == 4


def test_unknown_base_names_the_choices() -> None:
    with pytest.raises(ValueError, match="口径“B9”不存在，可用 B1、B2、B3、B4、B5"):
        counting_rule("B9", cheated_zero=True, blank_absent=True)


def test_threshold_is_not_rounded() -> None:
    """70 × 0.85 = 59.5: 59.5 is excellent, 59 is not; with whole marks 60 is the first."""
    halves = score_rates(of([119, 118, 120], Fraction(1, 2)), Fraction(70), CUTS)
    assert halves.excellent.fraction(0) == Fraction(2, 3)
    wholes = score_rates(of([59, 60]), Fraction(70), CUTS)
    assert wholes.excellent.fraction(0) == Fraction(1, 2)


def test_low_is_strictly_below_and_pass_includes_its_mark() -> None:
    rates = score_rates(of([40, 39, 60, 59]), Fraction(100), CUTS)
    assert rates.low.fraction(0) == Fraction(1, 4)
    assert rates.passing.fraction(0) == Fraction(1, 4)


@given(st.lists(st.integers(0, 240), min_size=1, max_size=50), st.sampled_from([70, 100, 120, 150]))
def test_rates_equal_plain_counting(values: list[int], full: int) -> None:
    marks = [Fraction(value, 2) for value in values]
    rates = score_rates(of(values, Fraction(1, 2)), Fraction(full), CUTS)
    n = len(marks)
    assert rates.mean.fraction(0) == sum(marks) / n
    assert rates.score_rate.fraction(0) == sum(marks) / n / full
    assert rates.excellent.fraction(0) == Fraction(sum(m >= full * CUTS.excellent for m in marks), n)
    assert rates.good.fraction(0) == Fraction(sum(m >= full * CUTS.good for m in marks), n)
    assert rates.passing.fraction(0) == Fraction(sum(m >= full * CUTS.passing for m in marks), n)
    assert rates.low.fraction(0) == Fraction(sum(m < full * CUTS.low for m in marks), n)


def test_full_mark_zero_and_wrong_cuts_are_refused() -> None:
    with pytest.raises(ValueError, match="满分必须大于 0，现为 0。请在考试设置中填写该科满分"):
        score_rates(of([1]), Fraction(0), CUTS)
    with pytest.raises(ValueError, match=r"低分 ≤ 及格 ≤ 良好 ≤ 优秀，现为 低分 0.7、及格 0.6"):
        Cuts(Fraction(9, 10), Fraction(8, 10), Fraction(6, 10), Fraction(7, 10))
    with pytest.raises(ValueError, match="在 0 到 1 之间"):
        Cuts(Fraction(85), Fraction(8, 10), Fraction(6, 10), Fraction(4, 10))


def test_b3_and_b4_change_only_the_denominator() -> None:
    histogram = ScoreHistogram(np.array([[40, 50]]), 59, Fraction(1))
    b3 = score_rates(histogram, Fraction(100), CUTS, discounted_base(np.array([100])))
    assert b3.passing.fraction(0) == Fraction(50, 97)
    b4 = score_rates(histogram, Fraction(100), CUTS, cohort_base([120]))
    assert b4.mean.fraction(0) == Fraction(40 * 59 + 50 * 60, 120)
    assert score_rates(histogram, Fraction(100), CUTS, cohort_base([None])).mean.fraction(0) is None


def test_b3_rate_may_pass_one_hundred_percent() -> None:
    histogram = ScoreHistogram(np.array([[100]]), 80, Fraction(1))
    rate = score_rates(histogram, Fraction(100), CUTS, discounted_base(np.array([100]))).passing.fraction(0)
    assert rate == Fraction(100, 97)


def test_wrong_bases_are_refused() -> None:
    with pytest.raises(ValueError, match=r"3% 写 0\.03"):
        discounted_base(np.array([1]), Fraction(3))
    with pytest.raises(ValueError, match="不能小于 0"):
        cohort_base([-1])
    with pytest.raises(ValueError, match=r"90% 写 0\.9"):
        keep_top(ONE, ONE == 0, ONE, 1, Fraction(90))


def test_participation_and_its_reminder() -> None:
    states = np.array([S.SCORED] * 19 + [S.ABSENT] + [S.SCORED] * 9 + [S.CHEATED, S.EXEMPT, S.MISSING], np.uint8)
    units = np.array([0] * 20 + [1] * 12, np.int32)
    rate = participation(states, units, 3)
    assert rate.fractions() == (Fraction(19, 20), Fraction(10, 11), None)
    assert reminders(rate) == (1,)  # 95 % itself is enough
    assert enrolled(states, units, 3).tolist() == [20, 11, 0]


def test_b5_keeps_the_floor_of_ninety_percent() -> None:
    totals = np.arange(19, dtype=np.int32)
    kept = keep_top(totals, np.ones(19, bool), np.zeros(19, np.int32), 1)
    assert kept.kept.tolist() == [17]
    assert sorted(totals[kept.mask]) == list(range(2, 19))
    assert kept.ties_at_cut.tolist() == [0]


ROWS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(0, 3), st.booleans()), max_size=40)


@given(ROWS, st.fractions("1/10", 1, max_denominator=20), st.randoms(use_true_random=False))
def test_b5_sums_do_not_depend_on_row_order(
    rows: list[tuple[int, int, int, bool]], keep: Fraction, shuffle: random.Random
) -> None:
    def run(of_rows: list[tuple[int, int, int, bool]]) -> tuple[list[int], list[tuple[int, int, int]]]:
        units, totals, subject = (np.array([r[k] for r in of_rows], np.int32) for k in range(3))
        kept = keep_top(totals, np.array([r[3] for r in of_rows], bool), units, 3, keep, (subject,))
        assert all(of_rows[i][3] for i in np.flatnonzero(kept.mask))
        return kept.kept.tolist(), sorted(of_rows[i][:3] for i in np.flatnonzero(kept.mask))

    shuffled = rows[:]
    shuffle.shuffle(shuffled)
    assert run(rows) == run(shuffled)
    for unit in range(3):
        ours = sorted((r[1:3] for r in rows if r[0] == unit and r[3]), reverse=True)
        assert [r[1:] for r in run(rows)[1] if r[0] == unit] == sorted(
            ours[: len(ours) * keep.numerator // keep.denominator]
        )


def test_b5_names_ties_at_the_cut() -> None:
    totals = np.array([9, 5, 5, 5], np.int32)
    kept = keep_top(totals, np.ones(4, bool), np.zeros(4, np.int32), 1, Fraction(1, 2))
    assert kept.mask.tolist() == [True, True, False, False]
    assert kept.ties_at_cut.tolist() == [3]


def test_all_subject_pass() -> None:
    """Of those who count in both, who passes both; 60 of 100 and 59.5 of 70 in half marks."""
    first = SubjectReach(np.array([60, 59, 99, 80]), np.array([True, True, True, False]), Fraction(1), Fraction(60))
    second = SubjectReach(np.array([119, 140, 118, 140]), np.ones(4, bool), Fraction(1, 2), Fraction(119, 2))
    rate = all_subject_rate((first, second), np.array([0, 0, 1, 1]), 2)
    assert rate.fractions() == (Fraction(1, 2), Fraction(0))
    assert all_subject_rate((first, second), np.array([0, 0, 1, 1]), 2, cohort_base([4, 4])).fraction(0) == Fraction(
        1, 4
    )
    with pytest.raises(ValueError, match="至少要有一门学科"):
        all_subject_rate((), np.zeros(0, np.int32), 1)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=40), st.fractions("1/50", 1, max_denominator=50))
def test_relative_line(values: list[int], share: Fraction) -> None:
    """The highest score that at least the share reaches."""
    line = relative_cut(of(values), share)
    assert line is not None
    assert sum(v >= line for v in values) >= share * len(values)
    assert not any(v > line and sum(w >= v for w in values) >= share * len(values) for v in values)
    assert relative_cut(ScoreHistogram(np.zeros((1, 0), np.int64), 0, Fraction(1)), share) is None


def test_mean_of_nobody_is_no_data() -> None:
    assert mean(ScoreHistogram(np.zeros((1, 4), np.int64), 0, Fraction(1))).fraction(0) is None
