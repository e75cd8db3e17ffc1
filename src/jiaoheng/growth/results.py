"""What a run found, before it is written: the fit, and what is said beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jiaoheng.growth.converting import Converting
from jiaoheng.growth.judging import Judging
from jiaoheng.growth.preparing import Prepared
from jiaoheng.growth.settings import GrowthSettings
from jiaoheng.methods.effects_model import Effects, Fit, IntArray
from jiaoheng.methods.judging.stability import Stability
from jiaoheng.methods.mixed.nested import NestedFit
from jiaoheng.methods.plain.families import Families
from jiaoheng.sheets.places import Problem


@dataclass(slots=True)
class GrowthResult:
    """Everything the outputs are made of; what was not asked for or could not be computed is None."""

    settings: GrowthSettings
    prepared: Prepared
    fit: Fit
    nested: NestedFit | None  # of the linear mixed model
    files: list[dict[str, Any]]
    problems: list[Problem]
    judging: Judging = field(default_factory=Judging)
    stability: Stability | None = None
    families: Families | None = None
    converting: Converting | None = None
    pupil_percentiles: tuple[list[str], IntArray] | None = None  # pupils and their growth percentiles

    @property
    def main(self) -> Effects:
        """The effects of the outermost level."""
        return self.fit.effects[0]
