"""Small cells: case C28, and an attacker with a linear program."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from jiaoheng.methods.suppression import Suppression, suppress


def test_case_c28() -> None:
    """甲校 3/40/57: 3 and 40 are hidden, 乙校 stays; the totals of those columns must not give 3 back."""
    hidden = suppress(np.array([[3, 40, 57], [20, 50, 30]]))
    assert hidden.cells.tolist() == [[True, True, False], [False, False, False]]
    assert hidden.row_totals.tolist() == [False, False]
    assert hidden.column_totals.tolist() == [True, True, False]
    assert hidden.grand_total is False


def test_nothing_small_hides_nothing() -> None:
    hidden = suppress(np.array([[5, 0, 95], [20, 50, 30]]))
    assert not hidden.cells.any()
    assert not hidden.column_totals.any()


def test_two_small_cells_that_add_to_little_take_a_third() -> None:
    """1 + 2 hidden under a known sum of 3 would give each within one."""
    assert suppress(np.array([[1, 2, 97]])).cells.tolist() == [[True, True, True]]


def test_zero_is_no_complement() -> None:
    assert suppress(np.array([[3, 0, 40, 57]])).cells.tolist() == [[True, False, True, False]]


def test_a_unit_of_four_is_hidden_with_its_total() -> None:
    hidden = suppress(np.array([[4, 0], [30, 40]]))
    assert hidden.cells.tolist() == [[True, True], [False, False]]
    assert hidden.row_totals.tolist() == [True, False]
    assert hidden.grand_total is True  # or the one hidden total would be grand total less the others


def test_without_shown_totals_there_is_no_complement() -> None:
    assert suppress(np.array([[3, 40, 57]]), row_totals_shown=False).cells.tolist() == [[True, False, False]]


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="not negative"):
        suppress(np.array([[-1, 2]]))


def possible(counts: np.ndarray, hidden: Suppression, target: np.ndarray) -> tuple[float, float]:
    """The range an attacker can give to the sum of `target` cells from everything that is shown."""
    rows, columns = counts.shape
    equations: list[np.ndarray] = []
    values: list[int] = []

    def know(cells: np.ndarray) -> None:
        equations.append(cells.ravel().astype(float))
        values.append(int(counts[cells].sum()))

    for row in range(rows):
        for column in range(columns):
            if not hidden.cells[row, column]:
                know(np.eye(rows * columns, dtype=bool)[row * columns + column].reshape(rows, columns))
        if not hidden.row_totals[row]:
            know(np.arange(rows)[:, None] == np.full(columns, row))
    for column in range(columns):
        if not hidden.column_totals[column]:
            know(np.full((rows, 1), True) & (np.arange(columns) == column))
    if not hidden.grand_total:
        know(np.ones_like(counts, bool))
    ends = []
    for sign in (1, -1):
        objective = sign * target.ravel().astype(float)
        known = (np.array(equations), values) if equations else (None, None)
        found = linprog(objective, A_eq=known[0], b_eq=known[1], bounds=(0, None))
        ends.append(float("inf") if found.status == 3 else sign * found.fun)
    return ends[0], ends[1]


@settings(max_examples=40)
@given(st.lists(st.lists(st.integers(0, 12), min_size=3, max_size=3), min_size=1, max_size=4))
def test_no_small_cell_can_be_worked_out(table: list[list[int]]) -> None:
    counts = np.array(table)
    hidden = suppress(counts)
    for row, column in zip(*np.nonzero((counts > 0) & (counts < 5)), strict=True):
        assert hidden.cells[row, column]
        target = np.zeros_like(counts, bool)
        target[row, column] = True
        low, high = possible(counts, hidden, target)
        assert high - low >= 1


@given(st.lists(st.lists(st.integers(0, 12), min_size=3, max_size=3), min_size=2, max_size=4))
def test_rows_without_small_cells_are_untouched(table: list[list[int]]) -> None:
    counts = np.array(table)
    hidden = suppress(counts)
    for row in range(len(table)):
        small = ((counts[row] > 0) & (counts[row] < 5)).any()
        assert hidden.cells[row].any() == small
