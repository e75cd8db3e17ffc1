"""Weights that must add up, folded totals 折分 and weighted terms with a missing part.

Source: case C30 (weights of 95 are refused; a missing part is rescaled or the term is incomplete, never a zero).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Literal

from jiaoheng.methods.numbers import text


class WeightError(ValueError):
    """Weights that do not add up; the message is for the user."""


def _short(value: Fraction) -> str:
    """A number as a person writes it: 0.95, 95, 33.333."""
    return text(value, 3).rstrip("0").rstrip(".")


def check_weights(
    weights: Mapping[str, Fraction], totals: Sequence[Fraction] = (Fraction(1), Fraction(100)), what: str = "权重"
) -> Fraction:
    """The sum of the weights, which must be one of `totals`; no weight may be negative.

    Raises WeightError with the sum found, the sums allowed and the weights themselves.
    """
    named = "、".join(f"{name} {_short(weight)}" for name, weight in weights.items())
    if not weights:
        raise WeightError(f"{what}没有填写。请在考试设置中填写各项{what}")
    for name, weight in weights.items():
        if weight < 0:
            raise WeightError(f"{what}不能是负数：{name} 为 {_short(weight)}。请在考试设置中改正")
    total = sum(weights.values(), Fraction(0))
    if total not in totals:
        allowed = " 或 ".join(_short(Fraction(value)) for value in totals)
        raise WeightError(f"{what}之和是 {_short(total)}，应为 {allowed}（{named}）。请在考试设置中改正{what}")
    return total


def weighted_sum(parts: Mapping[str, Fraction | None], weights: Mapping[str, Fraction]) -> Fraction | None:
    """Σ part × weight over the weights' names (subject scores into a school's score §1.3).

    None where a part with a positive weight has no data. Raises WeightError for a weight without its part.
    """
    total = Fraction(0)
    for name, weight in weights.items():
        if name not in parts:
            raise WeightError(f"权重中的“{name}”没有对应的成绩。请核对名称，现有：{'、'.join(parts)}")
        value = parts[name]
        if weight and value is None:
            return None
        total += weight * (value or 0)
    return total


def folded_total(scores: Mapping[str, Fraction], folds: Mapping[str, Fraction]) -> Fraction:
    """Σ score × fold 折分; a subject without a fold counts once. Case C30: 457.0 of 560 (also for the full marks)."""
    unknown = sorted(set(folds) - set(scores))
    if unknown:
        raise WeightError(f"折分中的“{'、'.join(unknown)}”不在学科之内。请核对学科名称")
    return sum((score * folds.get(name, Fraction(1)) for name, score in scores.items()), Fraction(0))


def weighted_term(
    points: Mapping[str, Fraction | None], weights: Mapping[str, Fraction], missing: Literal["rescale", "incomplete"]
) -> Fraction | None:
    """A term mark out of 100 from parts given in points of their weight (27 of 30, 32 of 40).

    A part without data is rescaled, (27 + 32) ÷ 70 × 100 = 84.29, or makes the term incomplete (None); it is never
    taken as 0. None where every part is missing. Raises WeightError where weights do not add to 1 or 100, or points
    exceed their weight.
    """
    check_weights(weights)
    there = Fraction(0)
    earned = Fraction(0)
    for name, weight in weights.items():
        value = points.get(name)
        if value is None:
            if missing == "incomplete" and weight:
                return None
            continue
        if not 0 <= value <= weight:
            raise WeightError(f"“{name}”得 {_short(value)} 分，应在 0 到 {_short(weight)} 之间。请核对分数或权重")
        there += weight
        earned += value
    return earned / there * 100 if there else None
