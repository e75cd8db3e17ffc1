"""Scaled scores: the field's vectors, an independent slow reference, and what must hold for every pool."""

from __future__ import annotations

import datetime as dt
import math
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jiaoheng.methods.scaling import Conversion, apply_conversion, conversion_of, scale
from jiaoheng.methods.scaling_rules import ScalingRule, ScalingRuleError, all_rules, find_rule, parse_rules

EXAM_DAY = dt.date(2026, 4, 28)
TIES = ("near", "up", "down")
VECTOR = (
    [98, 95, 92, 90, 88]
    + [86, 85, 84, 83, 82, 81, 80, 79, 78, 77]
    + [75] * 10
    + [70, 68, 66, 64, 62, 60, 58, 56, 54, 52]
    + [48, 40, 30, 20, 10]
)


def reference(raw: list[Fraction], rule: ScalingRule, ties: str) -> dict[Fraction, tuple[str, int]]:
    """Written from the standards alone: walks scores from the best, one level after the other, in decimals."""
    distinct = sorted(set(raw), reverse=True)
    reached = {score: sum(1 for one in raw if one >= score) for score in distinct}
    level_of: dict[Fraction, int] = {}
    position = 0
    share = Fraction(0)
    for place, level in enumerate(rule.levels):
        share += level.share
        target = Fraction(len(raw)) * share / 100
        while position < len(distinct):
            score = distinct[position]
            before = reached[distinct[position - 1]] if position else 0
            last = place == len(rule.levels) - 1
            if not last and reached[score] > target:
                nearer = reached[score] - target <= target - before
                if ties == "up" or (ties == "near" and nearer):
                    level_of[score] = place
                    position += 1
                break
            level_of[score] = place
            position += 1
    out = {}
    for place, level in enumerate(rule.levels):
        held = [score for score in distinct if level_of[score] == place]
        for score in held:
            if len(held) == 1:
                exact = Fraction(level.low + level.high, 2)
            else:
                exact = level.low + (score - min(held)) * (level.high - level.low) / (max(held) - min(held))
            decimal = Decimal(exact.numerator) / Decimal(exact.denominator)
            out[score] = (level.name, int(decimal.quantize(Decimal(1), ROUND_HALF_UP)))
    return out


def by_score(raw: list[int], rule: ScalingRule, ties: str = "near") -> dict[int, tuple[str, int]]:
    result = scale(raw, np.ones(len(raw), bool), rule, ties)  # type: ignore[arg-type]
    return {
        one: (rule.levels[level].name, int(value))
        for one, level, value in zip(raw, result.levels, result.values, strict=True)
    }


@pytest.fixture(scope="module")
def rule() -> ScalingRule:
    return find_rule("3+1+2", EXAM_DAY)


class TestVectors:
    """Standards §2.1."""

    @pytest.mark.parametrize(
        ("score", "between", "level", "expected"),
        [(88, (80, 96), "A", 93), (75, (61, 79), "B", 82), (70, (61, 79), "B", 78)],
    )
    def test_a_score_within_its_level(
        self, rule: ScalingRule, score: int, between: tuple[int, int], level: str, expected: int
    ) -> None:
        """With 15 pupils from 80 to 96 and 35 from 61 to 79 the levels A and B have just these ends."""
        a = [96, 80, 88] + [85] * 12
        b = [79, 61, 75, 70] + [65] * 31
        rest = [50] * 17 + [45] * 18 + [30] * 6 + [25] * 7 + [10, 5]
        found = by_score(a + b + rest, rule)
        assert found[between[0]][0] == found[between[1]][0] == level
        assert found[score] == (level, expected)

    @pytest.mark.parametrize("ties", TIES)
    def test_the_forty_pupils(self, rule: ScalingRule, ties: str) -> None:
        wanted = reference([Fraction(one) for one in VECTOR], rule, ties)
        assert by_score(VECTOR, rule, ties) == {int(one): value for one, value in wanted.items()}

    def test_the_forty_pupils_by_hand(self, rule: ScalingRule) -> None:
        """A are the best six: 86 → 86, 98 → 100, 92 → 86 + 6·14/12 = 93; B runs 77–85 (75 would make 25 of 20)."""
        found = by_score(VECTOR, rule)
        assert [found[one] for one in (98, 92, 86)] == [("A", 100), ("A", 93), ("A", 86)]
        assert found[85] == ("B", 85)
        assert found[75][0] == "B"  # 15 or 25 pupils for a target of 20: equally near, so the better level
        assert found[70][0] == "C"
        assert found[10] == ("E", 35)  # alone in its level: the middle of 30 and 40

    def test_single_scores_take_the_middle(self, rule: ScalingRule) -> None:
        raw = [90] * 15 + [80] * 35 + [70] * 35 + [60] * 13 + [50] * 2
        found = by_score(raw, rule)
        assert found == {90: ("A", 93), 80: ("B", 78), 70: ("C", 63), 60: ("D", 48), 50: ("E", 35)}

    def test_ties_rules_differ_at_a_cut(self, rule: ScalingRule) -> None:
        """100 pupils, 10 above the tie and 8 in it: 18 is nearer to 15 than 10 is."""
        raw = [95] * 10 + [90] * 8 + [80] * 32 + [70] * 35 + [60] * 13 + [50] * 2
        assert by_score(raw, rule, "near")[90][0] == "A"
        assert by_score(raw, rule, "up")[90][0] == "A"
        assert by_score(raw, rule, "down")[90][0] == "B"

    def test_near_leaves_out_a_tie_that_goes_far_beyond(self, rule: ScalingRule) -> None:
        raw = [95] * 10 + [90] * 11 + [80] * 29 + [70] * 35 + [60] * 13 + [50] * 2
        assert by_score(raw, rule, "near")[90][0] == "B"  # 21 is six beyond, 10 is five short


class TestRuleTables:
    def test_every_table_adds_up_and_descends(self) -> None:
        rules = all_rules()
        assert {one.key for one in rules} == {"3+1+2", "山东", "浙江", "北京", "天津", "上海"}
        for one in rules:
            assert sum(level.share for level in one.levels) == 100
            assert one.source

    @pytest.mark.parametrize(
        ("key", "levels", "top", "bottom"),
        [
            ("山东", 8, 100, 21),
            ("北京", 21, 100, 40),
            ("天津", 21, 100, 40),
            ("上海", 11, 70, 40),
            ("湘", 5, 100, 30),
        ],
    )
    def test_shape(self, key: str, levels: int, top: int, bottom: int) -> None:
        found = find_rule(key, EXAM_DAY)
        assert len(found.levels) == levels
        assert (found.levels[0].high, found.levels[-1].low) == (top, bottom)

    def test_zhejiang_changes_on_a_day(self) -> None:
        old = find_rule("浙江", dt.date(2022, 12, 31))
        new = find_rule("浙江", dt.date(2023, 1, 1))
        assert (len(old.levels), len(new.levels)) == (21, 20)
        assert [level.high for level in new.levels[:3]] == [100, 97, 94]
        assert (new.levels[-1].high, new.levels[-1].low) == (43, 40)

    def test_an_unknown_rule_names_those_there_are(self) -> None:
        with pytest.raises(
            ScalingRuleError, match=r"没有名为“火星”的赋分规则。可用的规则有：3\+1\+2、山东、浙江、北京、天津、上海"
        ):
            find_rule("火星", EXAM_DAY)

    def test_a_day_before_the_rule(self) -> None:
        with pytest.raises(ScalingRuleError, match=r"在考试日期 2015-06-07 不适用.*自 2020-01-01 至今"):
            find_rule("山东", dt.date(2015, 6, 7))

    @pytest.mark.parametrize(
        ("levels", "message"),
        [
            ([("A", 50, 100, 60), ("B", 40, 59, 0)], "比例之和是 90%"),
            ([("A", 50, 100, 60), ("B", 50, 60, 0)], "等级 A 与 B 的分数区间重叠"),
            ([("A", 50, 90, 60), ("B", 50, 59, 0)], "最高赋分 90 与满分 100 不一致"),
            ([("A", 50, 100, 101), ("B", 50, 59, 0)], "最低分高于最高分"),
        ],
    )
    def test_a_broken_table_is_refused(self, levels: list[tuple[str, int, int, int]], message: str) -> None:
        pack = {
            "defaults": {"ties": "near", "single": "middle", "outside": 0, "small_pool": 50},
            "rules": [
                {
                    "key": "本县",
                    "name": "本县规则",
                    "full": 100,
                    "source": "试",
                    "effective_from": dt.date(2020, 1, 1),
                    "levels": [dict(zip(("name", "share", "high", "low"), one, strict=True)) for one in levels],
                }
            ],
        }
        with pytest.raises(ScalingRuleError, match=message):
            parse_rules(pack)


class TestPool:
    def test_absent_and_cheated_are_outside_and_do_not_move_anybody(self, rule: ScalingRule) -> None:
        raw = np.array([*VECTOR, 0, 0, 77])
        pool = np.array([True] * len(VECTOR) + [False] * 3)
        result = scale(raw, pool, rule)
        assert result.values[-3:].tolist() == [0, 0, 0]
        assert result.levels[-3:].tolist() == [-1, -1, -1]
        assert result.values[:-3].tolist() == scale(VECTOR, np.ones(len(VECTOR), bool), rule).values.tolist()
        assert result.conversion.n == 40

    def test_a_valid_zero_is_in_the_pool(self, rule: ScalingRule) -> None:
        result = scale([0, *range(10, 110)], np.ones(101, bool), rule)
        assert result.values[0] == 30
        assert rule.levels[result.levels[0]].name == "E"

    def test_few_pupils_are_marked(self, rule: ScalingRule) -> None:
        assert scale(VECTOR, np.ones(40, bool), rule).conversion.few
        assert not scale(list(range(50)), np.ones(50, bool), rule).conversion.few

    def test_nobody(self, rule: ScalingRule) -> None:
        result = scale([0, 0], [False, False], rule)
        assert result.values.tolist() == [0, 0]
        assert all(row.n == 0 and row.share is None and row.raw_low is None for row in result.conversion.table)

    def test_one_pupil(self, rule: ScalingRule) -> None:
        """One pupil is nearer to 100 % than to 15 % and to 50 % alike: taken at the half, so level B."""
        assert by_score([66], rule) == {66: ("B", 78)}

    def test_the_table_of_levels(self, rule: ScalingRule) -> None:
        table = scale(VECTOR, np.ones(40, bool), rule).conversion.table
        assert [row.n for row in table] == [6, 19, 9, 5, 1]
        first = table[0]
        assert (first.share, first.planned) == (Fraction(6, 40), Fraction(15, 100))
        assert (first.raw_low, first.raw_high, first.scaled_low, first.scaled_high) == (86, 98, 86, 100)

    def test_half_points_are_exact(self, rule: ScalingRule) -> None:
        """Steps of half a mark: the same pool in half points gives the same as the reference in marks."""
        marks = [Fraction(one, 2) for one in range(60, 190, 3)]
        steps = [int(one * 2) for one in marks]
        wanted = reference(marks, rule, "near")
        found = by_score(steps, rule)
        assert all(found[int(one * 2)] == wanted[one] for one in marks)

    def test_a_school_by_the_pool_of_the_county(self, rule: ScalingRule) -> None:
        county = conversion_of(np.bincount(VECTOR), 0, rule)
        school = apply_conversion(county, [98, 75, 0], [True, True, False])
        assert school.values.tolist() == [100, int(county.scaled[75]), 0]

    def test_a_score_that_the_pool_does_not_have_is_refused(self, rule: ScalingRule) -> None:
        county = conversion_of(np.bincount(VECTOR), 0, rule)
        with pytest.raises(ValueError, match="does not occur in the pool"):
            apply_conversion(county, [97], [True])


scores = st.lists(st.integers(0, 60), min_size=1, max_size=160)


@settings(max_examples=150, deadline=None)
@given(raw=scores, ties=st.sampled_from(TIES), key=st.sampled_from([one.name for one in all_rules()]))
def test_same_as_the_reference(raw: list[int], ties: str, key: str) -> None:
    rule = next(one for one in all_rules() if one.name == key)
    wanted = reference([Fraction(one) for one in raw], rule, ties)
    assert by_score(raw, rule, ties) == {int(one): value for one, value in wanted.items()}


@settings(max_examples=150, deadline=None)
@given(raw=scores, ties=st.sampled_from(TIES), key=st.sampled_from([one.name for one in all_rules()]))
def test_order_is_kept_and_scores_stay_in_range(raw: list[int], ties: str, key: str) -> None:
    """Better or equal raw scores never get less; every scaled score lies in its level's interval."""
    rule = next(one for one in all_rules() if one.name == key)
    result = scale(raw, np.ones(len(raw), bool), rule, ties)  # type: ignore[arg-type]
    order = np.argsort(raw, kind="stable")
    assert (np.diff(result.values[order]) >= 0).all()
    assert (np.diff(result.levels[order]) <= 0).all()
    for value, level in zip(result.values, result.levels, strict=True):
        assert rule.levels[level].low <= value <= rule.levels[level].high


@settings(max_examples=100, deadline=None)
@given(raw=scores)
def test_cumulative_counts_keep_to_the_shares(raw: list[int]) -> None:
    """`down` never goes beyond a cumulative share, `up` never stays below one."""
    rule = find_rule("3+1+2", EXAM_DAY)
    for ties in ("down", "up"):
        table = scale(raw, np.ones(len(raw), bool), rule, ties).conversion.table  # type: ignore[arg-type]
        reached = np.cumsum([row.n for row in table])[:-1]
        targets = [len(raw) * sum(level.share for level in rule.levels[: i + 1]) / 100 for i in range(4)]
        for have, target in zip(reached, targets, strict=True):
            assert have <= math.floor(target) if ties == "down" else have >= target


@settings(max_examples=60, deadline=None)
@given(raw=scores, cut=st.integers(0, 160))
def test_pools_of_schools_add(raw: list[int], cut: int) -> None:
    """The county's conversion is that of the sum of its schools' histograms."""
    rule = find_rule("山东", EXAM_DAY)

    def histogram(part: list[int]) -> np.ndarray:
        return np.bincount(np.array(part, dtype=np.int64), minlength=61)

    whole: Conversion = conversion_of(histogram(raw), 0, rule)
    added = conversion_of(histogram(raw[:cut]) + histogram(raw[cut:]), 0, rule)
    assert whole.scaled.tolist() == added.scaled.tolist()
    assert whole.table == added.table
