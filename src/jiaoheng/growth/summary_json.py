"""summary.json of a value-added run (docs/growth.schema.json): every number, for other programs."""

from __future__ import annotations

from typing import Any

from jiaoheng import __version__
from jiaoheng.growth.judging_json import finite, judging_json
from jiaoheng.growth.report import GrowthReport
from jiaoheng.growth.results import GrowthResult
from jiaoheng.growth.wording import NOT_ONE_TEACHER, adjusted_for, counts_of
from jiaoheng.methods.effects_model import Effects

SCHEMA_VERSION = "1"


def summary(result: GrowthResult, made: GrowthReport) -> dict[str, Any]:
    """The run as plain data."""
    settings, fit = result.settings, result.fit
    return {
        "schema_version": SCHEMA_VERSION,
        "jiaoheng": __version__,
        "title": made.report.title,
        "method": fit.method,
        "settings": {
            "outcome": settings.outcome,
            "priors": list(settings.priors),
            "covariates": list(settings.covariates),
            "groups": list(settings.groups),
            "weight": settings.weight or None,
            "slope": settings.slope or None,
            "reliability": dict(settings.reliability),
        },
        "adjusted_for": adjusted_for(settings),
        "not_to_be_concluded": NOT_ONE_TEACHER,
        "pupils": fit.n,
        "counts": dict(result.prepared.counts),
        "criterion": {"name": fit.criterion_name, "value": finite(fit.criterion)},
        "converged": fit.converged,
        "fixed": [
            {
                "name": one.name,
                "estimate": finite(one.estimate),
                "se": finite(one.se),
                "statistic": finite(one.statistic),
                "df": finite(one.df),
                "df_name": one.df_name,
                "p": finite(one.p),
            }
            for one in fit.fixed
        ],
        "variances": [
            {
                "level": v.level,
                "term": v.term,
                "other": v.other or None,
                "value": finite(v.value),
                "boundary": v.boundary,
            }
            for v in fit.components
        ],
        "icc": {name: finite(value) for name, value in fit.icc.items()},
        "r2": {name: finite(value) for name, value in fit.r2.items()},
        "levels": [_level(effects) for effects in fit.effects],
        "warnings": [{"code": one.code, "text": one.text} for one in (*fit.warnings, *result.judging.warnings)],
        "problems": [
            {
                "code": one.code,
                "severity": one.severity.value,
                "place": str(one.place),
                "message": one.message,
                "remedy": one.remedy,
            }
            for one in result.problems
        ],
        "judging": judging_json(result),
        "definitions": {d.key: {"name": d.name, "text": d.text, "source": d.source} for d in made.report.definitions},
        "files": result.files,
    }


def _level(effects: Effects) -> dict[str, Any]:
    return {
        "level": effects.level,
        "term": effects.term,
        "units": len(effects),
        "readings": {word.value: count for word, count in counts_of(effects).items()},
        "effects": [
            {
                "unit": list(row.unit),
                "n": row.n,
                "estimate": finite(row.estimate),
                "se": finite(row.se),
                "reliability": finite(row.reliability),
                "interval95": [finite(row.low95), finite(row.high95)],
                "interval84": [finite(row.low84), finite(row.high84)],
                "word": row.word.value,
            }
            for row in effects.rows()
        ],
    }
