"""Lists of pupils: near-line, uneven, struggling, top, single-digit, all reached (standards §1.7)."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiaoheng import packs
from jiaoheng.methods.histogram import ScoreHistogram
from jiaoheng.methods.low_and_all import all_reached, single_digit_limit, single_digits
from jiaoheng.methods.near_line import near_line, rank_window
from jiaoheng.methods.pupil_lists import cut_of_share, lock, top_index
from jiaoheng.methods.pupil_rules import pupil_rules
from jiaoheng.methods.uneven import drag_subjects, uneven_by_percentile, uneven_by_z

NAN = float("nan")


def histogram(values: list[int]) -> ScoreHistogram:
    array = np.array(values, dtype=np.int64)
    return ScoreHistogram.build(array, np.zeros(len(values), np.int64), 1)


class TestNearLine:
    def test_both_ends_are_in(self) -> None:
        """Line 480, 10 above, 20 below."""
        totals = np.array([491, 490, 480, 479, 460, 459, 485])
        counted = np.array([True] * 6 + [False])
        found = near_line(totals, counted, Fraction(480), Fraction(10), Fraction(20))
        assert found.above.tolist() == [False, True, True, False, False, False, False]
        assert found.below.tolist() == [False, False, False, True, True, False, False]
        assert found.short.tolist() == [0, 10, 0, -1, -20, 0, 0]
        assert found.near.sum() == 4

    def test_half_points_and_a_line_between_steps(self) -> None:
        """Line 479.75 in half points: 480 reaches it, 479.5 does not; 489.5 is within 10 above, 490 is not."""
        totals = np.array([980, 979, 960, 959, 919])  # 490, 489.5, 480, 479.5, 459.5
        found = near_line(totals, np.ones(5, bool), Fraction("479.75"), Fraction(10), Fraction(20), Fraction(1, 2))
        assert found.above.tolist() == [False, True, True, False, False]
        assert found.below.tolist() == [False, False, False, True, False]

    @pytest.mark.parametrize(
        ("above", "below", "message"), [(101, 20, "线上 101 分不在 0 至 100 之间"), (10, -1, "线下 -1 分")]
    )
    def test_a_width_out_of_reason(self, above: int, below: int, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            near_line([1], [True], Fraction(480), Fraction(above), Fraction(below))

    def test_rank_window(self) -> None:
        assert rank_window([999, 1000, 1100, 1101, 0], 1000, 1100).tolist() == [False, True, True, False, False]
        with pytest.raises(ValueError, match="名次窗应从小到大，现为 1100 至 1000"):
            rank_window([1], 1100, 1000)


class TestUneven:
    def test_one_behind_the_mean_of_the_others(self) -> None:
        """Others 1.0, 0.5, 1.5: mean 1.0; a Z of exactly 0.0 is uneven, 0.1 is not."""
        found = uneven_by_z([[1.0, 0.5, 1.5, 0.0], [1.0, 0.5, 1.5, 0.1]])
        assert found.subjects.tolist() == [[False, False, False, True], [False] * 4]
        assert found.behind[0, 3] == pytest.approx(1.0)
        assert found.pupils.tolist() == [True, False]
        assert found.worst.tolist() == [3, -1]

    def test_a_limit_met_exactly_in_tenths(self) -> None:
        """0.3 − (−0.7) is a hair below 1 in binary."""
        assert uneven_by_z([[0.3, 0.3, -0.7]]).subjects[0, 2]

    def test_missing_subjects_are_not_behind(self) -> None:
        found = uneven_by_z([[1.0, 1.0, NAN, -1.0], [1.0, -5.0, NAN, NAN]])
        assert found.subjects.tolist() == [[False, False, False, True], [False] * 4]
        assert np.isnan(found.behind[1]).all()  # one other subject is no mean

    def test_behind_the_total(self) -> None:
        found = uneven_by_percentile([[75.0, 40.0, NAN]], [65.0])
        assert found.subjects.tolist() == [[False, True, False]]

    def test_drag(self) -> None:
        """Uneven and below its line; counts for who reached the total, or is near it, not for who is far below."""
        uneven = uneven_by_z([[1.0, 1.0, -1.0]] * 4)
        reached = np.array([[True, True, False]] * 3 + [[True, True, True]])
        found = drag_subjects(uneven, [True, False, False, True], reached, [False, True, False, False])
        assert found[:, 2].tolist() == [True, True, False, False]
        assert not found[:, :2].any()

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.lists(st.floats(-3, 3), min_size=4, max_size=4), min_size=1, max_size=20))
    def test_against_a_slow_reference(self, rows: list[list[float]]) -> None:
        found = uneven_by_z(rows)
        for row, marks in zip(rows, found.behind, strict=True):
            for subject in range(4):
                others = [one for place, one in enumerate(row) if place != subject]
                assert marks[subject] == pytest.approx(sum(others) / 3 - row[subject])


class TestShares:
    def test_last_fifth(self) -> None:
        cut = cut_of_share(histogram([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]), Fraction(20, 100), "lowest")
        assert (cut.score, cut.planned, cut.inside, cut.n) == (20, 2, 2, 10)
        assert cut.members([20, 21, 5], [True, True, False]).tolist() == [True, False, False]

    def test_ties_at_the_cut(self) -> None:
        """Of ten the last two are planned and three are tied for it: all in, or all out."""
        values = [10, 20, 20, 40, 50, 60, 70, 80, 90, 100]
        assert cut_of_share(histogram(values), Fraction(1, 5), "lowest").inside == 3
        out = cut_of_share(histogram(values), Fraction(1, 5), "lowest", "none")
        assert (out.score, out.inside) == (10, 1)

    def test_ties_from_the_first_on(self) -> None:
        out = cut_of_share(histogram([0, 0, 0, 40, 50]), Fraction(1, 5), "lowest", "none")
        assert (out.score, out.inside) == (None, 0)
        assert not out.members([0, 40], [True, True]).any()

    def test_top(self) -> None:
        cut = cut_of_share(histogram(list(range(1, 201))), Fraction("0.01"), "highest")
        assert (cut.score, cut.inside) == (199, 2)

    @pytest.mark.parametrize(("n", "planned"), [(1, 1), (30, 1), (49, 1), (50, 2), (150, 5)])
    def test_planned_number_goes_half_up_and_is_at_least_one(self, n: int, planned: int) -> None:
        """3 % of 50 is 1.5."""
        assert cut_of_share(histogram(list(range(n))), Fraction("0.03"), "highest").planned == planned

    def test_nobody(self) -> None:
        cut = cut_of_share(histogram([]), Fraction(1, 5), "lowest")
        assert (cut.score, cut.planned) == (None, 0)

    def test_a_share_that_is_none(self) -> None:
        with pytest.raises(ValueError, match="比例应大于 0、不大于 1，现为 20"):
            cut_of_share(histogram([1]), Fraction(20), "lowest")

    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.integers(0, 30), min_size=1, max_size=80), st.integers(1, 100), st.sampled_from(["all", "none"]))
    def test_against_sorting(self, values: list[int], percent: int, ties: str) -> None:
        n = len(values)
        planned = max(1, (2 * percent * n + 100) // 200)
        for end in ("lowest", "highest"):
            ordered = sorted(values, reverse=end == "highest")
            last = ordered[planned - 1]
            kept = {one for one in values if (one <= last if end == "lowest" else one >= last)}
            if ties == "none" and sum(one in kept for one in values) > planned:
                kept.discard(last)
            cut = cut_of_share(histogram(values), Fraction(percent, 100), end, ties)  # type: ignore[arg-type]
            wanted = [one in kept for one in values]
            assert cut.members(values, np.ones(n, bool)).tolist() == wanted
            assert cut.inside == sum(wanted)

    def test_top_index(self) -> None:
        """A school with half of the top and a quarter of the pupils has 2; one without pupils has no data."""
        units = np.array([0] * 10 + [1] * 30)
        top = np.zeros(40, bool)
        top[[0, 1, 10, 11]] = True
        assert top_index(top, np.ones(40, bool), units, 3).fractions() == (Fraction(2), Fraction(2, 3), None)


class TestLock:
    def test_the_order_given_does_not_matter(self) -> None:
        assert lock("学困生", "期初", ["b", "a"]) == lock("学困生", "期初", ["a", "b"])

    def test_a_changed_list_is_seen(self) -> None:
        locked = lock("学困生", "期初", ["a", "b"])
        assert locked.intact
        assert not dataclasses.replace(locked, pupils=("a",)).intact
        assert not dataclasses.replace(locked, exam="期末").intact

    def test_ids_do_not_run_together(self) -> None:
        assert lock("学困生", "期初", ["ab", "c"]).digest != lock("学困生", "期初", ["a", "bc"]).digest

    def test_members(self) -> None:
        assert lock("学困生", "期初", ["a", "b"]).holds(["c", None, "a"]).tolist() == [False, False, True]

    def test_a_pupil_twice(self) -> None:
        with pytest.raises(ValueError, match="学困生名单里学生 a 出现两次"):
            lock("学困生", "期初", ["a", "b", "a"])


class TestSingleDigits:
    def test_zero_is_in_absent_is_not(self) -> None:
        values = np.array([0, 9, 10, 0, 55])
        scored = np.array([True, True, True, False, True])
        assert single_digits(values, scored, Fraction(10)).tolist() == [True, True, False, False, False]

    def test_half_points(self) -> None:
        """19 half points are 9.5, 20 are 10."""
        assert single_digits([19, 20], [True, True], Fraction(10), Fraction(1, 2)).tolist() == [True, False]

    def test_small_subjects(self) -> None:
        assert single_digit_limit(Fraction(50)) == 10
        assert single_digit_limit(Fraction(50), small="scaled") == 5
        assert single_digit_limit(Fraction(60), small="scaled") == 10


class TestAllReached:
    LINES = (Fraction("59.5"), Fraction(60))
    STEPS = (Fraction(1), Fraction(1, 2))

    def test_every_subject(self) -> None:
        """70 × 0.85 = 59.5 is not rounded: 60 reaches it, 59 does not; 119 half points are 59.5 < 60."""
        values = np.array([[60, 120], [59, 120], [60, 119], [70, 140]])
        scored = np.array([[True, True]] * 3 + [[True, False]])
        assert all_reached(values, scored, self.LINES, self.STEPS).tolist() == [True, False, False, False]

    def test_subjects_not_chosen_are_not_asked(self) -> None:
        values = np.array([[60, 0], [60, 0], [0, 0]])
        scored = np.array([[True, False], [True, False], [False, False]])
        required = np.array([[True, False], [True, True], [False, False]])
        assert all_reached(values, scored, self.LINES, self.STEPS, required).tolist() == [True, False, False]


def test_the_pack_agrees_with_the_defaults_of_an_exam() -> None:
    """The same limit stands in two packs; they must not part."""
    defaults = packs.load("exam_defaults")
    rules = pupil_rules()
    assert rules.struggling_share == Fraction(defaults["pupils"]["struggling_share"])
    assert Fraction(defaults["pupils"]["top_share"]) in rules.top_shares
    assert rules.uneven_z == float(defaults["pupils"]["uneven_z"])
    assert rules.single_below == Fraction(defaults["pupils"]["single_digit_below"])
    assert rules.near_above == Fraction(defaults["lines"]["near_above"])
    assert rules.near_below == Fraction(defaults["lines"]["near_below"])


def test_the_limits_of_the_standards() -> None:
    """Standards §1.7 and §1.8, as shipped."""
    rules = pupil_rules()
    assert rules.top_shares == tuple(Fraction(percent, 100) for percent in (1, 3, 5, 10))
    assert (rules.uneven_lag, rules.matched_rate, rules.school_pupils, rules.class_pupils) == (
        25,
        Fraction(4, 5),
        30,
        15,
    )
    assert rules.improved is None  # leaving the group is what counts, improvement within it is a choice
