"""Which columns can be eliminated block by block: groups of teachers and schools that share no pupil.

Tried in turn: no border, then the factor with the fewest levels as the border (a subject, a district: it meets all),
then the next with it, and so on; what remains falls into connected parts, small parts put together. The cheapest
division wins; where everything hangs together that is one dense border.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from jiaoheng.methods.crossed.design import Design, Pattern
from jiaoheng.methods.effects_errors import EffectsDataError
from jiaoheng.methods.effects_model import IntArray

ENOUGH = 200  # columns of a block below which more blocks cost more in calls than they save in arithmetic
BUFFER = 2.5e8  # numbers in the buffer: 2 GB


def communities(design: Design) -> IntArray:
    """The block of each column (q,), −1 for the border. Raises EffectsDataError `too-many-levels`."""
    best = np.full(design.q, -1, dtype=np.int64)
    order = np.argsort(np.diff(design.offset), kind="stable")
    border = np.zeros(design.q, dtype=bool)
    # the links of owners and of rows both tie columns; owners alone do not hold rows where nothing is eliminated
    ties = design.owner_links if design.owners else design.links
    if design.q > ENOUGH:
        for factor in (-1, *order[:-1].tolist()):
            border |= design.column_factor == factor
            tried = _parts(ties, border)
            if _cost(tried) < _cost(best):
                best = tried
    size = _size(best)
    if size > BUFFER:
        raise EffectsDataError(
            "too-many-levels",
            f"除学生外共有 {design.q} 个教师、学校等，彼此由学生相连，需要 {size * 8 / 1e9:.1f} GB 内存："
            "请分县区计算，或减少层次",
        )
    return best


def _parts(ties: Pattern, border: np.ndarray) -> IntArray:
    """Connected parts of the columns outside the border, small ones put together."""
    rows, q = ties.shape
    row = np.repeat(np.arange(rows), np.diff(ties.start))
    inner = ~border[ties.column]
    graph = sp.coo_matrix((np.ones(int(inner.sum())), (row[inner], rows + ties.column[inner])), shape=(rows + q,) * 2)
    _, label = sp.csgraph.connected_components(graph, directed=False)
    block = np.full(q, -1, dtype=np.int64)
    _, part = np.unique(label[rows:][~border], return_inverse=True)
    sizes = np.bincount(part)
    # parts in order fill a block until it is worth its calls
    block[~border] = ((np.cumsum(sizes) - sizes) // ENOUGH)[part]
    used, packed = np.unique(block[~border], return_inverse=True)
    if len(used) < 2:
        return np.full(q, -1, dtype=np.int64)
    block[~border] = packed
    return block


def _size(block: IntArray) -> float:
    sizes, k = np.bincount(block[block >= 0]).astype(np.float64), float((block < 0).sum())
    return float((sizes * (sizes + k)).sum() + k * k)


def _cost(block: IntArray) -> float:
    """Multiplications of the factor and the selected inverse."""
    sizes, k = np.bincount(block[block >= 0]).astype(np.float64), float((block < 0).sum())
    return float((sizes * (sizes + k) ** 2).sum() + k**3)
