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

    def path_names(self, effects: Effects) -> tuple[str, ...]:
        """The columns that the keys of a level's units come from, outermost first."""
        levels = self.nested.design.sums.levels if self.nested is not None else self.settings.groups
        if effects.level in levels and len(effects.units[0]) == levels.index(effects.level) + 1:
            return tuple(levels[: levels.index(effects.level) + 1])
        return (effects.level,)

    @property
    def shown(self) -> list[tuple[int, Effects]]:
        """The effects that have a chapter of their own, with their place in the fit: the first of each asked level."""
        found: dict[str, tuple[int, Effects]] = {}
        for at, effects in enumerate(self.fit.effects):
            if len(effects) and effects.level != self.settings.year:
                found.setdefault(effects.level, (at, effects))
        return list(found.values())
