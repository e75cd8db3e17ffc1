"""A subject's smallest step: scores move from thousandths of a mark to exact small integers."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from math import gcd

import numpy as np
import numpy.typing as npt

from jiaoheng import packs
from jiaoheng.sheets.reading_model import MILLI

Milli = npt.NDArray[np.int64]


def plain(milli: int) -> str:
    """Thousandths as a person writes them: 155000 → 155, 87500 → 87.5."""
    return f"{Decimal(milli) / MILLI:f}" if milli % MILLI else str(milli // MILLI)


def plain_fraction(marks: Fraction) -> str:
    """An exact number of marks in decimals, at most six of them."""
    if marks.denominator == 1:
        return str(marks.numerator)
    number = Decimal(marks.numerator) / Decimal(marks.denominator)
    return f"{round(number, 6).normalize():f}"


def allowed_steps() -> tuple[Fraction, ...]:
    """The steps that a subject may have, largest first (packs/exam_defaults.yaml)."""
    return tuple(sorted((Fraction(step) for step in packs.load("exam_defaults")["steps"]["allowed"]), reverse=True))


def smallest_step(values: Milli, others: Iterable[int] = ()) -> Fraction:
    """The largest allowed step that all scores (thousandths) and the full marks in `others` are multiples of.

    No scores at all, or only zeros, give 1. Thousandths always fit, so the answer is exact.
    """
    common = int(np.gcd.reduce(np.abs(values))) if values.size else 0
    for other in others:
        common = gcd(common, other)
    if common == 0:
        return Fraction(1)
    for step in allowed_steps():
        milli = step * MILLI
        if milli.denominator == 1 and common % milli.numerator == 0:
            return step
    return Fraction(1, MILLI)


def to_steps(values: Milli, step: Fraction) -> npt.NDArray[np.int32]:
    """Thousandths → steps. Raises ValueError where a score is no multiple or too large for 32 bits."""
    scaled = values * step.denominator
    divisor = step.numerator * MILLI
    if scaled.size and bool((scaled % divisor).any()):
        raise ValueError(f"a score is no multiple of {step}")
    steps = scaled // divisor
    if steps.size and int(np.abs(steps).max()) > np.iinfo(np.int32).max:
        raise ValueError("a score does not fit 32 bits")
    return steps.astype(np.int32)


def regrid(values: npt.NDArray[np.int32], old: Fraction, new: Fraction) -> npt.NDArray[np.int32]:
    """Move scores from steps of `old` to steps of `new`; `new` must divide `old`."""
    factor = old / new
    if factor.denominator != 1:
        raise ValueError(f"{new} does not divide {old}")
    return (values.astype(np.int64) * factor.numerator).astype(np.int32)


def common_step(first: Fraction, second: Fraction) -> Fraction:
    """The largest step that both divide into: gcd of two fractions (0.5 and 0.2 → 0.1)."""
    return Fraction(
        gcd(first.numerator * second.denominator, second.numerator * first.denominator),
        first.denominator * second.denominator,
    )


def meant_step(values: Milli) -> Fraction | None:
    """The coarse step that nearly all scores keep to although a few do not; None where there is none.

    With it the few can be shown as probable slips (0.3 in a subject marked in half points).
    """
    rules = packs.load("joining")["steps"]
    if values.size < int(rules["meant_least"]):
        return None
    for text in rules["coarse"]:
        step = Fraction(text)
        outside = int((values % int(step * MILLI) != 0).sum())
        if outside == 0:
            return None
        if Fraction(values.size - outside, values.size) >= Fraction(rules["meant_share"]):
            return step
    return None
