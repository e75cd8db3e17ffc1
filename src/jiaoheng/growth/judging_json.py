"""The judgements of a run as plain data for summary.json."""

from __future__ import annotations

import math
from typing import Any

from jiaoheng.growth.results import GrowthResult


def finite(value: float | None) -> float | None:
    """JSON knows no NaN."""
    return None if value is None or not math.isfinite(value) else float(value)


def judging_json(result: GrowthResult) -> dict[str, Any]:
    """Pairs, power, sorting, edges, missing, stability, families, conversion."""
    judging = result.judging
    return {
        "pairs": {level: {"share_told_apart": finite(one.share)} for level, one in judging.pairs.items()},
        "power": None
        if judging.power is None
        else [
            {"n": n, "smallest_effect": finite(float(e))}
            for n, e in zip(judging.power.sizes, judging.power.effects, strict=True)
        ],
        "sorting": [
            {
                "name": one.name,
                "slope": finite(one.slope),
                "interval95": [finite(one.low), finite(one.high)],
                "p": finite(one.p),
                "explained": finite(one.explained),
            }
            for one in judging.sorting
        ],
        "edges": None
        if judging.edges is None
        else {"top": finite(judging.edges.top), "bottom": finite(judging.edges.bottom)},
        "missing": _missing(result),
        "stability": _stability(result),
        "families": _families(result),
        "conversion": _conversion(result),
    }


def _missing(result: GrowthResult) -> list[dict[str, Any]]:
    missing = result.judging.missing
    if missing is None:
        return []
    return [
        {
            "unit": name,
            "used": float(missing.used[at]),
            "no_outcome": float(missing.no_outcome[at]),
            "no_prior": float(missing.no_prior[at]),
            "gap_sd": finite(float(missing.gap[at])),
            "bounds": [finite(float(missing.low[at])), finite(float(missing.high[at]))],
        }
        for at, name in enumerate(result.judging.missing_units)
    ]


def _stability(result: GrowthResult) -> dict[str, Any] | None:
    found = result.stability
    if found is None:
        return None
    return {
        "years": list(found.years),
        "correlation_between_years": finite(found.share),
        "lasting_variance": finite(found.lasting),
        "yearly_variance": finite(found.yearly),
    }


def _families(result: GrowthResult) -> dict[str, Any] | None:
    found = result.families
    if found is None:
        return None
    return {
        "methods": list(found.names),
        "spearman": [[finite(float(value)) for value in row] for row in found.correlation],
        "units": len(found.units),
    }


def _conversion(result: GrowthResult) -> dict[str, Any] | None:
    found = result.converting
    if found is None:
        return None
    made = {}
    for name, whole in found.whole.items():
        rate = whole.rate.fraction(0)
        made[name] = {
            "locked": int(whole.locked[0]),
            "success": int(whole.success[0]),
            "rate": None if rate is None else float(rate),
            "expected_by_regression": finite(float(whole.expected_rate[0])),
        }
    return made
