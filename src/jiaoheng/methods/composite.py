"""Composite evaluation scores 综合评价: four families of formulas as named strategies, exact.

Source: standards §1.3 (linear; against the highest; against the county; points by rank). Which one, and its
weights, are settings of the exam; their dated defaults stand in the packs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

from jiaoheng.methods.numbers import Number, to_fraction
from jiaoheng.methods.ranks import competition_ranks
from jiaoheng.methods.weights import WeightError, check_weights

Values = Sequence[Fraction | None]  # one per unit
ITEMS: Mapping[str, str] = MappingProxyType(
    {"mean": "平均分", "excellent": "优秀率", "good": "良好率", "pass": "及格率", "low": "低分率"}
)
ORDINARY_TOTALS = (Fraction(1), Fraction(100))
SHARE_TOTALS = (Fraction(1), Fraction(100), Fraction(150), Fraction(180), Fraction(200))


@dataclass(frozen=True, slots=True)
class Composite:
    """The result: value per unit (None: an item has no data), each item's share in it, and what had to be said."""

    family: str
    values: tuple[Fraction | None, ...]
    parts: Mapping[str, tuple[Fraction | None, ...]]
    full: Fraction | None  # the value of a unit that is best in everything; None where there is no such bound
    reasons: tuple[str, ...] = ()  # e.g. 最高值为 0


def linear(items: Mapping[str, Values], weights: Mapping[str, Fraction]) -> Composite:
    """线性法: 100 × (score rate·w1 + excellent·w2 + pass·w3 − low·w4); items are shares 0–1.

    Two uses of a low-score weight exist and the weights say which: where the others alone add to 1 (or 100), low is
    subtracted; where they add to it only together with low, (1 − low) is added.
    """
    used, low = dict(weights), weights.get("low", Fraction(0))
    plain = {name: weight for name, weight in used.items() if name != "low"}
    complement = False
    if low and sum(plain.values(), Fraction(0)) not in ORDINARY_TOTALS:
        check_weights(used, ORDINARY_TOTALS, "综合评价权重")
        complement = True
        total = sum(used.values(), Fraction(0))
    else:
        total = check_weights(plain, ORDINARY_TOTALS, "综合评价权重")
        check_weights({**plain, "low": low, "": Fraction(0)}, (total + low,), "综合评价权重")
    factor = 100 / total
    parts: dict[str, tuple[Fraction | None, ...]] = {}
    for name, weight in used.items():
        values = _item(items, name)
        if name == "low" and complement:
            parts[name] = tuple(None if v is None else factor * weight * (1 - v) for v in values)
        else:
            sign = -1 if name == "low" else 1
            parts[name] = tuple(None if v is None else factor * sign * weight * v for v in values)
    return Composite("线性", _add(parts, used), MappingProxyType(parts), Fraction(100))


def against_highest(
    items: Mapping[str, Values], weights: Mapping[str, Fraction], totals: Sequence[Fraction] = SHARE_TOTALS
) -> Composite:
    """比最高法: Σ weight × unit ÷ highest unit. A highest value of 0 gives everybody 0 for the item, with a reason.

    Weights that add to 1 give a result out of 100; points (40/30/30, 60/70/70, 50/80/50) are taken as they are.
    The low rate is better when lower and has no place here.
    """
    total = _relative_weights(weights, totals)
    tops = {name: max((v for v in _item(items, name) if v is not None), default=None) for name in weights}
    return _relative("比最高", items, weights, tops, 100 / total if total == 1 else Fraction(1), "最高值")


def against_county(
    items: Mapping[str, Values], county: Mapping[str, Fraction | None], weights: Mapping[str, Fraction]
) -> Composite:
    """比县均法: 100 × Σ weight × unit ÷ county; 100 is the county itself. A county value of 0 gives the item 0."""
    total = _relative_weights(weights, ORDINARY_TOTALS)
    missing = [name for name in weights if name not in county]
    if missing:
        raise WeightError(f"缺少全县的{'、'.join(ITEMS.get(name, name) for name in missing)}")
    composite = _relative("比县均", items, weights, county, 100 / total, "全县值")
    return Composite("比县均", composite.values, composite.parts, None, composite.reasons)


def rank_points(
    values: Sequence[Number | None],
    first: Fraction = Fraction(15),
    minus: Fraction = Fraction(1),
    least: Fraction = Fraction(0),
) -> Composite:
    """名次计分法: the first unit gets 15 points, each further rank one less, never under `least`.

    Equal values get the same points and the next rank is skipped (1 2 2 4). Units without data get None.
    """
    if first <= 0 or minus < 0:
        raise WeightError(f"名次计分的首名分应大于 0、递减分不小于 0，现为 {first} 和 {minus}。请在考试设置中改正")
    ranks = competition_ranks(values)
    points = tuple(None if rank is None else max(least, first - minus * (rank - 1)) for rank in ranks)
    return Composite("名次", points, MappingProxyType({"rank": points}), first)


FAMILIES: Mapping[str, Callable[..., Composite]] = MappingProxyType(
    {"线性": linear, "比最高": against_highest, "比县均": against_county, "名次": rank_points}
)


def exact_weights(weights: Mapping[str, Number]) -> dict[str, Fraction]:
    """Declared weights (Decimal, int, text-like floats) as Fractions; refuses an item that does not exist."""
    unknown = [name for name in weights if name not in ITEMS]
    if unknown:
        known = "、".join(f"{key}（{word}）" for key, word in ITEMS.items())
        raise WeightError(f"综合评价没有“{'、'.join(unknown)}”这一项，可用：{known}")
    return {name: to_fraction(weight) for name, weight in weights.items()}


def _item(items: Mapping[str, Values], name: str) -> Values:
    if name not in items:
        raise WeightError(f"综合评价权重中的“{ITEMS.get(name, name)}”没有数据，现有：{'、'.join(items)}")
    return items[name]


def _relative_weights(weights: Mapping[str, Fraction], totals: Sequence[Fraction]) -> Fraction:
    if weights.get("low"):
        raise WeightError("比最高法和比县均法不能含低分率（低分率越低越好）。请删去低分率的权重，或改用线性法")
    return check_weights(weights, totals, "综合评价权重")


def _relative(
    family: str,
    items: Mapping[str, Values],
    weights: Mapping[str, Fraction],
    references: Mapping[str, Fraction | None],
    factor: Fraction,
    word: str,
) -> Composite:
    parts: dict[str, tuple[Fraction | None, ...]] = {}
    reasons: list[str] = []
    for name, weight in weights.items():
        values, reference = _item(items, name), references[name]
        if reference is None:
            parts[name] = tuple(None for _ in values)
        elif reference == 0:
            parts[name] = tuple(None if v is None else Fraction(0) for v in values)
            if weight:
                reasons.append(f"{ITEMS.get(name, name)}的{word}为 0，该项各单位都记 0 分")
        else:
            parts[name] = tuple(None if v is None else factor * weight * v / reference for v in values)
    full = factor * sum(weights.values(), Fraction(0))
    return Composite(family, _add(parts, weights), MappingProxyType(parts), full, tuple(reasons))


def _add(
    parts: Mapping[str, tuple[Fraction | None, ...]], weights: Mapping[str, Fraction]
) -> tuple[Fraction | None, ...]:
    """Σ of the items per unit; an item of weight 0 may lack data."""
    counted = [values for name, values in parts.items() if weights[name]]
    sums: list[Fraction | None] = []
    for row in zip(*counted, strict=True):
        known = [value for value in row if value is not None]
        sums.append(sum(known, Fraction(0)) if len(known) == len(row) else None)
    return tuple(sums)
