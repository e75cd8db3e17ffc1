"""Exact numbers and their printing: half away from zero, in decimal, at print only.

Source: standards §0 (Decimal ROUND_HALF_UP; Python's round is banker's rounding and forbidden).
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

Number = int | float | Fraction | Decimal


def to_fraction(value: Number) -> Fraction:
    """The number a person sees: ints, Fractions and Decimals exactly, floats by their shortest decimal text."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"not a finite number: {value}")
        return Fraction(repr(value))
    return Fraction(value)


def half_up(value: Number, digits: int = 0) -> Decimal:
    """Round half away from zero to `digits` decimals: 59.5 → 60, 2.675 → 2.68, −1.25 → −1.3.

    Exact for Fractions of any size: no float takes part unless one was given.
    """
    exact = to_fraction(value)
    scale = 10**digits
    scaled = abs(exact) * scale
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    signed = -whole if exact < 0 else whole
    return Decimal(signed).scaleb(-digits)


def half_up_root(square: Fraction, digits: int) -> Decimal:
    """Round the square root of an exact non-negative fraction half up, without a float (for SD from integer sums)."""
    if square < 0:
        raise ValueError("square root of a negative number")
    scale = 10**digits
    # floor(2·scale·√q) tells on which side of the half the root lies
    doubled = math.isqrt((4 * scale * scale * square.numerator) // square.denominator)
    return Decimal((doubled + 1) // 2).scaleb(-digits)


def text(value: Number, digits: int = 2, signed: bool = False) -> str:
    """Print half-up with fixed decimals; minus as U+2212 and a plus sign when `signed`."""
    rounded = half_up(value, digits)
    body = format(abs(rounded).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP), "f")
    if rounded < 0:
        return "−" + body
    return "+" + body if signed and rounded > 0 else body


def percent(value: Number, digits: int = 2) -> str:
    """A share as a percentage without the sign: 49/150 → 32.67."""
    return text(to_fraction(value) * 100, digits)
