"""Item analysis: the field's vectors, slow references in plain Python, missing items, and sums that add up."""

from __future__ import annotations

import dataclasses
import math
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiaoheng.methods.crossproducts import CrossProducts, ItemSums, cross_products, item_sums, item_totals
from jiaoheng.methods.item_distribution import item_distribution, sums_of_whole
from jiaoheng.methods.item_groups import (
    discrimination,
    group_size,
    high_low_groups,
    item_by_total,
    item_curves,
    shared_discrimination,
)
from jiaoheng.methods.item_options import alternatives, joined
from jiaoheng.methods.items import analyse, item_figures, item_rules, reliability, word_of
from jiaoheng.methods.mastery import mastery, weaknesses

SHARE = Fraction(27, 100)


def paper(pupils: int, items: int, seed: int, missing: float = 0.0) -> np.ndarray:
    """Correlated item scores 0–4; a share of single items is missing."""
    rng = np.random.default_rng(seed)
    ability = rng.normal(size=(pupils, 1))
    scores = np.clip(np.rint(2 + ability + rng.normal(size=(pupils, items))), 0, 4).astype(np.int32)
    scores[rng.random(scores.shape) < missing] = -1
    return scores


def pearson(a: list[float], b: list[float]) -> float | None:
    ma, mb = sum(a) / len(a), sum(b) / len(b)
    top = sum((x - ma) * (y - mb) for x, y in zip(a, b, strict=True))
    low = math.sqrt(sum((x - ma) ** 2 for x in a) * sum((y - mb) ** 2 for y in b))
    return top / low if low > 1e-9 else None


class TestVectors:
    """Standards §1.5."""

    ITEM = (5, 5, 4, 4, 3, 3, 2, 2, 1, 0)
    TOTAL = (95, 90, 85, 80, 75, 70, 60, 55, 50, 40)

    def test_discrimination_of_ten_pupils(self) -> None:
        """g = half up(2.7) = 3; (14/3 − 3/3) ÷ 5 = 0.7333."""
        values = np.array(self.ITEM)[:, None]
        groups = high_low_groups(self.TOTAL, SHARE)
        assert [len(group) for group in groups] == [3, 3]
        assert discrimination(values, [5], groups) == (Fraction(11, 15),)
        assert shared_discrimination(item_by_total(values, self.TOTAL), [5], SHARE) == (Fraction(11, 15),)

    def test_alpha_of_three_items(self) -> None:
        values = np.array([[1, 1, 1, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 1, 0]]).T
        found = reliability(cross_products(values))
        assert found.alpha == Fraction(27, 34)
        assert round(float(found.alpha), 4) == 0.7941

    def test_standard_error_goes_with_alpha(self) -> None:
        values = np.array([[1, 1, 1, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 1, 0]]).T
        found = reliability(cross_products(values))
        assert found.total_variance == Fraction(34, 25)  # totals 3, 3, 2, 1, 0
        assert found.sem == pytest.approx(math.sqrt(1.36 * (1 - 27 / 34)))

    def test_difficulty(self) -> None:
        """Ten pupils with 29 of 50 marks."""
        figures = item_figures(item_sums(np.array(self.ITEM)[:, None], [5]), [5])[0]
        assert figures.difficulty == Fraction(29, 50)
        assert (figures.zero_rate, figures.full_rate) == (Fraction(1, 10), Fraction(2, 10))

    @pytest.mark.parametrize(("n", "g"), [(0, 0), (1, 1), (2, 1), (5, 1), (10, 3), (50, 14), (100, 27)])
    def test_group_size(self, n: int, g: int) -> None:
        """0.27 × 50 = 13.5 goes up to 14."""
        assert group_size(n, SHARE) == g


class TestCorrelations:
    def test_point_biserial_formula(self) -> None:
        """For right/wrong items r is ((M_p − M_q) ÷ S_t)·√(pq)."""
        values = (paper(80, 6, 3) > 2).astype(np.int32)
        totals = values.sum(axis=1)
        for item, figures in enumerate(item_figures(item_sums(values, np.ones(6)), np.ones(6, int))):
            right = values[:, item] == 1
            p = right.mean()
            expected = (totals[right].mean() - totals[~right].mean()) / totals.std() * math.sqrt(p * (1 - p))
            assert figures.total_r == pytest.approx(expected)

    def test_no_spread_is_no_value(self) -> None:
        values = np.array([[1, 0], [1, 2], [1, 1]])
        constant, other = item_figures(item_sums(values, [1, 2]), [1, 2])
        assert constant.total_r is None
        assert constant.rest_r is None
        assert other.total_r == pytest.approx(1)
        assert other.rest_r is None  # without the item nothing varies

    def test_a_single_item_has_no_alpha(self) -> None:
        assert reliability(cross_products(np.array([[1], [2]]))).alpha is None

    def test_equal_totals_have_no_alpha(self) -> None:
        found = reliability(cross_products(np.array([[1, 0], [0, 1]])))
        assert found.alpha is None
        assert found.total_variance == 0


class TestBorder:
    """Ties at the border of the 27 % groups."""

    TOTALS = (9, 7, 7, 7, 5, 3, 3, 1)  # g = half up(2.16) = 2
    VALUES = np.array([4, 4, 1, 0, 2, 0, 3, 0])[:, None]

    def test_by_exam_number(self) -> None:
        """Of the three with 7 the first joins the one with 9; of the two with 3 the second is the later number."""
        high, low = high_low_groups(self.TOTALS, SHARE)
        assert (high.tolist(), low.tolist()) == ([0, 1], [6, 7])
        assert discrimination(self.VALUES, [4], (high, low)) == (Fraction(8 - 3, 2 * 4),)

    def test_by_exam_number_in_another_order(self) -> None:
        """The exam number decides, not the order of rows."""
        high, low = high_low_groups(self.TOTALS, SHARE, number=[1, 9, 8, 2, 5, 6, 4, 3])
        assert (high.tolist(), low.tolist()) == ([0, 3], [5, 7])

    def test_shared(self) -> None:
        """Each of the three with 7 counts a third, each of the two with 3 a half."""
        found = shared_discrimination(item_by_total(self.VALUES, self.TOTALS), [4], SHARE)
        high = 4 + Fraction(4 + 1 + 0, 3)
        low = Fraction(0 + 3, 2)
        assert found == ((high - low) / 2 / 4,)

    def test_absent_pupils_are_in_no_group(self) -> None:
        high, low = high_low_groups([5, -1, 3, -1], SHARE)
        assert (high.tolist(), low.tolist()) == ([0], [2])


class TestMissingItems:
    def test_an_item_counts_those_who_have_it(self) -> None:
        values = np.array([[2, -1], [0, 3], [-1, -1]])
        assert item_totals(values).tolist() == [2, 3, -1]
        first, second = item_figures(item_sums(values, [2, 3]), [2, 3])
        assert (first.n, first.difficulty) == (2, Fraction(1, 2))
        assert (second.n, second.difficulty) == (1, Fraction(1))

    def test_alpha_takes_complete_pupils_and_says_how_many_are_not(self) -> None:
        values = paper(60, 5, 8)
        holes = np.vstack([values, [[1, -1, 1, 1, 1]], [[-1] * 5]])
        assert reliability(cross_products(holes)) == dataclasses.replace(
            reliability(cross_products(values)), incomplete=1
        )

    def test_an_item_nobody_has(self) -> None:
        found = analyse(np.array([[3, -1]] * 40), [4, 4])
        assert found.figures[1].n == 0
        assert found.figures[1].difficulty is None
        assert found.discrimination[1] is None
        assert found.reliability.alpha is None

    def test_nobody(self) -> None:
        found = analyse(np.empty((0, 3), np.int32), [1, 1, 1])
        assert found.pupils == 0
        assert found.discrimination == (None, None, None)
        assert found.curves.pupils == (0, 0, 0, 0, 0)


class TestItemsOfChoice:
    """Item 2 or item 3 is answered, never both."""

    def chosen(self) -> tuple[np.ndarray, np.ndarray]:
        whole = paper(80, 3, 21)
        first = np.arange(80) % 3 == 0
        split = np.column_stack([whole, whole[:, 2]])
        split[first, 2] = -1
        split[~first, 3] = -1
        return whole, split

    def test_they_are_found_and_joined_for_the_reliability(self) -> None:
        whole, split = self.chosen()
        found = analyse(split, [4] * 4)
        assert found.alternatives == ((2, 3),)
        assert joined(split, found.alternatives).tolist() == whole.tolist()
        assert found.reliability == analyse(whole, [4] * 3).reliability
        assert found.figures[2].n + found.figures[3].n == 80

    def test_items_of_different_marks_are_no_choice(self) -> None:
        _, split = self.chosen()
        assert alternatives(split, [4, 4, 4, 5]) == ()

    def test_single_gaps_are_no_choice(self) -> None:
        """One pupil with every item shows that all can be had together."""
        values = paper(60, 4, 3, missing=0.3)
        values[0] = 1
        assert alternatives(values, [4] * 4) == ()

    def test_one_of_three(self) -> None:
        values = np.array([[1, 2, -1, -1], [3, -1, 2, -1], [0, -1, -1, 4], [2, -1, -1, -1]])
        assert alternatives(values, [4] * 4) == ((1, 2, 3),)
        assert joined(values, ((1, 2, 3),)).tolist() == [[1, 2], [3, 2], [0, 4], [2, -1]]


class TestAnalysis:
    def test_under_thirty_pupils_there_is_no_discrimination(self) -> None:
        assert analyse(paper(29, 4, 1), [4] * 4).discrimination == (None,) * 4
        assert None not in analyse(paper(30, 4, 1), [4] * 4).discrimination

    def test_ties_rule_of_the_pack_is_used(self) -> None:
        values = paper(60, 4, 5)
        rules = item_rules()
        shared = analyse(values, [4] * 4, rules=dataclasses.replace(rules, share_ties=True))
        assert shared.discrimination == shared_discrimination(
            item_by_total(values, item_totals(values)), [4] * 4, rules.group_share
        )

    def test_the_paper_total_may_be_given(self) -> None:
        """A pupil whose paper has no total is left out of everything."""
        values = paper(50, 4, 6)
        totals = values.sum(axis=1) * 2
        totals[0] = -1
        found = analyse(values, [4] * 4, totals=totals)
        assert found.pupils == found.reliability.n == found.figures[0].n == 49
        assert found.figures[2].total_r == pytest.approx(analyse(values[1:], [4] * 4).figures[2].total_r)

    def test_against_slow_references(self) -> None:
        values = paper(120, 5, 11, missing=0.05)
        found = analyse(values, [4] * 5)
        rows = [[(i, x) for i, x in enumerate(row) if x >= 0] for row in values.tolist()]
        totals = [sum(x for _, x in row) for row in rows]
        for item, figures in enumerate(found.figures):
            mine = [(dict(row)[item], t) for row, t in zip(rows, totals, strict=True) if item in dict(row)]
            xs, ts = [float(x) for x, _ in mine], [float(t) for _, t in mine]
            assert figures.n == len(xs)
            assert figures.difficulty == Fraction(int(sum(xs)), 4 * len(xs))
            assert figures.total_r == pytest.approx(pearson(xs, ts))
            assert figures.rest_r == pytest.approx(pearson(xs, [t - x for x, t in zip(xs, ts, strict=True)]))
            mean = sum(xs) / len(xs)
            assert float(figures.variance or 0) == pytest.approx(sum((x - mean) ** 2 for x in xs) / len(xs))
        order = sorted(range(120), key=lambda one: (-totals[one], one))
        g = math.floor(0.27 * 120 + 0.5)
        for item, d in enumerate(found.discrimination):
            means = []
            for group in (order[:g], order[-g:]):
                marks = [dict(rows[one])[item] for one in group if item in dict(rows[one])]
                means.append(sum(marks) / len(marks))
            assert float(d or 0) == pytest.approx((means[0] - means[1]) / 4)

    def test_alpha_against_a_slow_reference(self) -> None:
        values = paper(90, 7, 12).astype(float)
        columns = values.var(axis=0)
        expected = 7 / 6 * (1 - columns.sum() / values.sum(axis=1).var())
        found = reliability(cross_products(values.astype(int)))
        assert float(found.alpha or 0) == pytest.approx(expected)
        part = reliability(cross_products(values.astype(int)).only([0, 2, 5]))
        few = values[:, [0, 2, 5]]
        assert float(part.alpha or 0) == pytest.approx(1.5 * (1 - few.var(axis=0).sum() / few.sum(axis=1).var()))

    def test_curves_rise_and_equal_totals_stay_together(self) -> None:
        values = paper(500, 6, 4)
        curves = item_curves(item_by_total(values, item_totals(values)), [4] * 6, 5)
        assert sum(curves.pupils) == 500
        rates = [[float(one or 0) for one in group] for group in curves.rates]
        assert all(rates[0][item] < rates[2][item] < rates[4][item] for item in range(6))
        for lower, upper in zip(curves.high, curves.low[1:], strict=False):
            assert lower is not None
            assert upper is not None
            assert lower < upper

    def test_curves_of_equal_totals(self) -> None:
        """All pupils tied: one group holds them, the others say that there is no data."""
        curves = item_curves(item_by_total(np.ones((10, 1), int), np.ones(10, int)), [1], 5)
        assert curves.pupils == (0, 0, 10, 0, 0)
        assert curves.rates[0] == (None,)


class TestWords:
    """Standards §1.5; each limit is met exactly and missed by little."""

    @pytest.mark.parametrize(
        ("value", "word"),
        [("0.7001", "易"), ("0.70", "中"), ("0.40", "中"), ("0.3999", "难")],
    )
    def test_difficulty(self, value: str, word: str) -> None:
        assert word_of(Fraction(value), item_rules().difficulty) == word

    @pytest.mark.parametrize(("value", "word"), [("0.91", "过易"), ("0.9", ""), ("0.2", ""), ("0.19", "过难")])
    def test_hint(self, value: str, word: str) -> None:
        assert word_of(Fraction(value), item_rules().difficulty_hint) == word

    @pytest.mark.parametrize(
        ("value", "word"),
        [
            ("0.4", "很好"),
            ("0.3999", "良好"),
            ("0.3", "良好"),
            ("0.2", "需改"),
            ("0.19", "差"),
            ("0", "差"),
            ("-0.01", "查错"),
        ],
    )
    def test_discrimination(self, value: str, word: str) -> None:
        assert word_of(Fraction(value), item_rules().discrimination) == word

    @pytest.mark.parametrize(
        ("value", "word"), [("0.9", "优"), ("0.8", "良"), ("0.7", "可"), ("0.6", "偏低"), ("0.5999", "差")]
    )
    def test_reliability(self, value: str, word: str) -> None:
        assert word_of(Fraction(value), item_rules().reliability) == word

    def test_no_value_has_no_word(self) -> None:
        assert word_of(None, item_rules().difficulty) is None


class TestMastery:
    POINTS = (("函数",), ("函数", "几何"), ("几何",), ())

    def test_an_item_of_two_points_counts_wholly_in_each(self) -> None:
        values = np.array([[2, 4, 0, 1], [0, 2, 3, 1]])
        found = mastery(item_sums(values, [2, 4, 6, 1]), [2, 4, 6, 1], self.POINTS)
        assert found.points == ("函数", "几何")
        assert found.items == ((0, 1), (1, 2))
        assert found.rates() == (Fraction(8, 12), Fraction(9, 20))

    def test_missing_items_leave_the_denominator(self) -> None:
        values = np.array([[2, -1, 6, 1]])
        found = mastery(item_sums(values, [2, 4, 6, 1]), [2, 4, 6, 1], self.POINTS)
        assert found.rates() == (Fraction(1), Fraction(1))

    def test_a_point_without_data(self) -> None:
        found = mastery(item_sums(np.array([[2, -1, -1, 1]]), [2, 4, 6, 1]), [2, 4, 6, 1], self.POINTS)
        assert found.rates() == (Fraction(1), None)

    def test_the_county_is_the_sum_of_its_schools(self) -> None:
        values = paper(200, 4, 9, missing=0.1)
        units = np.arange(200) % 7
        schools = mastery(item_sums(values, [4] * 4, units, 7), [4] * 4, self.POINTS)
        county = mastery(item_sums(values, [4] * 4), [4] * 4, self.POINTS)
        assert schools.whole().rates() == county.rates()

    def test_weakness_is_against_the_county(self) -> None:
        values = np.array([[0, 2, 6, 1], [2, 4, 0, 1]])
        schools = mastery(item_sums(values, [2, 4, 6, 1], [0, 1], 2), [2, 4, 6, 1], self.POINTS)
        county = schools.whole()
        first = weaknesses(schools, 0, county, Fraction(5, 100))
        assert [(one.point, one.rate, one.reference) for one in first] == [("函数", Fraction(1, 3), Fraction(2, 3))]
        assert [one.point for one in weaknesses(schools, 1, county, Fraction(5, 100))] == ["几何"]

    def test_the_blueprint_must_fit(self) -> None:
        with pytest.raises(ValueError, match="1 items in the blueprint, 4 items scored"):
            mastery(item_sums(np.ones((2, 4), int), [1] * 4), [1] * 4, [("函数",)])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(0, 60), missing=st.sampled_from([0.0, 0.2]))
def test_summaries_of_any_split_add_to_the_whole(seed: int, cut: int, missing: float) -> None:
    values = paper(60, 4, seed, missing)
    np.random.default_rng(seed).shuffle(values)
    parts = (values[:cut], values[cut:])
    whole_sums = item_sums(values, [4] * 4)
    added: ItemSums = item_sums(parts[0], [4] * 4) + item_sums(parts[1], [4] * 4)
    for field in dataclasses.fields(ItemSums):
        assert getattr(added, field.name).tolist() == getattr(whole_sums, field.name).tolist()
    whole: CrossProducts = cross_products(values)
    both = cross_products(parts[0]) + cross_products(parts[1])
    assert (both.n, both.incomplete) == (whole.n, whole.incomplete)
    assert both.products.tolist() == whole.products.tolist()
    assert both.sums.tolist() == whole.sums.tolist()
    by_total = item_by_total(parts[0], item_totals(parts[0])) + item_by_total(parts[1], item_totals(parts[1]))
    once = item_by_total(values, item_totals(values))
    assert shared_discrimination(by_total, [4] * 4, SHARE) == shared_discrimination(once, [4] * 4, SHARE)
    assert item_curves(by_total, [4] * 4, 5) == item_curves(once, [4] * 4, 5)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(0, 60), missing=st.sampled_from([0.0, 0.3]))
def test_the_two_summaries_of_a_paper_hold_its_item_sums(seed: int, cut: int, missing: float) -> None:
    """Distribution and sums by total, each added from two parts, give what a pass over the pupils gives."""
    values = paper(60, 4, seed, missing)
    values[values.max(axis=1) < 0, 0] = 1  # a pupil without any item belongs to neither
    parts = (values[:cut], values[cut:])
    spread = item_distribution(parts[0], [4] * 4) + item_distribution(parts[1], [4] * 4)
    by_total = item_by_total(parts[0], item_totals(parts[0])) + item_by_total(parts[1], item_totals(parts[1]))
    found, wanted = sums_of_whole(by_total, spread, [4] * 4), item_sums(values, [4] * 4)
    for field in dataclasses.fields(ItemSums):
        assert getattr(found, field.name).tolist() == getattr(wanted, field.name).tolist()
    for item in range(4):
        column = values[:, item].tolist()
        n = sum(one >= 0 for one in column)
        assert spread.shares(item) == tuple(Fraction(column.count(score), n) for score in range(5) if n)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_schools_merge_into_the_county(seed: int) -> None:
    values = paper(80, 3, seed, 0.1)
    rng = random.Random(seed)
    units = [rng.randrange(6) for _ in range(80)]
    parents = [rng.randrange(2) for _ in range(6)]
    merged = item_sums(values, [4] * 3, units, 6).merged(parents, 2)
    direct = item_sums(values, [4] * 3, [parents[unit] for unit in units], 2)
    for field in dataclasses.fields(ItemSums):
        assert getattr(merged, field.name).tolist() == getattr(direct, field.name).tolist()


def test_big_papers_keep_exact_products() -> None:
    """Products beyond a block of rows are exact integers."""
    rng = np.random.default_rng(2)
    values = rng.integers(0, 301, (20_000, 5)).astype(np.int32)
    exact = values.astype(object).T @ values.astype(object)
    assert cross_products(values).products.tolist() == exact.tolist()
