"""Score histograms from the counts that a database returned (see `engine.counting`)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import polars as pl

from jiaoheng.engine.counting import PUPILS, SCORE, SUBJECT, UNIT
from jiaoheng.methods.histogram import ScoreHistogram


def histograms(counts: pl.DataFrame, n_units: int, steps: Mapping[str, Fraction]) -> dict[str, ScoreHistogram]:
    """One histogram per subject of `steps` (subject → marks per step) from rows unit, subject, score, pupils.

    Units are numbers 0 … n_units − 1. Rows may repeat (partitions of an exam put under each other): they add.
    A subject without rows gets an empty histogram. Raises ValueError for rows of an unnamed subject.
    """
    unknown = sorted(set(counts[SUBJECT].unique().to_list()) - set(steps))
    if unknown:
        raise ValueError(f"counts of subjects without a step: {', '.join(unknown)}")
    found: dict[str, ScoreHistogram] = {}
    for name, step in steps.items():
        rows = counts.filter(pl.col(SUBJECT) == name)
        units, scores, pupils = (rows[column].cast(pl.Int64).to_numpy() for column in (UNIT, SCORE, PUPILS))
        found[name] = ScoreHistogram.from_pairs(np.asarray(units), scores, pupils, n_units, step)
    return found
