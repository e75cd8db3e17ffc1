"""Words of findings that stay true with ties, one unit and zero counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from jiaoheng.methods.numbers import text

Rated = Sequence[tuple[Fraction, str]]  # value and name, in the order of tables
MOST_NAMED = 3


def highest(rated: Rated) -> tuple[Fraction, list[str]]:
    """The largest value and everybody who has it, in the given order. `rated` must hold something."""
    value = max(one for one, _ in rated)
    return value, [name for one, name in rated if one == value]


def lowest(rated: Rated) -> tuple[Fraction, list[str]]:
    """The smallest value and everybody who has it."""
    value = min(one for one, _ in rated)
    return value, [name for one, name in rated if one == value]


def named(names: Sequence[str], measure: str, most: int = MOST_NAMED) -> str:
    """`语文`, `语文和数学`, `语文、数学和英语`, `语文、数学、英语等 5 门`."""
    if len(names) > most:
        return f"{'、'.join(names[:most])}等 {len(names)} {measure}"
    return names[0] if len(names) == 1 else f"{'、'.join(names[:-1])}和{names[-1]}"


def spread_sentence(rated: Rated, what: str, measure: str, show: Callable[[Fraction], str]) -> str:
    """`语文得分率最高（61.20%），数学最低（50.10%）`, or that all are the same; empty below two values."""
    if len(rated) < 2:
        return ""
    (top, best), (bottom, worst) = highest(rated), lowest(rated)
    if top == bottom:
        return f"{named(best, measure)}{what}相同（{show(top)}）"
    return f"{named(best, measure)}{what}最高（{show(top)}），{named(worst, measure)}最低（{show(bottom)}）"


def in_hundred(share: Fraction) -> str:
    """`约 32 名`, `不到 1 名` of a hundred pupils."""
    return "不到 1 名" if share * 200 < 1 else f"约 {text(share * 100, 0)} 名"


def mark(value: Fraction, digits: int = 2) -> str:
    """A mark without idle zeros: 100, 59.5."""
    shown = text(value, digits)
    return shown.rstrip("0").rstrip(".") if "." in shown else shown
