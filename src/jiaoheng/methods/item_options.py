"""Items of choice 选做题: pupils answer one of several, so no pupil has all items.

Taken literally everybody misses an item, and nothing could be said of the whole paper. Alternatives are therefore
found and joined into one item before the reliability is computed; each keeps its own figures otherwise.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

Alternatives = tuple[tuple[int, ...], ...]


def alternatives(values: npt.ArrayLike, full: npt.ArrayLike) -> Alternatives:
    """Sets of items of the same full mark of which no pupil has two, by position; empty where there are none.

    values: (pupils, items) in steps, −1 where an item has no score. As soon as one pupil has all items there is no
    choice. An item nobody has belongs to no set. An item joins the first set with all of whose items it is exclusive.
    """
    scores = np.asarray(values)
    best = np.asarray(full, dtype=np.int64)
    present = scores >= 0
    if not len(scores) or bool(present.all(axis=1).any()):
        return ()
    optional = np.flatnonzero(present.any(axis=0) & ~present.all(axis=0))
    here = present[:, optional].astype(np.float32)  # counts below 2²⁴ are exact; only zero or not matters
    together = here.T @ here > 0
    sets: list[list[int]] = []
    for place, item in enumerate(optional.tolist()):
        for members in sets:
            same = best[optional[members[0]]] == best[item]
            if same and not together[place, members].any():
                members.append(place)
                break
        else:
            sets.append([place])
    return tuple(tuple(int(optional[place]) for place in members) for members in sets if len(members) > 1)


def joined(values: npt.ArrayLike, sets: Alternatives) -> npt.NDArray[np.int32]:
    """The scores with each set as one item, in the place of its first: the one that the pupil has, −1 for none."""
    scores = np.array(values, dtype=np.int32)
    for members in sets:
        scores[:, members[0]] = scores[:, list(members)].max(axis=1)
    dropped = [item for members in sets for item in members[1:]]
    return np.delete(scores, dropped, axis=1)
