"""An independent computation: the whole covariance matrix of a few pupils, and textbook formulas on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.stats

Array = np.ndarray


@dataclass
class Dense:
    """y ~ N(Xβ, σ²V), V = W⁻¹ + Σ Z G Z' (G relative to σ²)."""

    y: Array
    x: Array
    parts: list[tuple[Array, Array, Array]]  # per level: unit of each pupil, columns of Z (n, q), G (q, q)
    weight: Array

    def __post_init__(self) -> None:
        self.v = np.diag(1 / self.weight)
        for unit, z, g in self.parts:
            same = unit[:, None] == unit[None, :]
            self.v += same * (z @ g @ z.T)
        self.inverse = np.linalg.inv(self.v)
        self.inner = self.x.T @ self.inverse @ self.x
        self.beta = np.linalg.solve(self.inner, self.x.T @ self.inverse @ self.y)
        self.residual = self.y - self.x @ self.beta
        self.rest = float(self.residual @ self.inverse @ self.residual)

    def criterion(self, reml: bool) -> float:
        n, p = self.x.shape
        df = n - p if reml else n
        sigma2 = self.rest / df
        if not reml:
            return -2 * float(scipy.stats.multivariate_normal.logpdf(self.residual, cov=sigma2 * self.v))
        log_v = np.linalg.slogdet(self.v)[1]
        log_x = np.linalg.slogdet(self.inner)[1]
        return float(log_v + log_x + df * np.log(2 * np.pi * sigma2) + df)

    def sigma2(self, reml: bool) -> float:
        return self.rest / (self.x.shape[0] - (self.x.shape[1] if reml else 0))

    def effect(self, level: int, unit: int) -> tuple[Array, Array, Array]:
        """û, its conditional covariance and its prediction error covariance, the latter two relative to σ²."""
        units, z, g = self.parts[level]
        own = (units == unit)[:, None] * z
        reach = g @ own.T @ self.inverse
        conditional = g - reach @ own @ g
        lean = reach @ self.x
        return reach @ self.residual, conditional, conditional + lean @ np.linalg.inv(self.inner) @ lean.T
