"""Item analysis 试题质量分析: difficulty, correlations, reliability and the words for them, from sums that add up.

Source: standards §1.5. Means, rates, difficulty and α are exact fractions; only correlations and the standard error,
which are square roots, are floats. A value that has no data is None, never 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from jiaoheng import packs
from jiaoheng.methods.crossproducts import CrossProducts, ItemSums, cross_products, item_totals
from jiaoheng.methods.item_distribution import ItemDistribution, item_distribution, sums_of_whole
from jiaoheng.methods.item_groups import (
    ItemCurves,
    discrimination,
    high_low_groups,
    item_by_total,
    item_curves,
    shared_discrimination,
)
from jiaoheng.methods.item_options import Alternatives, alternatives, joined


@dataclass(frozen=True, slots=True)
class Band:
    """One graded word: it holds from `limit` on (`above`: beyond it); None holds always."""

    word: str
    limit: Fraction | None
    above: bool


def bands_of(entry: Mapping[str, Any]) -> tuple[Band, ...]:
    """The bands of a pack entry, from the top."""
    out = []
    for one in entry["bands"]:
        limit = one.get("above", one.get("at_least"))
        out.append(Band(str(one["word"]), None if limit is None else Fraction(str(limit)), "above" in one))
    return tuple(out)


def word_of(value: Fraction | float | None, bands: Sequence[Band]) -> str | None:
    """The word of the first band that holds, compared unrounded; None without a value or a band."""
    if value is None:
        return None
    for band in bands:
        if band.limit is None or (value > band.limit if band.above else value >= band.limit):
            return band.word
    return None


@dataclass(frozen=True, slots=True)
class ItemRules:
    """Limits and words of item analysis, from packs/items.yaml."""

    group_share: Fraction
    discrimination_from: int
    share_ties: bool
    curve_groups: int
    weak_gap: Fraction  # a point this far below the county's mastery is a weakness
    difficulty: tuple[Band, ...]
    difficulty_hint: tuple[Band, ...]
    discrimination: tuple[Band, ...]
    reliability: tuple[Band, ...]


def item_rules() -> ItemRules:
    """The rules of the pack."""
    pack = packs.load("items")
    return ItemRules(
        group_share=Fraction(str(pack["group_share"])),
        discrimination_from=int(pack["discrimination_from"]),
        share_ties=pack["ties"] == "share",
        curve_groups=int(pack["curve_groups"]),
        weak_gap=Fraction(str(pack["weak_point_gap"])),
        difficulty=bands_of(pack["difficulty"]),
        difficulty_hint=bands_of(pack["difficulty"]["hints"]),
        discrimination=bands_of(pack["discrimination"]),
        reliability=bands_of(pack["reliability"]),
    )


@dataclass(frozen=True, slots=True)
class ItemFigures:
    """What is known of one item in one group of pupils."""

    n: int  # pupils with a score of the item
    mean: Fraction | None  # in steps
    difficulty: Fraction | None  # mean ÷ full mark; the larger the easier
    variance: Fraction | None  # population variance, in steps²
    zero_rate: Fraction | None
    full_rate: Fraction | None
    total_r: float | None  # correlation with the total; for right/wrong items the point-biserial coefficient
    rest_r: float | None  # corrected: with the total less the item


def item_figures(sums: ItemSums, full: npt.ArrayLike, unit: int = 0) -> tuple[ItemFigures, ...]:
    """Figures of every item in one unit.

    P = mean ÷ full mark. r is Pearson's correlation of item and total over the pupils who have the item; for items of
    two values it equals ((M_p − M_q)/S_t)·√(pq). rest_r takes the total less the item. None where the spread is 0.
    Source: standards §1.5.
    """
    best = np.asarray(full, dtype=np.int64).tolist()
    return tuple(
        _figures(*(int(getattr(sums, name)[unit, item]) for name in _NAMES), full=best[item])
        for item in range(len(best))
    )


_NAMES = ("count", "sum", "square", "zeros", "fulls", "total", "total_square", "cross")


def _figures(n: int, x: int, xx: int, zeros: int, fulls: int, t: int, tt: int, xt: int, *, full: int) -> ItemFigures:
    if n == 0:
        return ItemFigures(0, None, None, None, None, None, None, None)
    return ItemFigures(
        n=n,
        mean=Fraction(x, n),
        difficulty=Fraction(x, n * full) if full else None,
        variance=Fraction(n * xx - x * x, n * n),
        zero_rate=Fraction(zeros, n),
        full_rate=Fraction(fulls, n),
        total_r=_correlation(n, x, xx, t, tt, xt),
        rest_r=_correlation(n, x, xx, t - x, tt - 2 * xt + xx, xt - xx),
    )


def _correlation(n: int, x: int, xx: int, y: int, yy: int, xy: int) -> float | None:
    """Pearson's r from sums; the integers are exact, so only the last root rounds."""
    spread = (n * xx - x * x) * (n * yy - y * y)
    return None if spread <= 0 else (n * xy - x * y) / math.sqrt(spread)


@dataclass(frozen=True, slots=True)
class Reliability:
    """Cronbach's α of k items over n pupils (for right/wrong items KR-20) and the standard error of measurement."""

    n: int
    k: int
    incomplete: int  # pupils left out because an item is missing
    alpha: Fraction | None
    total_variance: Fraction | None  # in steps²
    sem: float | None  # σ_T·√(1 − α), in steps


def reliability(products: CrossProducts) -> Reliability:
    """α = k/(k−1)·(1 − Σσ_i²/σ_T²), population variances; None for k < 2 or σ_T = 0. Source: standards §1.5."""
    n, k = products.n, len(products.sums)
    if n == 0:
        return Reliability(0, k, products.incomplete, None, None, None)
    diagonal = zip(np.diag(products.products).tolist(), products.sums.tolist(), strict=True)
    items = sum(n * square - one * one for square, one in diagonal)
    total = int(products.sums.sum())
    whole = n * int(products.products.sum()) - total * total
    variance = Fraction(whole, n * n)
    if k < 2 or whole == 0:
        return Reliability(n, k, products.incomplete, None, variance, None)
    alpha = Fraction(k, k - 1) * (1 - Fraction(items, whole))
    return Reliability(n, k, products.incomplete, alpha, variance, math.sqrt(variance * (1 - alpha)))


@dataclass(frozen=True, slots=True)
class ItemAnalysis:
    """One paper's item analysis for one group of pupils; tuples run over the items."""

    pupils: int
    figures: tuple[ItemFigures, ...]
    distribution: ItemDistribution
    discrimination: tuple[Fraction | None, ...]
    reliability: Reliability
    curves: ItemCurves
    group: int  # g of the high and low groups; 0 where there is no discrimination
    alternatives: Alternatives  # items of choice, joined for the reliability


def analyse(
    values: npt.ArrayLike,
    full: npt.ArrayLike,
    totals: npt.ArrayLike | None = None,
    number: npt.ArrayLike | None = None,
    rules: ItemRules | None = None,
) -> ItemAnalysis:
    """Everything about the items of one paper in one pass over its pupils.

    values: (pupils, items) in steps, −1 where an item has no score; full: full marks in steps; totals: the paper's
    total in steps where it is to be used instead of the sum of items (negative: left out); number: exam numbers or
    their order, for ties at the border of the 27 % groups (None: the order given); rules: None takes the pack's.
    Fewer pupils than `rules.discrimination_from` get no discrimination (None). Items of choice count as one item in
    the reliability.
    """
    use = rules or item_rules()
    scores = np.asarray(values)
    sums = item_totals(scores)
    total = sums if totals is None else np.where(sums >= 0, np.asarray(totals, dtype=np.int64), -1)
    by_total = item_by_total(scores, total)
    n = int((total >= 0).sum())
    best = np.asarray(full, dtype=np.int64)
    divided: tuple[Fraction | None, ...] = (None,) * len(best)
    group = 0
    sat = scores if n == len(scores) else scores[total >= 0]
    options = alternatives(sat, best)
    spread = item_distribution(sat, best)
    if n and n >= use.discrimination_from:
        groups = high_low_groups(total, use.group_share, number)
        group = len(groups[0])
        if use.share_ties:
            divided = shared_discrimination(by_total, best, use.group_share)
        else:
            divided = discrimination(scores, best, groups)
    return ItemAnalysis(
        pupils=n,
        figures=item_figures(sums_of_whole(by_total, spread, best), best),
        distribution=spread,
        discrimination=divided,
        reliability=reliability(cross_products(joined(sat, options) if options else sat)),
        curves=item_curves(by_total, best, use.curve_groups),
        group=group,
        alternatives=options,
    )
