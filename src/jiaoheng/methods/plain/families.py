"""The families side by side: the same units by several methods, and how far their orders agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from jiaoheng.methods.effects_model import Effects, FloatArray, Reading


@dataclass(frozen=True, slots=True)
class Families:
    """Units that every method knows; values (methods, units); Spearman's correlations (methods, methods)."""

    names: tuple[str, ...]
    units: tuple[tuple[str, ...], ...]
    values: FloatArray
    words: tuple[tuple[Reading, ...], ...]  # by method
    correlation: FloatArray

    def agreement(self, one: str, two: str) -> float:
        """Share of the units of which two methods say the same."""
        a, b = self.words[self.names.index(one)], self.words[self.names.index(two)]
        return sum(x is y for x, y in zip(a, b, strict=True)) / len(a) if a else float("nan")


def side_by_side(methods: Mapping[str, Effects], least: float = 0) -> Families:
    """Effects of one level by several methods, over the units with `least` pupils that all have a value for."""
    places: list[dict[tuple[str, ...], int]] = []
    for effects in methods.values():
        usable = np.isfinite(effects.estimate) & (effects.n >= least)
        places.append({unit: at for at, unit in enumerate(effects.units) if usable[at]})
    shared = [unit for unit in places[0] if all(unit in one for one in places[1:])]
    values = np.array(
        [
            effects.estimate[[place[unit] for unit in shared]] if shared else np.zeros(0)
            for effects, place in zip(methods.values(), places, strict=True)
        ]
    )
    words = []
    for effects, place in zip(methods.values(), places, strict=True):
        said = effects.words
        words.append(tuple(said[place[unit]] for unit in shared))
    return Families(tuple(methods), tuple(shared), values, tuple(words), spearman(values))


def spearman(values: FloatArray) -> FloatArray:
    """Rank correlations of the rows (mid-ranks); NaN with fewer than three units or a row of equal values."""
    if values.shape[1] < 3:
        return np.full((len(values), len(values)), np.nan)
    ranks = np.array([rankdata(row) for row in values])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.atleast_2d(np.corrcoef(ranks))
