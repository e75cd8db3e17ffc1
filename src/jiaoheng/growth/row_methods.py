"""The methods that read rows: crossed models, growth percentiles, score differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from jiaoheng.growth.columns import Needed
from jiaoheng.growth.rows import Rows, Texts
from jiaoheng.growth.settings import GrowthSettings, least_of
from jiaoheng.growth.tables import open_tables
from jiaoheng.methods.crossed import Factor, factor, fit_crossed, shared_factor
from jiaoheng.methods.effects_errors import EffectsDataError
from jiaoheng.methods.effects_model import Effects, Fit, FloatArray, Warned
from jiaoheng.methods.plain.score_differences import percentile_difference, standard_difference, unit_means
from jiaoheng.sheets.limits import Limits

if TYPE_CHECKING:
    from jiaoheng.methods.percentiles import Growth

TEACHER, SHARE = "教师", "份额"
_TEACHER_HEADS, _SHARE_HEADS = (TEACHER, "teacher"), (SHARE, "share")


def filled(rows: Rows) -> tuple[FloatArray, list[str]]:
    """Priors and covariates as one matrix; an unknown prior stands at its mean beside a column of 0 and 1 that says so."""
    columns: list[FloatArray] = []
    names: list[str] = []
    for name, values in rows.priors.items():
        lost = ~np.isfinite(values)
        columns.append(np.where(lost, float(np.nanmean(values)), values))
        names.append(name)
        if lost.any():
            columns.append(lost.astype(np.float64))
            names.append(f"{name}缺")
    for name, values in rows.others.items():
        columns.append(values)
        names.append(name)
    return np.column_stack(columns), names


def crossed(settings: GrowthSettings, rows: Rows, backend: Any, limits: Limits | None = None) -> Fit:
    """Every group column is a factor of its own; teachers by their shares; pupils where they have several rows."""
    rows = rows.only(rows.usable)
    if not len(rows):
        raise EffectsDataError(
            "no-rows", "没有一名学生同时有终点成绩、起点成绩和所在单位，无法计算增值。请核对各参数所指的列"
        )
    factors = [factor(name, values) for name, values in rows.groups.items()]
    if settings.teacher_shares is not None:
        factors.append(_teachers(settings, rows, backend, limits))
    pupils = rows.keys.get(settings.pupil)
    if pupils is not None and len(set(pupils.tolist())) < pupils.size:
        factors.append(factor(settings.pupil, pupils))
    x, names = filled(rows)
    if settings.year:
        years = sorted(set(rows.keys[settings.year].tolist()), key=str)
        for one in years[1:]:
            x = np.column_stack([x, (rows.keys[settings.year] == one).astype(np.float64)])
            names.append(f"{settings.year}={one}")
    least = least_of(settings)
    fit = fit_crossed(
        rows.outcome, x, factors, names=names, weights=rows.weight, criterion="REML" if settings.reml else "ML"
    )
    own = tuple(replace(e, least=least.get(e.level, least[settings.groups[-1]])) for e in fit.effects)
    shown = tuple(e for e in own if e.level != settings.pupil)
    return replace(fit, method="crossed", effects=shown, warnings=(*fit.warnings, *_recurring(rows.groups)))


def _recurring(groups: Mapping[str, Texts]) -> list[Warned]:
    """A factor's names stand for one unit wherever they occur: right for a teacher of two schools, wrong for 1班."""
    outer, *inner = groups
    found = []
    for name in inner:
        pairs = set(zip(groups[name].tolist(), groups[outer].tolist(), strict=True))
        places = Counter(own for own, _ in pairs)
        twice = sorted((own for own, count in places.items() if count > 1), key=lambda own: (-places[own], str(own)))
        if twice:
            told = "、".join(f"“{own}”" for own in twice[:3]) + ("等" if len(twice) > 3 else "")
            text = (
                f"“{name}”列的 {told} {len(twice)} 个名称在不止一个“{outer}”里出现，按同一个{name}计算。"
                f"若各是各的，请在名称前加上{outer}名，或改用 --method lmm（逐层嵌套）"
            )
            found.append(Warned("names-recur", text))
    return found


def _teachers(settings: GrowthSettings, rows: Rows, backend: Any, limits: Limits | None) -> Factor:
    """The factor of the shares file: who teaches a pupil (or a class), by which share, in which year."""
    assert settings.teacher_shares is not None  # noqa: S101 (the caller asks only then)
    frame, owner, teacher, share, timed = _shares(settings, settings.teacher_shares, backend, limits)
    own_keys = _joined([*(rows.keys[n] if n == settings.pupil else rows.groups[n] for n in owner)])
    their_keys = _joined([frame[name].to_numpy() for name in owner])
    values = None if share is None else frame[share].to_numpy()
    if not timed:
        return shared_factor(TEACHER, own_keys, their_keys, frame[teacher].to_list(), values)
    return shared_factor(
        TEACHER,
        own_keys,
        their_keys,
        frame[teacher].to_list(),
        values,
        persistence=_persistence(settings.persistence),
        row_times=rows.keys[settings.year],
        share_times=frame[settings.year].to_list(),
    )


def _persistence(text: str) -> float | str:
    return text if text in ("one", "each") else float(text)


def _joined(columns: list[Any]) -> list[str]:
    return ["\x1f".join(map(str, row)) for row in zip(*columns, strict=True)]


def _shares(
    settings: GrowthSettings, path: Path, backend: Any, limits: Limits | None
) -> tuple[pl.DataFrame, list[str], str, str | None, bool]:
    """The file's rows, and which of its columns say whose, who, how much, and whether there is a year."""
    for teacher in _TEACHER_HEADS:
        for share in (*_SHARE_HEADS, None):
            for owner in _owners(settings):
                for year in [settings.year, ""] if settings.year else [""]:
                    keys = (*owner, teacher, *([year] if year else []))
                    needed = Needed((share,) if share else (), keys)
                    opened = open_tables([path], needed, backend, limits=limits)
                    if opened.usable:
                        frame = pl.from_arrow(opened.table.to_pyarrow())
                        assert isinstance(frame, pl.DataFrame)  # noqa: S101 (a table gives a frame)
                        return frame, list(owner), teacher, share, bool(year)
    whose = "、".join(" + ".join(owner) for owner in _owners(settings))
    text = f"任教分工“{path.name}”中找不到所需的列：应有“{TEACHER}”列，可有“{SHARE}”列，并以 {whose} 说明是谁的老师"
    raise EffectsDataError("teacher-shares", text)


def _owners(settings: GrowthSettings) -> list[tuple[str, ...]]:
    """Ways to say whose teacher it is: the pupil, or the class with the units it lies in, or the class alone."""
    ways: list[tuple[str, ...]] = [(settings.pupil,)] if settings.pupil else []
    ways += [tuple(settings.groups), (settings.groups[-1],)]
    return list(dict.fromkeys(ways))


def percentiles(settings: GrowthSettings, rows: Rows, *, bands: int = 0) -> tuple[Fit, Growth, Rows]:
    """Growth percentiles with the medians of every level; the rows they belong to."""
    rows = rows.only(rows.usable)
    if not len(rows):
        raise EffectsDataError(
            "no-rows", "没有一名学生同时有终点成绩、起点成绩和所在单位，无法计算。请核对各参数所指的列"
        )
    from jiaoheng.methods.percentiles import fit_percentiles

    priors = np.column_stack(list(rows.priors.values()))
    least = least_of(settings)
    fit, growth = fit_percentiles(rows.outcome, priors, path_keys(rows.groups), bands=bands)
    own = tuple(
        replace(e, units=[tuple(u[-1].split("\x1f")) for u in e.units], least=least.get(e.level, 0))
        for e in fit.effects
    )
    return replace(fit, method="sgp", effects=own), growth, rows


def path_keys(groups: Mapping[str, Texts]) -> dict[str, list[str]]:
    """Each level's key as the whole path, so that class 1 of two schools are two classes."""
    made: dict[str, list[str]] = {}
    columns: list[Any] = []
    for name, values in groups.items():
        columns.append(values)
        made[name] = _joined(columns)
    return made


def differences(settings: GrowthSettings, rows: Rows) -> dict[str, tuple[Effects, ...]]:
    """ΔZ and ΔPR of every level."""
    rows = rows.only(rows.usable)
    priors = list(rows.priors.values())
    groups: dict[str, npt.ArrayLike] = dict(rows.groups)
    least = {name: float(value) for name, value in least_of(settings).items()}
    return {
        "ΔZ": unit_means(standard_difference(rows.outcome, priors), groups, least=least),
        "ΔPR": unit_means(percentile_difference(rows.outcome, priors), groups, least=least),
    }
