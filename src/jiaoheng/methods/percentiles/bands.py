"""The simple version: the start cut into bands, and a pupil's percentile rank among those of the same band."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jiaoheng.methods.effects_errors import EffectsDataError
from jiaoheng.methods.effects_model import FloatArray, IntArray, Warned
from jiaoheng.methods.percentiles.growth import HIGHEST, LOWEST, Growth, checked

BINS = 20
SMALL_BAND = 10


def band_percentiles(y: Any, priors: Any, *, names: Sequence[str] | None = None, bins: int = BINS) -> Growth:
    """Percentile ranks of y (n,) within bands of the prior (n,) (several, (n, k): the mean of their standard scores).

    Bands hold equal parts of the pupils; equal starts stay in one band. Rank = 100 × (lower + ½ equal) ÷ pupils of the
    band (standards §1.8-5), rounded half up and kept within 1 … 99. `Growth.model` is the band, counted from 0.
    Raises EffectsDataError as `growth_percentiles`, and `bins-wrong`.
    """
    outcome, given, labels = checked(y, priors, names)
    if bins < 2:
        raise EffectsDataError("bins-wrong", f"分段数是 {bins}：至少 2 段，请改正")
    start = _start(given, labels)
    has = ~np.isnan(start)
    band = np.full(len(outcome), -1, dtype=np.int64)
    band[has] = _bands(start[has], bins)
    percentile = np.zeros(len(outcome), dtype=np.int64)
    percentile[has] = _ranks(outcome[has], band[has])
    return Growth(percentile, band, warnings=_told(band), method="bands")


def _start(priors: FloatArray, names: tuple[str, ...]) -> FloatArray:
    """One start a pupil: the prior, or the mean standard score of those that the pupil has; NaN where none."""
    spread = np.nanstd(priors, axis=0)
    if (spread == 0).any():
        name = names[int(np.argmin(spread))]
        raise EffectsDataError("prior-constant", f"起点“{name}”对所有学生都相同：不能区分起点，请核对或去掉它")
    if priors.shape[1] == 1:
        return priors[:, 0]
    z = (priors - np.nanmean(priors, axis=0)) / spread
    has = ~np.isnan(z)
    count = has.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, np.where(has, z, 0.0).sum(axis=1) / count, np.nan)


def _bands(start: FloatArray, bins: int) -> IntArray:
    """Bands by the middle of each start's cumulative share, so that equal starts stay together; empty ones close up."""
    _, inverse, counts = np.unique(start, return_inverse=True, return_counts=True)
    middle = (np.cumsum(counts) - counts / 2) / len(start)
    raw = np.minimum((middle * bins).astype(np.int64), bins - 1)
    _, closed = np.unique(raw, return_inverse=True)
    band: IntArray = closed.astype(np.int64)[inverse]
    return band


def _ranks(y: FloatArray, band: IntArray) -> IntArray:
    order = np.lexsort((y, band))
    sorted_y, sorted_band = y[order], band[order]
    new = np.r_[True, (np.diff(sorted_band) != 0) | (np.diff(sorted_y) != 0)]
    tie = np.cumsum(new) - 1
    first = np.flatnonzero(new)
    equal = np.diff(np.r_[first, len(y)])
    sizes = np.bincount(sorted_band)
    begin = np.cumsum(sizes) - sizes
    # 100 (lower + equal/2) / n, rounded half up in whole numbers
    lower = first - begin[sorted_band[first]]
    size = sizes[sorted_band[first]]
    rank = (200 * lower + 100 * equal + size) // (2 * size)
    out = np.empty(len(y), dtype=np.int64)
    out[order] = np.clip(rank, LOWEST, HIGHEST)[tie]
    return out


def _told(band: IntArray) -> tuple[Warned, ...]:
    out = []
    lost = int((band < 0).sum())
    if lost:
        out.append(Warned("prior-missing", f"{lost} 名学生没有可用的起点成绩：没有增长百分位，请补上起点"))
    sizes = np.bincount(band[band >= 0])
    small = int((sizes < SMALL_BAND).sum())
    if small:
        out.append(
            Warned("band-small", f"{small} 段不足 {SMALL_BAND} 名学生（共 {len(sizes)} 段）：百分位很粗，请减少段数")
        )
    return tuple(out)
