"""Which columns can be eliminated block by block."""

from __future__ import annotations

import numpy as np

from jiaoheng.methods.crossed.design import Design
from jiaoheng.methods.effects_model import IntArray


def communities(design: Design) -> IntArray:
    """The block of each column, −1 for the border."""
    return np.full(design.q, -1, dtype=np.int64)
