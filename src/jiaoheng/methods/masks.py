"""How names and numbers are printed where not everything may be seen.

Source: standards §10.3: name 张*, identity number 1101**************, mobile 138****0000.
"""

from __future__ import annotations

import unicodedata


def mask_name(name: str) -> str:
    """The first character and one star, whatever the length: 张三丰 → 张*. Blank stays blank.

    A letter with its accents, or a rare character outside the basic plane, counts as one.
    """
    kept = name.strip()
    if not kept:
        return ""
    end = 1
    while end < len(kept) and (unicodedata.combining(kept[end]) or 0xFE00 <= ord(kept[end]) <= 0xFE0F):
        end += 1
    return kept[:end] + "*"


def mask_number(number: str, head: int = 4, tail: int = 0) -> str:
    """Keep the first `head` and last `tail` characters, one star for each between: 1101**************.

    Where the number is so short that less than a third of it would be hidden, everything is hidden: a short number
    must not stay readable. Blank stays blank. Raises ValueError for negative lengths.
    """
    if head < 0 or tail < 0:
        raise ValueError("head and tail must not be negative")
    kept = number.strip()
    hidden = len(kept) - head - tail
    if hidden * 3 < len(kept):
        return "*" * len(kept)
    return kept[:head] + "*" * hidden + (kept[-tail:] if tail else "")


def mask_mobile(number: str) -> str:
    """138****0000 for 11 digits; other numbers keep only their last two characters."""
    kept = "".join(number.split())
    if len(kept) == 11 and kept.isascii() and kept.isdigit():
        return f"{kept[:3]}****{kept[-4:]}"
    return "*" * max(len(kept) - 2, 0) + kept[-2:] if len(kept) > 4 else "*" * len(kept)
