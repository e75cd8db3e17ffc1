"""Where the entries of the reduced system stand, its Cholesky factor, solutions and selected inverse.

The columns fall into blocks that share no pupil, and a border that meets all: [[A₁ … C₁'], …, [C₁ … E]]. Each block is
a dense panel [A_b | C_b'] (rows: columns of the block); the border is dense. One block-wise elimination gives the
determinant, solutions, and the inverse at exactly the entries that the panels hold, which is where every trace of the
gradient lies (Takahashi, Fagan & Chen 1973, for this one-level ordering). One border alone is plain dense LAPACK.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack, solve_triangular

from jiaoheng.methods.effects_model import FloatArray, IntArray


class NotPositiveError(ArithmeticError):
    """The reduced system is not positive definite: the variance ratios are beyond what doubles can hold."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The order of the columns: `block` (q,) the block of each, −1 in the border; `within` its place there."""

    block: IntArray
    within: IntArray
    members: tuple[IntArray, ...]  # the columns of each block
    border: IntArray  # the columns of the border
    start: IntArray  # (blocks + 1,) where each panel begins in the flat buffer; the border begins at the last

    @property
    def size(self) -> int:
        """Entries of the flat buffer."""
        return int(self.start[-1]) + len(self.border) ** 2

    def position(self, one: IntArray, other: IntArray) -> IntArray:
        """The place of the entry of two columns in the flat buffer (either order, one place for both)."""
        if not self.members:
            return np.maximum(one, other) * len(self.border) + np.minimum(one, other)
        a, b = self.block[one], self.block[other]
        swap = np.where(a == b, self.within[one] < self.within[other], a < 0)
        row, column = np.where(swap, other, one), np.where(swap, one, other)
        block, inside = self.block[row], self.block[column] >= 0
        width = self._widths()[block]
        start = self.start[np.where(block < 0, len(self.members), block)]
        own = np.where(block < 0, 0, np.where(inside, 0, self._sizes()[block]))
        return start + self.within[row] * width + own + self.within[column]

    def _sizes(self) -> IntArray:
        return np.array([*(len(one) for one in self.members), len(self.border)], dtype=np.int64)

    def _widths(self) -> IntArray:
        """Row length of each panel; the border's last, which index −1 reaches."""
        sizes = self._sizes()
        return np.concatenate((sizes[:-1] + sizes[-1], sizes[-1:]))

    def panels(self, flat: FloatArray) -> tuple[list[FloatArray], FloatArray]:
        """Views of the flat buffer: a panel (m, m + border) a block, and the border (lower triangle filled)."""
        k = len(self.border)
        views = [
            flat[self.start[b] : self.start[b + 1]].reshape(len(one), len(one) + k)
            for b, one in enumerate(self.members)
        ]
        return views, flat[self.start[-1] :].reshape(k, k)

    def stretch(self, flat: FloatArray, scale: FloatArray) -> None:
        """Multiplies row and column of every entry by the column's scale (q,), in place."""
        panels, edge = self.panels(flat)
        outer = scale[self.border]
        edge *= outer
        edge *= outer[:, None]
        for panel, members in zip(panels, self.members, strict=True):
            inner = scale[members]
            panel[:, : len(members)] *= inner
            panel[:, len(members) :] *= outer
            panel *= inner[:, None]


def layout(block: IntArray) -> Layout:
    """The layout of columns (q,) assigned to blocks 0 … B−1, or −1 for the border."""
    blocks = int(block.max()) + 1 if len(block) else 0
    order = np.argsort(block, kind="stable")
    bounds = np.searchsorted(block[order], np.arange(blocks + 1))
    members = tuple(order[bounds[b] : bounds[b + 1]] for b in range(blocks))
    border = order[: bounds[0]] if blocks else order
    within = np.zeros(len(block), dtype=np.int64)
    for one in (*members, border):
        within[one] = np.arange(len(one))
    sizes = np.array([len(one) * (len(one) + len(border)) for one in members], dtype=np.int64)
    return Layout(block, within, members, border, np.concatenate(([0], np.cumsum(sizes))).astype(np.int64))


class Factorised:
    """The Cholesky factor of the system Λ G Λ + I whose entries G stand in a flat buffer (which it overwrites)."""

    def __init__(self, where: Layout, flat: FloatArray, scale: FloatArray) -> None:
        """`scale` (q,) is the diagonal of Λ. Raises NotPositiveError."""
        self.where, self.flat, self.scale = where, flat, scale
        self.spread: FloatArray | None = None
        self.freed: FloatArray = np.zeros(0)
        where.stretch(flat, scale)
        panels, self.edge = where.panels(flat)
        self.edge.ravel()[:: len(self.edge) + 1] += 1.0
        self.roots: list[FloatArray] = []  # L_b' (upper) of A_b = L_b L_b'
        self.ties: list[FloatArray] = []  # L_b⁻¹ C_b'
        half_log = 0.0
        for panel, members in zip(panels, where.members, strict=True):
            m = len(members)
            block = panel[:, :m]
            block[np.diag_indices(m)] += 1.0
            root = _upper(block)
            tie = solve_triangular(root, panel[:, m:], trans=1, check_finite=False)
            self.edge -= tie.T @ tie
            half_log += float(np.log(root.diagonal()).sum())
            self.roots.append(root)
            self.ties.append(tie)
        self.edge_root = _upper(self.edge, overwrite=True)
        self.log_determinant = 2 * (half_log + float(np.log(self.edge_root.diagonal()).sum()))

    def solve(self, right: FloatArray) -> FloatArray:
        """The solution for right sides (q, r)."""
        out = np.empty_like(right)
        rest = right[self.where.border].copy()
        halves = []
        for root, tie, members in zip(self.roots, self.ties, self.where.members, strict=True):
            half = solve_triangular(root, right[members], trans=1, check_finite=False)
            rest -= tie.T @ half
            halves.append(half)
        edge = rest if not len(rest) else lapack.dpotrs(self.edge_root, rest, lower=0)[0]
        out[self.where.border] = edge
        for root, tie, half, members in zip(self.roots, self.ties, halves, self.where.members, strict=True):
            out[members] = solve_triangular(root, half - tie @ edge, check_finite=False)
        return out

    def invert(self) -> None:
        """Fills `freed` (q,), 1 − the diagonal of the inverse, and `spread`, Λ × inverse × Λ in a flat buffer.

        The spread holds the entries that the layout holds (in the border the lower triangle). It takes the place of
        the factor: solve first.
        """
        if self.spread is not None:
            return
        panels, edge = self.where.panels(self.flat)
        if len(edge):
            lapack.dpotri(self.edge_root, lower=0, overwrite_c=1)
            if self.roots:
                edge[np.triu_indices(len(edge), 1)] = edge.T[np.triu_indices(len(edge), 1)]
        for panel, root, tie in zip(panels, self.roots, self.ties, strict=True):
            m = len(root)
            left = solve_triangular(root, tie, check_finite=False)  # A⁻¹C'
            cross = left @ edge
            inner, _ = lapack.dpotri(root, lower=0)
            panel[:, :m] = np.triu(inner) + np.triu(inner, 1).T + cross @ left.T
            panel[:, m:] = -cross
        columns = np.arange(len(self.scale))
        self.freed = 1 - self.flat[self.where.position(columns, columns)]
        self.where.stretch(self.flat, self.scale)
        self.spread = self.flat


def _upper(block: FloatArray, *, overwrite: bool = False) -> FloatArray:
    """The upper Cholesky factor of a symmetric matrix whose lower triangle (in C order) is filled."""
    if not len(block):
        return block
    # the transpose of a C-ordered lower triangle is the upper one in LAPACK's own order: no copy where contiguous
    root, info = lapack.dpotrf(block.T, lower=0, clean=0, overwrite_a=int(overwrite))
    if info:
        raise NotPositiveError(f"pivot {info}")
    return np.asarray(root)
