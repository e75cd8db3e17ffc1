"""Which columns can be eliminated block by block: groups of teachers and schools that share no pupil, but for a few.

Two ways are tried, and the cheapest division is taken; where nothing pays, all is one dense border.
- Connected parts: nothing in the border, then the factor with the fewest levels (a subject, a district: it meets all),
  then the next with it, and so on; what remains falls into parts that no pupil joins.
- Homes: every column goes to the school (the level of another whole factor) where its links lie; what lies in several
  goes to the border, and so do the pupils who join several (they changed schools): they get columns of their own.
Small parts are put together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from jiaoheng.methods.crossed.design import Design, Pattern
from jiaoheng.methods.effects_errors import EffectsDataError
from jiaoheng.methods.effects_model import IntArray

ENOUGH = 200  # columns of a block below which more blocks cost more in calls than they save in arithmetic
BUFFER = 2.5e8  # numbers in the buffer: 2 GB
AT_HOME = 0.95  # of a column's links that lie in one home, or it goes to the border
TABLE = 5e7  # columns × homes up to which homes are counted

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Division:
    """The block of each column (q,), −1 for the border; levels of the eliminated factor that get their own columns."""

    block: IntArray
    explicit: IntArray

    @property
    def shape(self) -> tuple[npt.NDArray[np.float64], float]:
        """Sizes of the blocks, and of the border with the explicit levels."""
        sizes = np.bincount(self.block[self.block >= 0]).astype(np.float64)
        return sizes, float((self.block < 0).sum() + len(self.explicit))

    @property
    def size(self) -> float:
        """Numbers in the flat buffer."""
        sizes, k = self.shape
        return float((sizes * (sizes + k)).sum() + k * k)

    @property
    def cost(self) -> float:
        """Multiplications of the factor and the selected inverse."""
        sizes, k = self.shape
        return float((sizes * (sizes + k) ** 2).sum() + k**3)


def communities(design: Design) -> Division:
    """The cheapest division of a design without explicit levels. Raises EffectsDataError `too-many-levels`."""
    none = np.zeros(0, dtype=np.int64)
    tried = [Division(np.full(design.q, -1, dtype=np.int64), none)]
    if design.q > ENOUGH:
        order = np.argsort(np.diff(design.offset), kind="stable")
        border = np.zeros(design.q, dtype=bool)
        # the links of owners hold all ties; rows alone where nothing is eliminated
        ties = design.owner_links if design.owners else design.links
        for factor in (-1, *order[:-1].tolist()):
            border = border | (design.column_factor == factor)
            tried.append(Division(_parts(ties, border), none))
        tried += [found for f in range(len(design.factors)) if (found := _homes(design, f)) is not None]
    best = min(tried, key=lambda one: one.cost)
    if best.size > BUFFER:
        raise EffectsDataError(
            "too-many-levels",
            f"除学生外共有 {design.q} 个教师、学校等，彼此由学生相连，需要 {best.size * 8 / 1e9:.1f} GB 内存："
            "请分县区计算，或减少层次",
        )
    return best


def spread(design: Design, division: Division) -> IntArray:
    """The block of each column of the design built anew with the division's explicit levels."""
    block = np.full(design.q, -1, dtype=np.int64)
    block[design.column_factor != design.eliminated] = division.block
    return block


def _parts(ties: Pattern, border: BoolArray) -> IntArray:
    """Connected parts of the columns outside the border."""
    rows, q = ties.shape
    row = np.repeat(np.arange(rows), np.diff(ties.start))
    inner = ~border[ties.column]
    graph = sp.coo_matrix((np.ones(int(inner.sum())), (row[inner], rows + ties.column[inner])), shape=(rows + q,) * 2)
    _, label = sp.csgraph.connected_components(graph, directed=False)
    block = np.full(q, -1, dtype=np.int64)
    block[~border] = np.unique(label[rows:][~border], return_inverse=True)[1]
    return _packed(block)


def _homes(design: Design, home: int) -> Division | None:
    """Blocks by the levels of one whole factor; None where it can not serve."""
    factor = design.factors[home]
    if home == design.eliminated or not factor.simple or not design.owners or design.q * len(factor.levels) > TABLE:
        return None
    links, homes = design.links, len(factor.levels)
    row = np.repeat(np.arange(design.n), np.diff(links.start))
    lying = factor.level[row]
    counts = np.bincount(links.column * homes + lying, minlength=design.q * homes).reshape(design.q, homes)
    block = counts.argmax(axis=1)
    block[counts.max(axis=1) < AT_HOME * counts.sum(axis=1)] = -1
    # a row's links lie in one block, or those away from its home go to the border (teachers of an earlier school)
    away = (block[links.column] >= 0) & (block[links.column] != lying)
    block[links.column[away]] = -1
    block = _packed(block.astype(np.int64))
    ties = design.owner_links
    where = block[ties.column]
    owner = np.repeat(np.arange(ties.shape[0]), np.diff(ties.start))[where >= 0]
    where = where[where >= 0]
    low, high = np.full(design.owners, homes), np.full(design.owners, -1)
    np.minimum.at(low, owner, where)
    np.maximum.at(high, owner, where)
    return Division(block, np.flatnonzero(low < high))


def _packed(block: IntArray) -> IntArray:
    """Small blocks put together in order, numbered from 0; one block alone is no division."""
    inner = block >= 0
    sizes = np.bincount(block[inner]) if inner.any() else np.zeros(0, dtype=np.int64)
    together = (np.cumsum(sizes) - sizes) // ENOUGH
    used, packed = np.unique(together[block[inner]], return_inverse=True)
    out = np.full(len(block), -1, dtype=np.int64)
    if len(used) > 1:
        out[inner] = packed
    return out
