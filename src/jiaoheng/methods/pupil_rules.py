"""Limits of the lists of pupils and of movement, typed, from packs/pupil_lists.yaml.

An exam's own settings go first; the functions take every limit as an argument and read no pack themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

from jiaoheng import packs
from jiaoheng.methods.conversion import Denominator
from jiaoheng.methods.low_and_all import Small
from jiaoheng.methods.pupil_lists import CutTies


@dataclass(frozen=True, slots=True)
class PupilRules:
    """Marks and shares are exact; Z and percentile points are floats."""

    near_above: Fraction
    near_below: Fraction
    near_most: Fraction
    uneven_z: float
    uneven_lag: float
    uneven_others: int
    struggling_share: Fraction
    struggling_ties: CutTies
    improved: float | None  # percentile points that count as converted too; None: only leaving the group counts
    denominator: Denominator
    top_shares: tuple[Fraction, ...]
    top_ties: CutTies
    single_below: Fraction
    single_small: Small
    single_small_full: Fraction
    matched_rate: Fraction
    school_pupils: int
    class_pupils: int
    big_move: float
    unsteady_points: float
    unsteady_subjects: float
    unsteady_exams: int


def pupil_rules() -> PupilRules:
    """The limits of the pack."""
    pack = packs.load("pupil_lists")
    near, uneven, struggling, top = (pack[name] for name in ("near_line", "uneven", "struggling", "top"))
    single, moving, swing = (pack[name] for name in ("single_digit", "movement", "unsteady"))
    return PupilRules(
        near_above=_exact(near["above"]),
        near_below=_exact(near["below"]),
        near_most=_exact(near["most"]),
        uneven_z=float(uneven["z"]),
        uneven_lag=float(uneven["lag"]),
        uneven_others=int(uneven["others"]),
        struggling_share=_exact(struggling["share"]),
        struggling_ties=cast(CutTies, struggling["ties"]),
        improved=float(struggling["improved"]) if struggling["converted"] == "out_or_up" else None,
        denominator=cast(Denominator, struggling["denominator"]),
        top_shares=tuple(_exact(share) for share in top["shares"]),
        top_ties=cast(CutTies, top["ties"]),
        single_below=_exact(single["below"]),
        single_small=cast(Small, single["small"]),
        single_small_full=_exact(single["small_full"]),
        matched_rate=_exact(moving["matched_rate"]),
        school_pupils=int(moving["school_pupils"]),
        class_pupils=int(moving["class_pupils"]),
        big_move=float(moving["big"]),
        unsteady_points=float(swing["points"]),
        unsteady_subjects=float(swing["subjects"]),
        unsteady_exams=int(swing["exams"]),
    )


def _exact(value: Any) -> Fraction:
    return Fraction(str(value))
