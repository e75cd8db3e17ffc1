"""What a number format says about a number's look: leading zeros and per cent matter here."""

from __future__ import annotations

import re

_DRESSING = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')  # literals, colours, locale, spacing, filling
_DIGITS = range(2, 31)  # "0" pads nothing; ids have at most 30 digits


def padded_digits(code: str) -> int:
    """How many digits a format such as 0000000000 pads a whole number to; 0 where it pads none.

    A format that adds its own characters ("2024"0000) is not one of these: what is shown then is not the number.
    """
    section = code.split(";", 1)[0]
    if '"' in section or re.search(r"\\[0-9A-Za-z]", section):
        bare = re.sub(r'""', "", section)
        if re.search(r'"[^" ]+"', bare) or re.search(r"\\[0-9A-Za-z]", bare):
            return 0
    zeros = _DRESSING.sub("", section).strip()
    return len(zeros) if zeros and set(zeros) == {"0"} and len(zeros) in _DIGITS else 0


def is_percent(code: str) -> bool:
    """Whether a format shows a number times a hundred with a per cent sign (a quoted sign shows the number itself)."""
    return "%" in _DRESSING.sub("", code.split(";", 1)[0])
