"""Columns of group sums chosen, and columns made of what the sums already hold: means and sizes of units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from jiaoheng.methods.effects_model import FloatArray, IntArray
from jiaoheng.methods.mixed.group_sums import GroupSums, held_pairs, unpacked
from jiaoheng.methods.mixed.taking_in import codes_of


def chosen(sums: GroupSums, predictors: Sequence[str]) -> GroupSums:
    """The sums with only these predictors (and the outcome)."""
    size = len(sums.columns)
    places = [0, *(sums.columns.index(name) for name in predictors), size - 1]
    slopes = None if sums.slopes is None else tuple(places.index(one) for one in sums.slopes if one in places)
    rows = [sums.product(places[i], places[j]) for i, j in held_pairs(len(places), slopes)[0]]
    priors = tuple(name for name in sums.priors if name in predictors)
    bits = [sums.priors.index(name) for name in priors]
    pattern = np.zeros_like(sums.pattern)
    for new, old in enumerate(bits):
        pattern |= ((sums.pattern >> old) & 1) << new
    return replace(
        sums,
        columns=tuple(sums.columns[at] for at in places),
        priors=priors,
        pattern=pattern,
        products=np.array(rows),
        shifts=sums.shifts[places],
        slopes=slopes,
        **_chosen_wholes(sums, places, bits),
    )


def _chosen_wholes(sums: GroupSums, places: list[int], bits: list[int]) -> dict[str, Any]:
    """The totals of light sums over the chosen columns, by the patterns of the chosen priors."""
    if sums.wholes is None or sums.masks is None:
        return {}
    new_masks = np.zeros_like(sums.masks)
    for new, old in enumerate(bits):
        new_masks |= ((sums.masks >> old) & 1) << new
    masks, row = np.unique(new_masks, return_inverse=True)
    rows, cols = np.triu_indices(len(places))
    wholes = np.zeros((masks.size, rows.size))
    for at, into in enumerate(row.tolist()):
        full = unpacked(sums.wholes[at], len(sums.columns))[np.ix_(places, places)]
        wholes[into] += full[rows, cols]
    return {"masks": masks, "wholes": wholes}


def units_of(sums: GroupSums, level: str) -> IntArray:
    """The number of each cell's unit at a level (cells are sorted by key)."""
    new = np.zeros(sums.cells, np.bool_)
    for keys in sums.keys[: sums.levels.index(level) + 1]:
        code = codes_of(keys)
        new[1:] |= code[1:] != code[:-1]
    return np.cumsum(new)


def unit_mean(sums: GroupSums, level: str, column: str) -> FloatArray:
    """Each cell's unit's mean of a column (of a prior: over those in whom it is known), in the column's unit.

    A unit in which nobody's is known gets the mean of all.
    """
    unit = units_of(sums, level)
    at = sums.columns.index(column)
    known = sums.known(column)
    weight = np.bincount(unit, sums.products[0] * known)
    total = np.bincount(unit, sums.products[at] * known)
    whole = total.sum() / max(weight.sum(), 1e-300)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(weight > 0, total / weight, whole)
    found: FloatArray = mean[unit] + sums.shifts[at]
    return found


def unit_size(sums: GroupSums, level: str) -> FloatArray:
    """Each cell's unit's number of pupils."""
    unit = units_of(sums, level)
    found: FloatArray = np.bincount(unit, sums.n)[unit].astype(np.float64)
    return found
