"""What a run found, before it is written: the fit, and what is said beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jiaoheng.growth.preparing import Prepared
from jiaoheng.growth.settings import GrowthSettings
from jiaoheng.methods.effects_model import Effects, Fit
from jiaoheng.methods.mixed.nested import NestedFit
from jiaoheng.sheets.places import Problem


@dataclass(slots=True)
class GrowthResult:
    """Everything the outputs are made of."""

    settings: GrowthSettings
    prepared: Prepared
    fit: Fit
    nested: NestedFit | None  # of the linear mixed model
    files: list[dict[str, Any]]
    problems: list[Problem]
    extras: Mapping[str, Any] = field(default_factory=dict)  # what further chapters found, by chapter

    @property
    def main(self) -> Effects:
        """The effects of the outermost level."""
        return self.fit.effects[0]
