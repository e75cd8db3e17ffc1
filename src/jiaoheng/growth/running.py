"""Runs a value-added method on a prepared table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jiaoheng.engine.connection import connect
from jiaoheng.growth.columns import Needed
from jiaoheng.growth.preparing import Prepared, prepare
from jiaoheng.growth.results import GrowthResult
from jiaoheng.growth.settings import GrowthSettings, least_of
from jiaoheng.growth.tables import Opened, Progress, open_tables
from jiaoheng.methods.effects_errors import EffectsDataError
from jiaoheng.methods.effects_model import Fit
from jiaoheng.methods.mixed.nested import NestedFit, fit_nested
from jiaoheng.methods.mixed.sums import group_sums
from jiaoheng.sheets.limits import Limits
from jiaoheng.sheets.places import Place, Problem, Severity


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
    prepared = prepare(settings, opened)
    if not prepared.usable:
        raise GrowthRefusal([*opened.problems, *prepared.problems])
    progress("检查数据", 1, 1)
    try:
        result = _fitted(settings, opened, prepared)
    except EffectsDataError as error:
        problem = Problem(f"growth-{error.code}", Severity.ERROR, Place("数据"), str(error))
        raise GrowthRefusal([*opened.problems, *prepared.problems, problem]) from error
    progress("计算增值", 1, 1)
    return result


def _fitted(settings: GrowthSettings, opened: Opened, prepared: Prepared) -> GrowthResult:
    nested: NestedFit | None = None
    fit: Fit
    nested = fit_lmm(settings, prepared.table, prepared.predictors)
    fit = nested.fit
    return GrowthResult(
        settings=settings,
        prepared=prepared,
        fit=fit,
        nested=nested,
        files=opened.files,
        problems=[*opened.problems, *prepared.problems],
    )


def fit_lmm(settings: GrowthSettings, table: Any, predictors: Sequence[str]) -> NestedFit:
    """The nested model of the settings."""
    sums = group_sums(
        table,
        outcome=settings.outcome,
        predictors=predictors,
        groups=settings.groups,
        priors=settings.priors if len(settings.priors) > 1 else (),
        weight=settings.weight or None,
    )
    slopes = {settings.groups[0]: (settings.slope,)} if settings.slope else None
    return fit_nested(sums, reml=settings.reml, slopes=slopes, least=least_of(settings))
