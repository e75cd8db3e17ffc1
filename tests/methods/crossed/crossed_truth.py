"""Small crossed data with a known truth, and the likelihood worked out with full matrices."""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve


def dense_criterion(y, x, designs, ratios, weights, *, reml):
    """−2 log L profiled over σ² and β from V itself; `designs` (n, q) matrices, one a factor."""
    n = len(y)
    columns = np.column_stack((np.ones(n), x))
    v = np.diag(1 / weights)
    for z, ratio in zip(designs, ratios, strict=True):
        v = v + ratio * z @ z.T
    factor = cho_factor(v, lower=True)
    inner = columns.T @ cho_solve(factor, columns)
    beta = np.linalg.solve(inner, columns.T @ cho_solve(factor, y))
    residual = y - columns @ beta
    rss = residual @ cho_solve(factor, residual)
    df = n - (columns.shape[1] if reml else 0)
    value = 2 * np.log(np.diag(factor[0])).sum() + df * (1 + np.log(2 * np.pi * rss / df))
    if reml:
        value += np.linalg.slogdet(inner)[1]
    pulled = cho_solve(factor, residual)
    sigma2 = rss / df
    covariance = np.linalg.inv(inner) * sigma2
    effects = [ratio * z.T @ pulled for z, ratio in zip(designs, ratios, strict=True)]
    within = [
        np.sqrt(sigma2 * np.diag(ratio * np.eye(z.shape[1]) - ratio**2 * z.T @ cho_solve(factor, z)))
        for z, ratio in zip(designs, ratios, strict=True)
    ]
    return value, beta, covariance, effects, within


def matrix(factor, alpha=0.0):
    """The design (n, levels) of a factor, past links times α (a number, or one a lag)."""
    z = np.zeros((factor.n_rows, len(factor.levels)))
    by_lag = np.concatenate(([1.0], np.broadcast_to(alpha, max(int(factor.lag.max()), 1))))
    np.add.at(z, (factor.row, factor.level), factor.share * by_lag[factor.lag])
    return z


def layered(rng, pupils=150, years=3, teachers=8, schools=3, alpha=0.4):
    """Rows pupil × year; a teacher a year and school, some pupils taught by two. Returns columns and the truth."""
    school = rng.integers(0, schools, pupils)
    pupil, year, owner, when, who, part = [], [], [], [], [], []
    for i in range(pupils):
        for t in range(years):
            pupil.append(i)
            year.append(2021 + t)
            own = rng.choice(teachers, size=2, replace=False)
            shared = rng.random() < 0.3
            for j, share in zip(own[: 2 if shared else 1], (0.7, 0.3) if shared else (1.0,), strict=True):
                owner.append(i)
                when.append(2021 + t)
                who.append(f"T{school[i]}-{t}-{j:02d}")
                part.append(share)
    return {
        "pupil": np.array(pupil), "year": np.array(year), "school": school[np.array(pupil)],
        "owner": np.array(owner), "when": np.array(when), "who": np.array(who), "part": np.array(part),
        "alpha": alpha,
    }  # fmt: skip
