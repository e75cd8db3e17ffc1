"""Struggling and top pupils of the prior: locked lists, what became of them, and what chance alone would have made of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from jiaoheng.growth.rows import Rows
from jiaoheng.growth.settings import GrowthSettings
from jiaoheng.methods.conversion import Outcome, outcome
from jiaoheng.methods.effects_errors import EffectsDataError
from jiaoheng.methods.histogram import IntArray, Mask, ScoreHistogram
from jiaoheng.methods.movement import movement
from jiaoheng.methods.pupil_lists import End, LockedList, cut_of_share, lock
from jiaoheng.methods.pupil_rules import pupil_rules

STRUGGLING, TOP = "学困生", "尖子生"
ENDS: dict[str, End] = {STRUGGLING: "lowest", TOP: "highest"}
LOCKED_FILE = "locked.json"


@dataclass(frozen=True, slots=True)
class Converting:
    """By list (学困生, 尖子生): the outcome by unit and of all; `locked` where pupils have ids."""

    units: tuple[str, ...]
    by_unit: dict[str, Outcome]
    whole: dict[str, Outcome]
    locked: dict[str, LockedList]
    prior: str
    given: bool  # the lists come from an earlier run


def convert(settings: GrowthSettings, rows: Rows) -> Converting | None:
    """Lists by the first prior (or the locked ones), success by the outcome; None with fewer than 30 matched pupils."""
    prior = settings.priors[0]
    before, now = _steps(rows.priors[prior]), _steps(rows.outcome)
    had, has = np.isfinite(rows.priors[prior]), np.isfinite(rows.outcome)
    known = np.array([text is not None for text in rows.groups[settings.groups[0]]], np.bool_)
    had, has = had & known, has & known
    if int((had & has).sum()) < 30:
        return None
    moved = movement(now, has, before, had)
    units, unit = np.unique(rows.groups[settings.groups[0]].astype(str), return_inverse=True)
    ids = rows.keys.get(settings.pupil) if settings.pupil else None
    given = read_locked(settings.locked) if settings.locked else {}
    rules = pupil_rules()
    shares = {STRUGGLING: rules.struggling_share, TOP: rules.top_shares[0]}
    by_unit: dict[str, Outcome] = {}
    whole: dict[str, Outcome] = {}
    locked: dict[str, LockedList] = {}
    for name, end in ENDS.items():
        inside = _cut(now, has, shares[name], end)
        if name in given and ids is not None:
            listed = given[name].holds(ids.tolist())
            locked[name] = given[name]
        else:
            listed = _cut(before, had, shares[name], end)
            if ids is not None:
                locked[name] = lock(name, prior, [str(one) for one in ids[listed] if one is not None])
        zeros = np.zeros(unit.size, np.int64)
        by_unit[name] = outcome(moved, listed, inside, end, unit, units.size)
        whole[name] = outcome(moved, listed, inside, end, zeros, 1)
    return Converting(tuple(units.tolist()), by_unit, whole, locked, prior, bool(given))


def _steps(values: np.ndarray) -> IntArray:
    """Whole numbers in the order of the scores: lists and ranks need no more."""
    found = np.zeros(values.size, np.int64)
    known = np.isfinite(values)
    found[known] = rankdata(values[known], method="dense").astype(np.int64)
    return found


def _cut(values: IntArray, counted: Mask, share: Fraction, end: End) -> Mask:
    zeros = np.zeros(values.size, np.int64)
    histogram = ScoreHistogram.build(values, zeros, 1, counted)
    ties = pupil_rules().struggling_ties if end == "lowest" else pupil_rules().top_ties
    return cut_of_share(histogram, share, end, ties).members(values, counted)


def locked_text(converting: Converting) -> str:
    """The lists as JSON: pupils, exam and the digest that shows later changes."""
    lists = {
        name: {"exam": one.exam, "pupils": list(one.pupils), "digest": one.digest}
        for name, one in converting.locked.items()
    }
    return json.dumps(lists, ensure_ascii=False, indent=1) + "\n"


def read_locked(path: Path) -> dict[str, LockedList]:
    """The lists of an earlier run. Raises EffectsDataError where the file is none, or was changed after locking."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        lists = {name: LockedList(name, e["exam"], tuple(e["pupils"]), e["digest"]) for name, e in raw.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        text = f"锁定名单“{path.name}”读不出。请给出上次结果文件夹里的 {LOCKED_FILE}"
        raise EffectsDataError("locked-unreadable", text) from error
    broken = [name for name, one in lists.items() if not one.intact]
    if broken:
        text = f"锁定名单“{path.name}”中的{'、'.join(broken)}名单在锁定后被改动过。请用原来的文件"
        raise EffectsDataError("locked-changed", text)
    return lists
