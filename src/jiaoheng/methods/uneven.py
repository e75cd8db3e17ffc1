"""Uneven pupils 偏科: one subject far behind the pupil's other subjects, and the subject that drags 拖腿科.

Source: standards §1.7. Z and percentiles are floats, so a limit counts as reached within 1e-9.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jiaoheng.methods.histogram import Mask

FloatArray = npt.NDArray[np.float64]

_SLACK = 1e-9  # what rounding of Z may cost at a limit met exactly


@dataclass(frozen=True, slots=True)
class Uneven:
    """By pupil (row) and subject (column): is it uneven, and how far behind (NaN: not known)."""

    subjects: Mask
    behind: FloatArray  # mean of the other Z − this Z, or percentile of the total − this percentile

    @property
    def pupils(self) -> Mask:
        """Pupils with any uneven subject."""
        return np.asarray(self.subjects.any(axis=1), dtype=np.bool_)

    @property
    def worst(self) -> npt.NDArray[np.int64]:
        """Each pupil's uneven subject that is furthest behind; −1 for pupils without one."""
        gaps = np.where(self.subjects, self.behind, -np.inf)
        return np.where(self.pupils, gaps.argmax(axis=1), -1).astype(np.int64)


def uneven_by_z(z: npt.ArrayLike, at_least: float = 1.0, others: int = 2) -> Uneven:
    """Uneven where Z of a subject ≤ mean of the pupil's other Z − `at_least`.

    z: (pupils, subjects), NaN where there is no score; others: other subjects a mean needs.
    """
    scores = np.asarray(z, dtype=np.float64)
    here = ~np.isnan(scores)
    number = here.sum(axis=1, keepdims=True) - 1
    rest = np.where(here, scores, 0).sum(axis=1, keepdims=True) - np.where(here, scores, 0)
    behind = np.where(here & (number >= max(others, 1)), rest / np.maximum(number, 1) - scores, np.nan)
    return Uneven(_reached(behind, at_least), behind)


def uneven_by_percentile(subjects: npt.ArrayLike, total: npt.ArrayLike, at_least: float = 25.0) -> Uneven:
    """Uneven where the subject's percentile lags the total's by `at_least` points or more.

    subjects: (pupils, subjects), total: (pupils,), percentile ranks 0–100 (high is good), NaN where there is none.
    """
    behind = np.asarray(total, dtype=np.float64)[:, None] - np.asarray(subjects, dtype=np.float64)
    return Uneven(_reached(behind, at_least), behind)


def drag_subjects(
    uneven: Uneven, total_reached: npt.ArrayLike, subject_reached: npt.ArrayLike, near: npt.ArrayLike
) -> Mask:
    """拖腿科: uneven, below the subject's line, and the pupil's total reached the line or is near it.

    total_reached, near: (pupils,); subject_reached: (pupils, subjects). Source: standards §1.7.
    """
    close = np.asarray(total_reached, dtype=np.bool_) | np.asarray(near, dtype=np.bool_)
    return uneven.subjects & ~np.asarray(subject_reached, dtype=np.bool_) & close[:, None]


def _reached(behind: FloatArray, at_least: float) -> Mask:
    reached: Mask = np.nan_to_num(behind, nan=-np.inf) >= at_least - _SLACK
    return reached
