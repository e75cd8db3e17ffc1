"""Patterns of known priors.

Missing priors: pupils whose priors are known in another pattern than the commonest get their own intercept and their
own slopes (columns `prior|pattern`): with few priors the known ones carry more weight, so one common slope would be
wrong. Their residual variance differs too, so each pattern gets the weight σ²(commonest)/σ²(pattern), from regressions
within cells. Patterns too small for that fall back on fewer of their priors. This is the prediction of the score from
what is known of each pupil; it needs that priors are missing at random given the known scores and the group.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jiaoheng.methods.effects_model import FloatArray, IntArray, Warned
from jiaoheng.methods.mixed.group_sums import INTERCEPT, GroupSums

LEAST_IN_PATTERN = 100  # fewer pupils give no slopes of their own


def patterns(sums: GroupSums, warnings: list[Warned]) -> tuple[IntArray, tuple[str, ...], dict[int, FloatArray]]:
    """Each cell's effective pattern, the design's columns, and by pattern the matrix from raw to design columns."""
    size = len(sums.columns)
    found = np.unique(sums.pattern)
    counts = {int(mask): int(sums.n[sums.pattern == mask].sum()) for mask in found}
    least = max(LEAST_IN_PATTERN, 10 * size)
    commonest = max(counts, key=lambda mask: (counts[mask], mask))
    effective: dict[int, int] = {}
    kept = [mask for mask in sorted(counts) if mask == commonest or counts[mask] >= least]
    for mask in counts:
        inside = [one for one in kept if one & mask == one]
        effective[mask] = max(inside, key=lambda one: (one.bit_count(), counts[one])) if inside else 0
    used = sorted(set(effective.values()), key=lambda mask: (mask != commonest, mask))
    folded = sum(counts[mask] for mask in counts if effective[mask] != mask)
    if folded:
        text = f"有 {folded} 名学生的起点成绩缺法少见（每种不足 {least} 人），只用了他们较常见的那部分起点成绩"
        warnings.append(Warned("rare-patterns", text))
    names = [*sums.columns[:-1]]
    place = {name: at for at, name in enumerate(sums.columns)}
    extra: dict[int, list[tuple[str, int]]] = {}
    for mask in used:
        if mask == commonest:
            continue
        known = [prior for bit, prior in enumerate(sums.priors) if mask >> bit & 1]
        label = f"仅有{'、'.join(known)}" if known else "无起点成绩"
        extra[mask] = [(f"{INTERCEPT}|{label}", 0), *((f"{prior}|{label}", place[prior]) for prior in known)]
        names += [name for name, _ in extra[mask]]
    names.append(sums.columns[-1])
    maps: dict[int, FloatArray] = {}
    for mask in used:
        matrix = np.zeros((len(names), size))
        for at, name in enumerate(sums.columns[:-1]):
            if name not in sums.priors or mask >> sums.priors.index(name) & 1:
                matrix[at, at] = 1.0
        matrix[-1, -1] = 1.0
        for name, column in extra.get(mask, []):
            matrix[names.index(name), column] = 1.0
        maps[mask] = matrix
    pattern = np.array([effective[int(mask)] for mask in sums.pattern], np.int64) if len(counts) > 1 else sums.pattern
    if len(used) == 1 and effective.get(int(found[0])) != int(found[0]):
        pattern = np.full(sums.cells, used[0], np.int64)
    return pattern, tuple(names), maps


def members_of(sums: GroupSums, pattern: IntArray) -> dict[int, list[int]]:
    """By effective pattern: the patterns that were folded into it."""
    if not sums.priors:
        return {int(pattern[0]): [int(sums.pattern[0])]}
    both = np.unique(np.stack([pattern, sums.pattern]), axis=1)
    found: dict[int, list[int]] = {}
    for effective, own in both.T.tolist():
        found.setdefault(effective, []).append(own)
    return found


def pattern_weights(sums: GroupSums, pattern: IntArray, maps: Mapping[int, FloatArray]) -> dict[int, float]:
    """σ²(commonest) ÷ σ²(pattern), each from the regression within cells; 1 where a pattern is too small to tell."""
    if len(maps) == 1:
        return dict.fromkeys(maps, 1.0)
    members = members_of(sums, pattern)
    variance: dict[int, float] = {}
    for mask, matrix in maps.items():
        cells = np.flatnonzero(pattern == mask)
        used = np.flatnonzero(matrix.any(axis=0))
        used = used[used != 0]
        sums_by_cell = sums.sums[:, cells]
        centred = sums.total(members[mask]) - (sums_by_cell / sums_by_cell[0]) @ sums_by_cell.T
        inside = centred[np.ix_(used, used)]
        x, y = inside[:-1, :-1], inside[:-1, -1]
        rest = inside[-1, -1] - y @ (np.linalg.pinv(x, rcond=1e-9, hermitian=True) @ y)
        df = float(sums.n[cells].sum()) - cells.size - (used.size - 1)
        variance[mask] = float(rest) / df if df >= 30 and rest > 0 else np.nan
    first = variance[next(iter(maps))]
    ratio = {mask: first / own for mask, own in variance.items()}
    return {mask: float(value) if np.isfinite(value) else 1.0 for mask, value in ratio.items()}
