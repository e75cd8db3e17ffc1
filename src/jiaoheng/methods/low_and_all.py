"""Single-digit subject scores 单科个位数, and pupils who reach a line in every subject (全科及格, 全科优秀)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

import numpy as np
import numpy.typing as npt

from jiaoheng.methods.histogram import Mask

Small = Literal["same", "scaled"]


def single_digit_limit(
    full: Fraction, below: Fraction = Fraction(10), small: Small = "same", small_full: Fraction = Fraction(60)
) -> Fraction:
    """The marks below which a score is a single digit.

    `same`: `below` for every subject, so that no single digit goes unnoticed. `scaled`: a subject whose full mark is
    under `small_full` takes below × full ÷ 100 (full mark 50: below 5).
    """
    return below * full / 100 if small == "scaled" and full < small_full else below


def single_digits(values: npt.ArrayLike, scored: npt.ArrayLike, limit: Fraction, step: Fraction = Fraction(1)) -> Mask:
    """Pupils with a score below `limit` marks; zero is a score, absent and missing pupils are not in.

    values: in steps; scored: pupils with a valid score.
    """
    low: Mask = np.asarray(values, dtype=np.int64) < math.ceil(limit / step)
    return low & np.asarray(scored, dtype=np.bool_)


def all_reached(
    values: npt.ArrayLike,
    scored: npt.ArrayLike,
    lines: Sequence[Fraction],
    steps: Sequence[Fraction],
    required: npt.ArrayLike | None = None,
) -> Mask:
    """Pupils whose every required subject is scored and ≥ its line.

    values, scored: (pupils, subjects), values in each subject's steps; lines: marks (full × share, not rounded);
    required: (pupils, subjects), None: all (leave out subjects that a pupil did not choose or is exempt from).
    A pupil who misses a required subject, or has none, is not in. Source: standards §1.2.
    """
    scores = np.asarray(values, dtype=np.int64)
    valid = np.asarray(scored, dtype=np.bool_)
    needed = np.ones(scores.shape, dtype=np.bool_) if required is None else np.asarray(required, dtype=np.bool_)
    least = np.array([math.ceil(line / step) for line, step in zip(lines, steps, strict=True)], dtype=np.int64)
    reached = np.all(((scores >= least) & valid) | ~needed, axis=1)
    return np.asarray(reached & np.any(needed, axis=1), dtype=np.bool_)
