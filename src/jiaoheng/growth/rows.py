"""The pupils' rows in memory, for methods that need every pupil and not only sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jiaoheng.growth.preparing import Prepared
from jiaoheng.growth.settings import GrowthSettings
from jiaoheng.methods.effects_model import FloatArray

Texts = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Rows:
    """One entry a pupil (and year); unknown scores are NaN. `groups` outermost first, keys as text, None unknown."""

    outcome: FloatArray
    priors: dict[str, FloatArray]
    others: dict[str, FloatArray]  # numeric covariates
    groups: dict[str, Texts]
    keys: dict[str, Texts]  # pupil and year, where named
    weight: FloatArray | None

    def __len__(self) -> int:
        return int(self.outcome.size)

    @property
    def usable(self) -> npt.NDArray[np.bool_]:
        """Outcome, some prior, every covariate and every group are known, and the weight is positive."""
        known = np.isfinite(self.outcome) & np.isfinite(np.array(list(self.priors.values()))).any(axis=0)
        for values in self.others.values():
            known &= np.isfinite(values)
        for texts in self.groups.values():
            known &= np.array([text is not None for text in texts], np.bool_)
        if self.weight is not None:
            known &= self.weight > 0
        return np.asarray(known)

    def only(self, keep: npt.NDArray[np.bool_]) -> Rows:
        """The rows of a mask."""
        return Rows(
            self.outcome[keep],
            {name: values[keep] for name, values in self.priors.items()},
            {name: values[keep] for name, values in self.others.items()},
            {name: values[keep] for name, values in self.groups.items()},
            {name: values[keep] for name, values in self.keys.items()},
            None if self.weight is None else self.weight[keep],
        )


def fetch(settings: GrowthSettings, prepared: Prepared) -> Rows:
    """Every row of the table, in the order the engine gives, sorted by keys so that files in any order give the same."""
    table = prepared.table
    names = list(dict.fromkeys([settings.outcome, *prepared.predictors, *settings.keys()]))
    names += [settings.weight] if settings.weight and settings.weight not in names else []
    ordered = table.select(*names).order_by([*settings.keys(), settings.outcome, *prepared.predictors])
    arrow = ordered.to_pyarrow()

    def numbers(name: str) -> FloatArray:
        values = arrow[name].to_numpy(zero_copy_only=False)
        return np.asarray(values, dtype=np.float64)

    def texts(name: str) -> Texts:
        return np.array(arrow[name].to_pylist(), dtype=object)

    covariates: Sequence[str] = prepared.predictors[len(settings.priors) :]
    spare: dict[str, Any] = {name: texts(name) for name in (settings.pupil, settings.year) if name}
    return Rows(
        outcome=numbers(settings.outcome),
        priors={name: numbers(name) for name in settings.priors},
        others={name: numbers(name) for name in covariates},
        groups={name: texts(name) for name in settings.groups},
        keys=spare,
        weight=numbers(settings.weight) if settings.weight else None,
    )
