"""Small cells: counts of few pupils are withheld, with complements, so that no total gives them back.

Source: standards §10 (n < 5 suppressed with complementary suppression); case C28. A count of 0 is shown: it is a
fact about nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jiaoheng.methods.histogram import IntArray, Mask

THRESHOLD = 5


@dataclass(frozen=True, slots=True)
class Suppression:
    """What must not be shown: True is hidden. A hidden count hides its percentage and every figure made of it."""

    cells: Mask  # (rows, columns)
    row_totals: Mask
    column_totals: Mask
    grand_total: bool


def suppress(counts: IntArray, threshold: int = THRESHOLD, row_totals_shown: bool = True) -> Suppression:
    """Which cells of a units × categories table are hidden, where the categories of a row add to its total.

    1. A cell of 1 … threshold − 1 is hidden.
    2. Where row totals are shown, further cells of the row are hidden, smallest first (0 never helps), until at least
       two are hidden and the hidden ones together hold `threshold` pupils.
    3. A row with fewer than `threshold` pupils, or without such a complement, is hidden with its total.
    4. Totals of columns with a hidden cell are hidden; where only one row total is hidden, or
       the hidden ones together hold fewer than `threshold` pupils, so is the grand total.
    Other rows are never touched. Raises ValueError for negative counts.
    """
    if counts.ndim != 2 or (counts < 0).any():
        raise ValueError("suppression needs a table of counts that are not negative")
    cells = (counts > 0) & (counts < threshold)
    totals = counts.sum(axis=1)
    rows = np.zeros(counts.shape[0], np.bool_)
    for row in np.flatnonzero(cells.any(axis=1) | ((totals > 0) & (totals < threshold))):
        if totals[row] < threshold:
            cells[row], rows[row] = True, True
        elif row_totals_shown:
            rows[row] = not _complement(counts[row], cells[row], threshold)
    columns: Mask = np.asarray(cells.any(axis=0))
    grand = bool(rows.any()) and (int(rows.sum()) == 1 or int(totals[rows].sum()) < threshold)
    return Suppression(cells, rows, columns, grand)


def _complement(counts: IntArray, hidden: Mask, threshold: int) -> bool:
    """Hide the smallest shown cells of a row (in place) until nothing can be worked out; False where that fails."""
    for column in np.argsort(counts, kind="stable"):
        if hidden.sum() >= 2 and counts[hidden].sum() >= threshold:
            return True
        if not hidden[column] and counts[column] > 0:
            hidden[column] = True
    return bool(hidden.sum() >= 2 and counts[hidden].sum() >= threshold)
