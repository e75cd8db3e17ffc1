"""Four families of composite scores, and weights that must add up (standards §1.3, case C30)."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jiaoheng.methods.composite import FAMILIES, against_county, against_highest, exact_weights, linear, rank_points
from jiaoheng.methods.numbers import text
from jiaoheng.methods.weights import WeightError, check_weights, folded_total, weighted_sum, weighted_term

F = Fraction
ITEMS = {
    "mean": (F(80, 100), F(60, 100), None),
    "excellent": (F(1, 2), F(1, 10), None),
    "pass": (F(9, 10), F(7, 10), None),
    "low": (F(0), F(1, 5), None),
}
PLAIN = {"mean": F(4, 10), "excellent": F(3, 10), "pass": F(3, 10)}


def test_linear_by_hand() -> None:
    result = linear(ITEMS, PLAIN)
    assert result.values == (F(32 + 15 + 27), F(24 + 3 + 21), None)
    assert result.parts["mean"] == (32, 24, None)
    assert result.full == 100


def test_linear_weights_of_one_hundred_give_the_same() -> None:
    assert linear(ITEMS, {name: weight * 100 for name, weight in PLAIN.items()}).values == linear(ITEMS, PLAIN).values


def test_low_rate_is_subtracted_or_complemented_as_the_weights_say() -> None:
    """0.4 + 0.3 + 0.3 leaves low to be taken off; 0.4 + 0.2 + 0.3 + 0.1 adds (1 − low) × 0.1."""
    minus = linear(ITEMS, {**PLAIN, "low": F(1, 10)})
    assert minus.values[1] == 48 - 2
    plus = linear(ITEMS, {"mean": F(4, 10), "excellent": F(2, 10), "pass": F(3, 10), "low": F(1, 10)})
    assert plus.values[0] == 32 + 10 + 27 + 10
    assert plus.values[1] == 24 + 2 + 21 + 8


def test_against_the_highest_by_hand() -> None:
    result = against_highest(ITEMS, {"mean": F(40), "pass": F(30), "excellent": F(30)})
    assert result.values == (100, F(60, 80) * 40 + F(7, 9) * 30 + F(1, 5) * 30, None)
    assert result.full == 100
    assert result.reasons == ()


def test_points_of_two_hundred_stay_points() -> None:
    """两率一分: 60 + 70 + 70 = 200."""
    assert against_highest(ITEMS, {"mean": F(60), "excellent": F(70), "pass": F(70)}).values[0] == 200


def test_highest_of_zero_gives_zero_and_says_so() -> None:
    items = {"mean": (F(1, 2), F(1, 4)), "excellent": (F(0), F(0)), "pass": (F(1, 10), F(1, 10))}
    result = against_highest(items, PLAIN)
    assert result.parts["excellent"] == (0, 0)
    assert result.values == (70, 50)
    assert result.reasons == ("优秀率的最高值为 0，该项各单位都记 0 分",)


def test_against_the_county() -> None:
    result = against_county(ITEMS, {"mean": F(7, 10), "excellent": F(1, 4), "pass": F(8, 10)}, PLAIN)
    assert result.values[0] == 40 * F(8, 7) + 30 * 2 + 30 * F(9, 8)
    zero = against_county(ITEMS, {"mean": F(7, 10), "excellent": F(0), "pass": F(8, 10)}, PLAIN)
    assert zero.parts["excellent"] == (0, 0, None)
    assert zero.reasons == ("优秀率的全县值为 0，该项各单位都记 0 分",)
    with pytest.raises(WeightError, match="缺少全县的及格率"):
        against_county(ITEMS, {"mean": F(1), "excellent": F(1)}, PLAIN)


def test_rank_points_tie_and_skip() -> None:
    """15 points for the first, one less a rank; equal values equal points, the next rank is skipped."""
    assert rank_points([F(9), F(8), F(8), F(7), None]).values == (15, 14, 14, 12, None)
    assert rank_points(list(range(20)), F(15), F(1)).values[0] == 0  # rank 20: never below 0


@pytest.mark.parametrize("family", ["线性", "比最高", "比县均"])
def test_weights_of_ninety_five_are_refused(family: str) -> None:
    """Case C30."""
    weights = {"mean": F(40), "excellent": F(30), "pass": F(25)}
    reference = [{"mean": F(1), "excellent": F(1), "pass": F(1)}] if family == "比县均" else []
    with pytest.raises(WeightError, match=r"综合评价权重之和是 95，应为 1 或 100.*mean 40、excellent 30、pass 25"):
        FAMILIES[family](ITEMS, *reference, weights)


def test_low_rate_has_no_place_in_relative_families() -> None:
    with pytest.raises(WeightError, match="不能含低分率"):
        against_highest(ITEMS, {"mean": F(1, 2), "low": F(1, 2)})


def test_unknown_items_and_negative_weights_are_refused() -> None:
    with pytest.raises(WeightError, match="没有“优生率”这一项，可用：mean（平均分）"):
        exact_weights({"优生率": 1})
    with pytest.raises(WeightError, match="不能是负数：mean 为 −1"):
        check_weights({"mean": F(-1), "pass": F(2)})
    with pytest.raises(WeightError, match="没有填写"):
        check_weights({})
    with pytest.raises(WeightError, match="“良好率”没有数据"):
        linear(ITEMS, {"mean": F(1, 2), "good": F(1, 2)})
    with pytest.raises(WeightError, match="首名分应大于 0"):
        rank_points([1], F(0))
    assert exact_weights({"mean": 0.3})["mean"] == F(3, 10)


SHARES = st.lists(st.fractions(0, 1, max_denominator=30), min_size=2, max_size=8)


@given(SHARES, st.integers(1, 50))
def test_relative_composites_do_not_depend_on_scale(values: list[F], factor: int) -> None:
    """Dividing by the highest takes out any common factor; the best unit has the full value."""
    one = against_highest({"mean": values}, {"mean": F(1)})
    other = against_highest({"mean": [value * factor for value in values]}, {"mean": F(1)})
    assert one.values == other.values
    assert max(value for value in one.values if value is not None) == (100 if any(values) else 0)


def test_folded_total_of_case_c30() -> None:
    """100 + 90 + 110 + 40 + 28 + 44 + 27 + 18 = 457.0 of 560."""
    names = ("语文", "数学", "英语", "政治", "历史", "物理", "生物", "地理")
    scores = dict(zip(names, map(F, (100, 90, 110, 80, 70, 88, 90, 60)), strict=True))
    full = dict(zip(names, map(F, (120, 120, 120, 100, 100, 100, 100, 100)), strict=True))
    folds = {"政治": F(1, 2), "历史": F(2, 5), "物理": F(1, 2), "生物": F(3, 10), "地理": F(3, 10)}
    assert folded_total(scores, folds) == 457
    assert folded_total(full, folds) == 560
    with pytest.raises(WeightError, match="折分中的“化学”不在学科之内"):
        folded_total(scores, {"化学": F(1)})


def test_term_with_a_missing_part_is_rescaled_or_incomplete_never_59() -> None:
    """Case C30: 30/30/40 with the middle missing: (27 + 32) ÷ 0.7 = 84.29."""
    weights = {"平时": F(30), "期中": F(30), "期末": F(40)}
    points = {"平时": F(27), "期中": None, "期末": F(32)}
    rescaled = weighted_term(points, weights, "rescale")
    assert rescaled is not None
    assert text(rescaled, 2) == "84.29"
    assert weighted_term(points, weights, "incomplete") is None
    assert weighted_term({**points, "期中": F(0)}, weights, "incomplete") == 59  # a real zero is a zero
    assert weighted_term(dict.fromkeys(weights), weights, "rescale") is None
    with pytest.raises(WeightError, match="之和是 95，应为 1 或 100"):
        weighted_term(points, {**weights, "期末": F(35)}, "rescale")
    with pytest.raises(WeightError, match="“平时”得 31 分，应在 0 到 30 之间"):
        weighted_term({**points, "平时": F(31)}, weights, "rescale")


def test_subject_weights_into_a_school_score() -> None:
    assert weighted_sum({"语文": F(80), "数学": F(90)}, {"语文": F(1, 2), "数学": F(1, 2)}) == 85
    assert weighted_sum({"语文": F(80), "数学": None}, {"语文": F(1, 2), "数学": F(1, 2)}) is None
    assert weighted_sum({"语文": F(80), "数学": None}, {"语文": F(1), "数学": F(0)}) == 80
    with pytest.raises(WeightError, match="“英语”没有对应的成绩。请核对名称，现有：语文"):
        weighted_sum({"语文": F(80)}, {"英语": F(1)})
