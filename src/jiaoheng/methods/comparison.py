"""Comparison with a reference: 离均差, 比均率, 超均率; exact, None where there is nothing to compare.

Source: standards §1.6. 离均率 means 超均率 in many places, so only these three are kept.
"""

from __future__ import annotations

from fractions import Fraction


def deviation(value: Fraction | None, reference: Fraction | None) -> Fraction | None:
    """离均差 = unit − reference, in the unit of the value."""
    return None if value is None or reference is None else value - reference


def mean_ratio(value: Fraction | None, reference: Fraction | None) -> Fraction | None:
    """比均率 = unit ÷ reference as a share (1.05); None where the reference is 0."""
    return None if value is None or not reference else value / reference


def over_mean(value: Fraction | None, reference: Fraction | None) -> Fraction | None:
    """超均率 = (unit − reference) ÷ reference as a share (0.05); None where the reference is 0."""
    ratio = mean_ratio(value, reference)
    return None if ratio is None else ratio - 1
