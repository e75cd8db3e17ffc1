"""Random factors: which level each row belongs to, whole or by shares, now or in an earlier year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from jiaoheng.methods.effects_columns import floats, keyed, text
from jiaoheng.methods.effects_errors import EffectsDataError
from jiaoheng.methods.effects_model import FloatArray, IntArray

JOINT = "\x1f"  # between the parts of a key made of several columns
SHARE_SUM_TOLERANCE = 1e-5  # shares are written with few digits: 0.33333 thrice is 0.99999


@dataclass(frozen=True, slots=True)
class Factor:
    """Links of rows to the levels of a random factor; arrays (m,) one entry a link.

    `lag` 0 is the present; lag l > 0 a level of l times before, whose share is multiplied by the persistence.
    `persistence` is a number (taken as given), "one" (one α for all lags) or "each" (one α a lag), both estimated.
    """

    name: str
    levels: list[str]
    n_rows: int
    row: IntArray
    level: IntArray
    share: FloatArray
    lag: IntArray
    persistence: float | str = 0.0

    @property
    def simple(self) -> bool:
        """Every row belongs wholly to one level."""
        return len(self.row) == self.n_rows and bool((self.share == 1).all()) and not self.lag.any()


def factor(name: str, keys: Any) -> Factor:
    """Every row belongs to one level; `keys` (n,). Raises EffectsDataError where a key is missing."""
    levels, codes = keyed(keys, name)
    n = len(codes)
    return Factor(name, levels, n, np.arange(n), codes, np.ones(n), np.zeros(n, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class _Table:
    """The shares sorted by owner and time; owners are coded together with the rows' keys."""

    owners: list[str]
    times: list[str]
    code: IntArray  # owner × times + time
    level: IntArray
    share: FloatArray

    def links(self, wanted: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
        """Positions in `wanted` (codes; −1 finds nothing), levels and shares of all that match."""
        first = np.searchsorted(self.code, wanted, side="left")
        counts = np.where(wanted < 0, 0, np.searchsorted(self.code, wanted, side="right") - first)
        at = np.repeat(np.arange(len(wanted)), counts)
        within = np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts)
        taken = np.repeat(first, counts) + within
        return at, self.level[taken], self.share[taken]

    def place(self, code: int) -> str:
        """A person's words for an owner and time."""
        owner, time = divmod(code, len(self.times))
        # a joined key (school, class) is written apart
        return f"“{self.owners[owner].replace(JOINT, ' · ')}”" + (
            f"（{self.times[time]}）" if len(self.times) > 1 else ""
        )


def shared_factor(
    name: str,
    row_keys: Any,
    share_keys: Any,
    units: Any,
    shares: Any = None,
    *,
    persistence: float | str = 0.0,
    row_times: Any = None,
    share_times: Any = None,
) -> Factor:
    """Links of n rows to several levels each, from a table of m shares; see the package's docstring.

    A share belongs to a pupil or a class (`share_keys`), a unit (`units`, a teacher) and, where times are given, a
    time; the shares of one owner at one time add up to one. Times sort in their natural order; lag 1 is the time
    before in that order. Earlier times without shares carry nothing (an unknown teacher counts as average).
    Raises EffectsDataError: `share-not-positive`, `share-sum`, `share-duplicate`, `share-missing`, `persistence-wrong`.
    """
    if (row_times is None) != (share_times is None):
        raise EffectsDataError("share-times", f"“{name}”的份额表和成绩表须同时给出时间，或都不给：请补上缺的一列")
    _check_persistence(name, persistence, row_times is not None)
    row_codes, share_codes, owners = _together(row_keys, share_keys, name)
    if row_times is None:
        times, row_time, share_time = [""], np.zeros_like(row_codes), np.zeros_like(share_codes)
    else:
        row_time, share_time, times = _together(row_times, share_times, f"{name}·时间")
    levels, level = keyed(units, name)
    code = share_codes * len(times) + share_time
    share = _equal_parts(code) if shares is None else floats(shares, f"{name}份额")
    order = np.lexsort((level, code))
    table = _Table(owners, times, code[order], level[order], share[order])
    _check_shares(name, table, levels)
    parts = [_lagged(table, row_codes, row_time, 0)]
    lacking = np.bincount(parts[0][0], minlength=len(row_codes)) == 0
    if lacking.any():
        first = int(lacking.argmax())
        where = table.place(int(row_codes[first] * len(times) + row_time[first]))
        raise EffectsDataError(
            "share-missing",
            f"第 {first + 1} 行的{where}在“{name}”份额表中找不到（共 {int(lacking.sum())} 行）：补上份额，或删去这些行",
        )
    if persistence != 0.0:
        parts += [_lagged(table, row_codes, row_time, lag) for lag in range(1, len(times))]
    row, unit, part = (np.concatenate([one[i] for one in parts]) for i in range(3))
    lag = np.repeat(np.arange(len(parts)), [len(one[0]) for one in parts])
    return Factor(name, levels, len(row_codes), row, unit, part, lag, persistence)


def _lagged(table: _Table, owner: IntArray, time: IntArray, lag: int) -> tuple[IntArray, IntArray, FloatArray]:
    before = time - lag
    return table.links(np.where(before >= 0, owner * len(table.times) + before, -1))


def _together(rows: Any, shares: Any, what: str) -> tuple[IntArray, IntArray, list[str]]:
    """Codes of two columns in one numbering."""
    a_names, a = keyed(rows, what)
    b_names, b = keyed(shares, what)
    if a_names == b_names:
        return a, b, a_names
    numeric = all(_is_number(one) for one in (*a_names, *b_names))
    names = sorted({*a_names, *b_names}, key=float if numeric else None)
    position = {one: i for i, one in enumerate(names)}
    return _renumber(a_names, position)[a], _renumber(b_names, position)[b], names


def _renumber(names: list[str], position: dict[str, int]) -> IntArray:
    return np.array([position[one] for one in names], dtype=np.int64)


def _is_number(key: str) -> bool:
    try:
        float(key)
    except ValueError:
        return False
    return True


def _equal_parts(code: IntArray) -> FloatArray:
    _, inverse, counts = np.unique(code, return_inverse=True, return_counts=True)
    return 1.0 / counts[inverse]


def _check_persistence(name: str, persistence: float | str, timed: bool) -> None:
    known = persistence in ("one", "each") if isinstance(persistence, str) else bool(np.isfinite(persistence))
    if not known:
        raise EffectsDataError(
            "persistence-wrong", f"“{name}”的持续系数是 {text(persistence)}：应为数字、one 或 each，请改正"
        )
    if persistence != 0.0 and not timed:
        raise EffectsDataError("share-times", f"“{name}”要算以往教师的持续影响，份额表和成绩表都须有时间一列：请补上")


def _check_shares(name: str, table: _Table, levels: list[str]) -> None:
    bad = ~(table.share > 0) | ~np.isfinite(table.share)
    if bad.any():
        at = int(bad.argmax())
        raise EffectsDataError(
            "share-not-positive",
            f"{table.place(int(table.code[at]))}的{name}“{levels[table.level[at]]}”份额是 {table.share[at]:g}："
            "应为大于 0 的数，请改正",
        )
    double = (np.diff(table.code) == 0) & (np.diff(table.level) == 0)
    if double.any():
        at = int(double.argmax())
        raise EffectsDataError(
            "share-duplicate",
            f"{table.place(int(table.code[at]))}的{name}“{levels[table.level[at]]}”在份额表中出现两次：合并为一行",
        )
    start = np.flatnonzero(np.r_[True, np.diff(table.code) != 0])
    sums = np.add.reduceat(table.share, start)
    wrong = np.abs(sums - 1) > SHARE_SUM_TOLERANCE
    if wrong.any():
        at = int(wrong.argmax())
        raise EffectsDataError(
            "share-sum",
            f"{table.place(int(table.code[start[at]]))}的{name}份额之和是 {sums[at]:g}：应为 1"
            f"（共 {int(wrong.sum())} 处），请补足或改正份额",
        )
