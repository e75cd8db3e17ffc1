"""Square roots that stay exact where they can, so that a tie at the last printed digit is rounded as the field says."""

from __future__ import annotations

import math
from fractions import Fraction


def root(square: Fraction) -> Fraction | float:
    """√square: a Fraction where numerator and denominator are squares, else the nearest float.

    Only an exact root can lie on the half of a printed digit; through a float 12.345 may print as 12.34.
    """
    top, bottom = math.isqrt(square.numerator), math.isqrt(square.denominator)
    if top * top == square.numerator and bottom * bottom == square.denominator:
        return Fraction(top, bottom)
    return math.sqrt(square)
