"""Lines, effective scores and reach (standards §1.7) against plain counting."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiaoheng.methods.histogram import ScoreHistogram
from jiaoheng.methods.lines import (
    Marks,
    effective_by_band,
    effective_by_rank,
    effective_by_ratio,
    line_by_places,
    line_by_score,
    multi_reach,
    reach,
    total_reach,
)

ONE = Fraction(1)


def marks(values: list[int], counted: list[bool] | None = None, step: Fraction = ONE) -> Marks:
    who = np.ones(len(values), bool) if counted is None else np.array(counted, bool)
    return Marks(np.array(values, np.int32), who, step)


def of(values: list[int], step: Fraction = ONE) -> ScoreHistogram:
    return ScoreHistogram.build(np.array(values, np.int32), np.zeros(len(values), np.int32), 1, step=step)


def test_vector_of_effective_scores() -> None:
    """L = 480, (500: 110/120), (480: 105/115), below the line (430: 100/95): 语 105, 数 115."""
    total = marks([500, 480, 430])
    assert effective_by_ratio(marks([110, 105, 100]), total, Fraction(480)) == 105
    assert effective_by_ratio(marks([120, 115, 95]), total, Fraction(480)) == 115


def test_effective_score_in_half_marks_is_the_same() -> None:
    half = Fraction(1, 2)
    total = marks([1000, 960, 860], step=half)
    assert effective_by_ratio(marks([220, 210, 200], step=half), total, Fraction(480)) == 105


def test_nobody_over_the_line_gives_no_effective_score() -> None:
    total, subject = marks([100, 200]), marks([10, 20])
    for value in (
        effective_by_ratio(subject, total, Fraction(300)),
        effective_by_rank(subject, total, Fraction(300)),
        effective_by_band(subject, total, Fraction(300), Fraction(10)),
    ):
        assert value is None
    with pytest.raises(ValueError, match="临界带宽不能是负数"):
        effective_by_band(subject, total, Fraction(300), Fraction(-1))


def test_effective_by_rank_takes_the_subject_score_of_rank_k() -> None:
    """Two reach the total, so the subject's second score is its line, whoever has it."""
    assert effective_by_rank(marks([90, 70, 95, 90]), marks([500, 490, 300, 200]), Fraction(480)) == 90


def test_effective_by_band_includes_both_ends() -> None:
    total = marks([490, 470, 491, 469])
    assert effective_by_band(marks([100, 81, 0, 0]), total, Fraction(480), Fraction(10)) == Fraction(181, 2)


def test_electives_are_scaled_by_their_takers() -> None:
    total = marks([600, 500, 500])
    subject = marks([0, 80, 60], [False, True, True])
    assert effective_by_ratio(subject, total, Fraction(450)) == 63  # 70 × 450 ÷ 500


@given(st.lists(st.integers(0, 40), min_size=1, max_size=50), st.integers(1, 60))
def test_line_by_places_takes_all_ties(values: list[int], places: int) -> None:
    line = line_by_places(of(values), places)
    assert line is not None
    ordered = sorted(values, reverse=True)
    assert line.mark == ordered[min(places, len(values)) - 1]
    assert line.reached == sum(v >= line.mark for v in values)
    assert line.beyond_plan == max(line.reached - places, 0)


def test_given_line_and_bad_plans() -> None:
    assert line_by_score(of([119, 120, 121], Fraction(1, 2)), Fraction(60)).reached == 2
    assert line_by_score(of([1]), ONE).beyond_plan == 0
    assert line_by_places(ScoreHistogram(np.zeros((1, 0), np.int64), 0, ONE), 5) is None
    with pytest.raises(ValueError, match="计划人数应不小于 1，现为 0"):
        line_by_places(of([1]), 0)


ROWS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 20), st.integers(0, 60), st.booleans(), st.booleans()), max_size=50
)


@given(ROWS)
def test_reach_equals_plain_counting(rows: list[tuple[int, int, int, bool, bool]]) -> None:
    units = np.array([row[0] for row in rows], np.int32)
    subject = marks([row[1] for row in rows], [row[3] for row in rows])
    total = marks([row[2] for row in rows], [row[4] for row in rows])
    found = reach(subject, Fraction(23, 2), total, Fraction(30), units, 3)
    for unit in range(3):
        mine = [(s, t) for u, s, t, has, whole in rows if u == unit and has and whole]
        single, over = [s >= 11.5 for s, _ in mine], [t >= 30 for _, t in mine]
        a, c = sum(single), sum(over)
        b = sum(x and y for x, y in zip(single, over, strict=True))
        assert (found.n[unit], found.single[unit], found.double[unit], found.total[unit]) == (len(mine), a, b, c)
        assert found.hit.fraction(unit) == (Fraction(b, a) if a else None)
        assert found.contribution.fraction(unit) == (Fraction(b, c) if c else None)
        assert found.mismatch.fraction(unit) == (Fraction(c - b, c) if c else None)
        quadrants = b, found.total_only[unit], found.single_only[unit], found.neither[unit]
        assert quadrants == (b, c - b, a - b, sum(not (x or y) for x, y in zip(single, over, strict=True)))
    merged = found.merge(np.array([0, 0, 1]), 2)
    assert merged.double.tolist() == [found.double[0] + found.double[1], found.double[2]]


def test_tracks_are_judged_by_their_own_lines_and_added() -> None:
    """物理类 450, 历史类 500: one averaged line of 475 would take 3 pupils instead of 2."""
    totals, units = [460, 440, 490, 480], np.zeros(4, np.int32)
    physics, history = [True, True, False, False], [False, False, True, True]
    lines = (Fraction(450), Fraction(500))
    parts = [
        reach(marks([90] * 4), Fraction(60), marks(totals, track), line, units, 1)
        for track, line in zip((physics, history), lines, strict=True)
    ]
    both = parts[0] + parts[1]
    assert both.total.tolist() == [1]
    assert both.n.tolist() == [4]
    averaged = reach(marks([90] * 4), Fraction(60), marks(totals), sum(lines, Fraction(0)) / 2, units, 1)
    assert averaged.total.tolist() == [2]


def test_total_reach_and_number_of_subjects_reached() -> None:
    total = marks([10, 20, 30, 0], [True, True, True, False])
    assert total_reach(total, Fraction(20), np.array([0, 0, 1, 1]), 3).fractions() == (Fraction(1, 2), ONE, None)
    chinese, maths = marks([60, 50, 70, 60]), marks([60, 60, 10, 0], [True, True, True, False])
    reached = multi_reach([chinese.reaches(Fraction(60)), maths.reaches(Fraction(60))], np.array([0, 0, 0, 1]), 2)
    assert reached.tolist() == [[0, 2, 1], [0, 1, 0]]
