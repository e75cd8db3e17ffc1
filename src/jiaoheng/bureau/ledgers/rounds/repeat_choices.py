"""How often a register can be asked by itself: by its periods."""

from __future__ import annotations

from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.ledgers.models import Round
from jiaoheng.registers.model import PeriodKind

_FITTING = {
    PeriodKind.NONE: (Round.Repeats.MONTH, Round.Repeats.TERM),
    PeriodKind.MONTH: (Round.Repeats.MONTH,),
    PeriodKind.TERM: (Round.Repeats.TERM,),
    PeriodKind.YEAR: (Round.Repeats.YEAR,),
}


def choices_for(kind: PeriodKind) -> tuple[tuple[str, str], ...]:
    """What a round of a register with such periods may repeat: (value, label), 不重复 first."""
    return tuple((str(one.value), str(one.label)) for one in (Round.Repeats.NO, *_FITTING.get(kind, ())))


def check_repeats(kind: PeriodKind, repeats: str) -> None:
    """RefusedError (`round-repeats`) where a register with such periods cannot be asked so often."""
    offered = dict(choices_for(kind))
    if repeats not in offered:
        told = f"这份台账自动发起下一轮只能选{'、'.join(offered.values())}，请重新选择"
        raise RefusedError("round-repeats", told, places={"repeats": told})
