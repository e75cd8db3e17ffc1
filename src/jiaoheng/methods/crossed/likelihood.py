"""The profiled −2 log likelihood (ML) or restricted one (REML), its gradient and average information.

Variances are ratios to the residual's: γ₁ of the eliminated factor, γ_f of the others, Λ = diag(√γ). With W the
weights, N_i = Σw of owner i, d = γ₁/(1 + γ₁N), s = 1/(1 + γ₁N), V₁ = W⁻¹ + γ₁Z₁Z₁' and C = Z₁'WZ:

    G = Z'V₁⁻¹Z = Z'WZ − C'dC,   S = ΛGΛ + I,   log|V| = −Σlog w + Σlog(1 + γ₁N) + log|S|,
    E = S⁻¹ΛZ'V₁⁻¹[X y],   Q = [X y]'V₁⁻¹[X y] − ([X y]'V₁⁻¹ZΛ)E

and Q's Cholesky factor gives coefficients and residual sum of squares r² (Bates et al. 2015, §3, with one more
elimination). Derivatives are in `slopes`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from jiaoheng.methods.crossed.design import Design
from jiaoheng.methods.crossed.layout import Factorised, Layout
from jiaoheng.methods.crossed.pairs import pairs
from jiaoheng.methods.effects_model import FloatArray


@dataclass(frozen=True, slots=True)
class Point:
    """The likelihood's state at one set of variance ratios (by factor) and persistences."""

    ratios: FloatArray
    alpha: FloatArray
    value: float  # −2 log L
    system: Factorised
    scale: FloatArray  # (q,) √γ of each column
    links: FloatArray  # values of Z's places at α
    owner_links: FloatArray  # values of C's places at α
    d: FloatArray  # (owners,)
    s: FloatArray
    right: FloatArray  # ΛZ'V₁⁻¹[X y] (q, p + 1)
    solved: FloatArray  # E (q, p + 1)
    root: FloatArray  # R (p, p), upper: R'R = X'V⁻¹X
    cross: FloatArray  # R'⁻¹X'V⁻¹y (p,)
    rss: float


class Likelihood:
    """The criterion of a design: `at` evaluates it, `slope` differentiates it there."""

    def __init__(self, design: Design, where: Layout, *, reml: bool) -> None:
        self.design, self.where, self.reml = design, where, reml
        self.df = design.n - (design.p if reml else 0)
        self.row_pairs, self.owner_pairs = pairs(design.links, where), pairs(design.owner_links, where)
        self.row_weights = design.weights[self.row_pairs.owner]
        self.own_weight = self.by_owner(design.weights[:, None])[:, 0]
        self.weighted = design.fixed * design.weights[:, None]
        self.inner = design.fixed.T @ self.weighted
        self.owned = self.by_owner(self.weighted)
        self.moving = bool(design.alphas)
        zero = np.zeros(len(design.alphas))
        # without persistences to estimate these do not change
        self.owner_products = self.owner_pairs.products(design.owner_links.values(zero))
        self.row_buffer = self._rows(design.links.values(zero))
        self.touched = design.links.matrix(design.links.values(zero)).T @ self.weighted

    def by_owner(self, rows: FloatArray) -> FloatArray:
        """Rows (n, k) added up by owner, (owners, k)."""
        owners = self.design.owners
        if not owners:
            return np.zeros((0, rows.shape[1]))
        columns = [np.bincount(self.design.owner, weights=one, minlength=owners + 1)[:owners] for one in rows.T]
        return np.stack(columns, axis=1)

    def by_row(self, owned: FloatArray) -> FloatArray:
        """Each row's owner's entry of (owners, k), zero where the owner has a column of its own."""
        padded = np.concatenate((owned, np.zeros((1, owned.shape[1]))))
        taken: FloatArray = padded[self.design.owner]
        return taken

    def _rows(self, values: FloatArray) -> FloatArray:
        """Z'WZ in a flat buffer."""
        products = self.row_pairs.products(values) * self.row_weights
        return np.bincount(self.row_pairs.place, weights=products, minlength=self.where.size).astype(np.float64)

    def at(self, ratios: FloatArray, alpha: FloatArray) -> Point:
        """The criterion at ratios γ ≥ 0 (one a factor). Raises NotPositiveError where doubles do not suffice."""
        design, pair = self.design, self.owner_pairs
        own = ratios[design.eliminated] if design.eliminated >= 0 else 0.0
        s = 1 / (1 + own * self.own_weight)
        d = own * s
        links, owner_links = design.links.values(alpha), design.owner_links.values(alpha)
        touched, products, buffer = self.touched, self.owner_products, self.row_buffer
        if self.moving:
            touched = design.links.matrix(links).T @ self.weighted
            products, buffer = pair.products(owner_links), self._rows(links)
        flat = buffer - np.bincount(pair.place, weights=d[pair.owner] * products, minlength=self.where.size)
        scale = np.sqrt(ratios)[design.column_factor]
        system = Factorised(self.where, flat, scale)
        shrunk = self.owned * d[:, None]
        right = scale[:, None] * (touched - design.owner_links.matrix(owner_links).T @ shrunk)
        solved = system.solve(right)
        q = self.inner - self.owned.T @ shrunk - right.T @ solved
        p = design.p
        root = np.linalg.cholesky(q[:p, :p]).T
        cross = solve_triangular(root, q[:p, p], trans=1, check_finite=False)
        rss = float(q[p, p] - cross @ cross)
        value = system.log_determinant - float(np.log(s).sum()) - float(np.log(design.weights).sum())
        value += self.df * (1 + np.log(2 * np.pi * rss / self.df))
        if self.reml:
            value += 2 * float(np.log(root.diagonal()).sum()) + 2 * design.log_scales
        return Point(ratios, alpha, value, system, scale, links, owner_links, d, s, right, solved, root, cross, rss)

    def coefficients(self, point: Point) -> FloatArray:
        """Fixed coefficients of the scaled columns, (p,)."""
        found: FloatArray = solve_triangular(point.root, point.cross, check_finite=False)
        return found
