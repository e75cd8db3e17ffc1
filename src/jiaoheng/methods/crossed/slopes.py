"""Gradient and average information of the criterion, in (variance ratio of each factor …, persistence …).

With P = V⁻¹ − V⁻¹X(X'V⁻¹X)⁻¹X'V⁻¹ and σ̂² = r²/(n − p), the derivative along V̇ is tr(PV̇) − y'PV̇Py/σ̂² (ML: tr(V⁻¹V̇)
and σ̂² = r²/n). Traces are exact and cheap: ΛZ'V⁻¹ZΛ = I − S⁻¹, so a factor's is a sum over the diagonal of S⁻¹; that of
the eliminated factor is Σ sN − tr(S⁻¹ΛC's²CΛ) and that of a persistence tr(S⁻¹ΛĠΛ), which need S⁻¹ only where two links
meet in an owner or a row. Second derivatives are the average information y'PV̇PV̇Py (Gilmour, Thompson & Cullis 1995,
Biometrics 51, 1440–1450), profiled over the residual variance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from jiaoheng.methods.crossed.likelihood import Likelihood, Point
from jiaoheng.methods.effects_model import FloatArray


@dataclass(frozen=True, slots=True)
class Slope:
    """Gradient (k,) and average information (k, k), positive semidefinite."""

    gradient: FloatArray
    information: FloatArray


@dataclass(frozen=True, slots=True)
class _Pulls:
    """Z'P-like products: of the columns XR⁻¹ (first p) and of the residual y − Xβ̂ (last), that is of Py."""

    mix: FloatArray  # (p + 1, p + 1): [X y] → [XR⁻¹, residual]
    columns: FloatArray  # (q, p + 1)
    owners: FloatArray  # (owners, p + 1)
    rows: FloatArray  # (n, p + 1) V⁻¹[XR⁻¹, residual]; empty where no persistence is estimated


def slope(of: Likelihood, point: Point) -> Slope:
    """The derivatives at a point whose ratios are all positive. Uses up the point's factor (`system`)."""
    pulls = _pulls(of, point)
    squares, directions = _directions(of, point, pulls)
    curved = _curvature(of, point, directions)
    gradient = _traces(of, point)
    if of.reml:
        gradient = gradient - _fixed_part(of, point, pulls)
    gradient = gradient - of.df / point.rss * squares
    information = of.df * (curved / point.rss - np.outer(squares, squares) / point.rss**2)
    return Slope(gradient, information)


def _pulls(of: Likelihood, point: Point) -> _Pulls:
    design, p = of.design, of.design.p
    beta = of.coefficients(point)
    spread = solve_triangular(point.root, np.eye(p), check_finite=False)
    mix = np.zeros((p + 1, p + 1))
    mix[:p, :p], mix[:p, p], mix[p, p] = spread, -beta, 1.0
    shift = point.scale[:, None] * point.solved
    columns = point.solved / point.scale[:, None] @ mix
    owners = point.s[:, None] * ((of.owned - design.owner_links.matrix(point.owner_links) @ shift) @ mix)
    rows = np.zeros((0, p + 1))
    if of.moving:
        left = (design.fixed - design.links.matrix(point.links) @ shift) @ mix * design.weights[:, None]
        rows = left
        if design.owners:
            rows = left - design.weights[:, None] * of.by_row(point.d[:, None] * of.by_owner(left))
    return _Pulls(mix, columns, owners, rows)


def _directions(of: Likelihood, point: Point, pulls: _Pulls) -> tuple[FloatArray, FloatArray]:
    """y'PV̇Py (k,) and V̇Py (n, k) of each parameter."""
    design = of.design
    held = pulls.columns[:, -1]
    by_factor = np.zeros((design.q, len(design.factors)))
    by_factor[np.arange(design.q), design.column_factor] = held
    z = design.links.matrix(point.links)
    along = z @ by_factor
    squares = (by_factor**2).sum(axis=0)
    if design.eliminated >= 0:
        along[:, design.eliminated] += of.by_row(pulls.owners[:, -1:])[:, 0]
        squares[design.eliminated] += pulls.owners[:, -1] @ pulls.owners[:, -1]
    if not of.moving:
        return squares, along
    spread = point.scale**2
    extra, more = [], []
    for part in design.links.parts[1:]:
        moved = design.links.matrix(part)
        pull = moved.T @ pulls.rows[:, -1]
        more.append(moved @ (spread * held) + z @ (spread * pull))
        extra.append(2 * float(pull @ (spread * held)))
    return np.concatenate((squares, extra)), np.column_stack((along, *more))


def _curvature(of: Likelihood, point: Point, f: FloatArray) -> FloatArray:
    """f'Pf for directions (n, k)."""
    design, p = of.design, of.design.p
    weighted = f * design.weights[:, None]
    owned = of.by_owner(weighted)
    shrunk = point.d[:, None] * owned
    right = design.links.matrix(point.links).T @ weighted
    if design.owners:
        right = right - design.owner_links.matrix(point.owner_links).T @ shrunk
    right = point.scale[:, None] * right
    solved = point.system.solve(right)
    whole = f.T @ weighted - owned.T @ shrunk - right.T @ solved
    fixed = design.fixed[:, :p].T @ weighted - of.owned[:, :p].T @ shrunk - point.right[:, :p].T @ solved
    taken = solve_triangular(point.root, fixed, trans=1, check_finite=False)
    made: FloatArray = whole - taken.T @ taken
    return made


def _traces(of: Likelihood, point: Point) -> FloatArray:
    """tr(V⁻¹V̇) of each parameter."""
    design, rows, owners = of.design, of.row_pairs, of.owner_pairs
    system = point.system
    system.invert()
    freed = system.freed / point.scale**2
    traces = np.bincount(design.column_factor, weights=freed, minlength=len(design.factors)).astype(np.float64)
    inverse = system.spread
    if inverse is None or (design.eliminated < 0 and not of.moving):
        return traces
    by_owner = inverse[owners.place] * owners.twice
    if design.eliminated >= 0:
        products = owners.products(point.owner_links) if of.moving else of.owner_products
        taken = by_owner @ ((point.s**2)[owners.owner] * products)
        traces[design.eliminated] += float(point.s @ of.own_weight - taken)
    if not of.moving:
        return traces
    by_row = inverse[rows.place] * rows.twice * of.row_weights
    by_owner = by_owner * point.d[owners.owner]
    moved = [
        by_row @ rows.mixed(point.links, part) - by_owner @ owners.mixed(point.owner_links, owner_part)
        for part, owner_part in zip(design.links.parts[1:], design.owner_links.parts[1:], strict=True)
    ]
    return np.concatenate((traces, moved))


def _fixed_part(of: Likelihood, point: Point, pulls: _Pulls) -> FloatArray:
    """tr((X'V⁻¹X)⁻¹X'V⁻¹V̇V⁻¹X) of each parameter: what REML takes off the trace."""
    design, p = of.design, of.design.p
    columns = pulls.columns[:, :p]
    size = (columns**2).sum(axis=1)
    parts = np.bincount(design.column_factor, weights=size, minlength=len(design.factors)).astype(np.float64)
    if design.eliminated >= 0:
        parts[design.eliminated] += float((pulls.owners[:, :p] ** 2).sum())
    spread = (point.scale**2)[:, None] * columns
    moved = [
        2 * float(((design.links.matrix(part).T @ pulls.rows[:, :p]) * spread).sum()) for part in design.links.parts[1:]
    ]
    return np.concatenate((parts, moved))
