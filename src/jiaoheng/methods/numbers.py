"""Exact numbers and their printing: half away from zero, in decimal, at print only.

Source: standards §0 (Decimal ROUND_HALF_UP; Python's round is banker's rounding and forbidden).
"""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

Number = int | float | Fraction | Decimal


def ratio_of(value: Number) -> tuple[int, int]:
    """Numerator and denominator of the number a person sees: floats by their shortest decimal text.

    Raises ValueError for a float that is not finite.
    """
    if isinstance(value, int):
        return value, 1
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"not a finite number: {value}")
        return Decimal(repr(float(value))).as_integer_ratio()
    return value.as_integer_ratio()


def to_fraction(value: Number) -> Fraction:
    """The number a person sees: ints, Fractions and Decimals exactly, floats by their shortest decimal text."""
    return value if isinstance(value, Fraction) else Fraction(*ratio_of(value))


def _steps(value: Number, digits: int, factor: int = 1) -> int:
    """value × factor in units of the last printed digit, half away from zero; all in integers."""
    numerator, denominator = ratio_of(value)
    unit: int = 10**digits
    whole = (2 * abs(numerator) * factor * unit + denominator) // (2 * denominator)
    return -whole if numerator < 0 else whole


def half_up(value: Number, digits: int = 0) -> Decimal:
    """Round half away from zero to `digits` ≥ 0 decimals: 59.5 → 60, 2.675 → 2.68, −1.25 → −1.3.

    Exact for Fractions of any size: no float takes part unless one was given.
    """
    return Decimal(_steps(value, digits)).scaleb(-digits)


def half_up_root(square: Fraction, digits: int) -> Decimal:
    """Round the square root of an exact non-negative fraction half up, without a float (for SD from integer sums)."""
    if square < 0:
        raise ValueError("square root of a negative number")
    scale = 10**digits
    # floor(2·scale·√q) tells on which side of the half the root lies
    doubled = math.isqrt((4 * scale * scale * square.numerator) // square.denominator)
    return Decimal((doubled + 1) // 2).scaleb(-digits)


def text(value: Number, digits: int = 2, signed: bool = False, grouped: bool = False) -> str:
    """Print half-up with fixed decimals; minus as U+2212 and a plus sign when `signed`, commas when `grouped`."""
    return _printed(_steps(value, digits), digits, signed, grouped)


def percent(value: Number, digits: int = 2, signed: bool = False) -> str:
    """A share as a percentage without the sign %: 49/150 → 32.67."""
    return _printed(_steps(value, digits, 100), digits, signed)


def _printed(steps: int, digits: int, signed: bool, grouped: bool = False) -> str:
    figures = str(abs(steps)).zfill(digits + 1)
    whole, rest = figures[: len(figures) - digits], figures[len(figures) - digits :]
    figures = (f"{int(whole):,}" if grouped else whole) + (f".{rest}" if digits else "")
    if steps < 0:
        return "−" + figures
    return "+" + figures if signed and steps else figures
