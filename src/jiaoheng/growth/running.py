"""Runs a value-added method on files: open, check, fit, judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jiaoheng.engine.connection import connect
from jiaoheng.growth import row_methods
from jiaoheng.growth.columns import Needed
from jiaoheng.growth.converting import convert
from jiaoheng.growth.fitting import MOST_ROWS, fit_lmm, sums_of
from jiaoheng.growth.judging import judge
from jiaoheng.growth.preparing import Prepared, prepare
from jiaoheng.growth.results import GrowthResult
from jiaoheng.growth.rows import Rows, fetch
from jiaoheng.growth.settings import GrowthSettings, least_of
from jiaoheng.growth.tables import Opened, Progress, open_tables
from jiaoheng.methods.effects_errors import EffectsDataError
from jiaoheng.methods.effects_model import Effects, Fit
from jiaoheng.methods.judging.pairs import with_pairwise
from jiaoheng.methods.judging.stability import Stability, stability
from jiaoheng.methods.mixed.nested import NestedFit
from jiaoheng.methods.plain.families import Families, side_by_side
from jiaoheng.methods.plain.residuals import SHRUNKEN, fit_residuals
from jiaoheng.sheets.limits import Limits
from jiaoheng.sheets.places import Place, Problem, Severity

_EXACT_PERCENTILES = 30_000  # beyond, the comparison of families takes the banded percentiles


class GrowthRefusal(Exception):  # noqa: N818 (not an error of the program)
    """The data or settings stop the run; `problems` say why."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("；".join(str(one) for one in problems))
        self.problems = list(problems)


def run(
    paths: Sequence[Path],
    settings: GrowthSettings,
    *,
    engine: str | None = None,
    limits: Limits | None = None,
    progress: Progress = lambda *_: None,
) -> GrowthResult:
    """Files to result. Raises GrowthRefusal with every problem where nothing can be computed, EngineError as it comes."""
    wrong = settings.problems()
    if wrong:
        raise GrowthRefusal(wrong)
    backend = connect(engine)
    needed = Needed(settings.numbers(), settings.keys(), (*settings.covariates, *settings.fairness))
    opened = open_tables(paths, needed, backend, limits=limits, progress=progress)
    if not opened.usable:
        raise GrowthRefusal(opened.problems)
    return run_opened(settings, opened, limits=limits, progress=progress)


def run_opened(
    settings: GrowthSettings,
    opened: Opened,
    *,
    limits: Limits | None = None,
    progress: Progress = lambda *_: None,
) -> GrowthResult:
    """The same from a table that is open already (a notebook, the exam report)."""
    prepared = prepare(settings, opened)
    if not prepared.usable:
        raise GrowthRefusal([*opened.problems, *prepared.problems])
    progress("检查数据", 1, 1)
    try:
        result = _fitted(settings, opened, prepared, limits)
        progress("计算增值", 1, 1)
        _beside(settings, prepared, result)
    except EffectsDataError as error:
        problem = Problem(error.code, Severity.ERROR, Place("数据"), str(error))
        raise GrowthRefusal([*opened.problems, *prepared.problems, problem]) from error
    progress("核查与对照", 1, 1)
    return result


def _fitted(settings: GrowthSettings, opened: Opened, prepared: Prepared, limits: Limits | None) -> GrowthResult:
    nested: NestedFit | None = None
    pupils = None
    if settings.method == "lmm":
        nested = fit_lmm(settings, prepared)
        fit = nested.fit
    elif settings.method == "residual":
        fit = fit_residuals(sums_of(settings, prepared), least=least_of(settings))
    elif settings.method == "crossed":
        fit = row_methods.crossed(settings, fetch(settings, prepared), opened.backend, limits)
    else:
        fit, growth, rows = row_methods.percentiles(settings, fetch(settings, prepared))
        if settings.pupil:
            pupils = ([str(one) for one in rows.keys[settings.pupil]], growth.percentile)
    fit = replace(fit, effects=tuple(with_pairwise(one) for one in fit.effects))
    return GrowthResult(
        settings=settings,
        prepared=prepared,
        fit=fit,
        nested=nested,
        files=opened.files,
        problems=[*opened.problems, *prepared.problems],
        pupil_percentiles=pupils,
    )


def _beside(settings: GrowthSettings, prepared: Prepared, result: GrowthResult) -> None:
    """What is said beside the effects; a part that its data cannot carry is left out."""
    result.judging = judge(settings, prepared, result.fit, result.nested)
    if settings.year and settings.method == "lmm":
        result.stability = _stability(settings, prepared)
    if prepared.counts.get("rows", 0) > MOST_ROWS:
        return
    rows = fetch(settings, prepared)
    if not settings.year:
        result.converting = convert(settings, rows)
    result.families = _families(settings, prepared, rows, result.fit)


def _stability(settings: GrowthSettings, prepared: Prepared) -> Stability | None:
    outer = settings.groups[0]
    try:
        return stability(
            sums_of(settings, prepared, groups=(outer, settings.year)),
            settings.year,
            reml=settings.reml,
            least=least_of(settings)[outer],
        )
    except EffectsDataError:
        return None


def _families(settings: GrowthSettings, prepared: Prepared, rows: Rows, fit: Fit) -> Families | None:
    """The outermost units by each family that the data allow."""
    outer = settings.groups[0]
    methods: dict[str, Effects] = {}
    sums = sums_of(settings, prepared)
    ways: dict[str, Callable[[], Effects]] = {
        "分层线性模型": lambda: fit_lmm(settings, prepared, sums=sums).fit.of(outer),
        "残差法（收缩）": lambda: fit_residuals(sums).of(outer, SHRUNKEN),
        "标准分差": lambda: row_methods.differences(settings, rows)["ΔZ"][0],
        "百分等级差": lambda: row_methods.differences(settings, rows)["ΔPR"][0],
        "成长百分位": lambda: _medians(settings, rows),
    }
    for name, way in ways.items():
        try:
            methods[name] = way()
        except (EffectsDataError, KeyError):
            continue
    if fit.method == "crossed":
        methods["交叉分类模型"] = fit.of(outer)
    return side_by_side(methods, least_of(settings)[outer]) if len(methods) > 1 else None


def _medians(settings: GrowthSettings, rows: Rows) -> Effects:
    bands = 20 if len(rows) > _EXACT_PERCENTILES else 0
    return row_methods.percentiles(settings, rows, bands=bands)[0].effects[0]


def opened_frame(frame: Any, backend: Any, name: str = "growth_frame") -> Opened:
    """A Polars or Arrow table as an opened one, for notebooks and other rooms."""
    import ibis

    arrow = frame.to_arrow() if hasattr(frame, "to_arrow") else frame
    own = ibis.util.gen_name(name)  # another frame of the same name must not take its place
    backend.con.register(own, arrow)
    return Opened(backend.table(own), backend, files=[{"name": name, "sha256": "", "rows": arrow.num_rows}])
