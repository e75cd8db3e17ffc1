"""A synthetic county as plain data: units with their history, people, three years of rows, rounds in work. No database."""

from jiaoheng.registers.county.making import make_county
from jiaoheng.registers.county.model import (
    STANDING,
    Batch,
    CommentSeed,
    County,
    CountyAccount,
    CountyMembership,
    CountyUnit,
    DraftSeed,
    FilingSeed,
    Mistake,
    PeriodKey,
    RoundSeed,
    StepSeed,
    UnitEvent,
    UnitFact,
    UnitParent,
)

__all__ = [
    "STANDING",
    "Batch",
    "CommentSeed",
    "County",
    "CountyAccount",
    "CountyMembership",
    "CountyUnit",
    "DraftSeed",
    "FilingSeed",
    "Mistake",
    "PeriodKey",
    "RoundSeed",
    "StepSeed",
    "UnitEvent",
    "UnitFact",
    "UnitParent",
    "make_county",
]
