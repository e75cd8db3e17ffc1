"""Deciding many filings as they were seen: what moved on since the page was opened is left out and named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from jiaoheng.bureau.core.refusals import ConflictError, RefusedError
from jiaoheng.bureau.core.tree import names_at
from jiaoheng.bureau.ledgers.models import Filing
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.rounds.chain import locked
from jiaoheng.bureau.ledgers.rounds.words import measure_of, names_words, state_words, step_words


@dataclass(frozen=True, slots=True)
class Decided:
    """What was done, and what was left alone because it is no longer what the person saw."""

    done: Sequence[Filing]
    moved: Sequence[Filing]

    @property
    def words(self) -> str:
        """3 所已办; 3 所已办，1 所在您打开页面后又改过，未办：东镇甲小学（甲填报 已于 10-20 10:00 提交）."""
        what = _measure(self.done[0])
        told = f"{len(self.done)} {what}已办"
        return f"{told}，{_moved_words(self.moved)}" if self.moved else told


def decide(filings: Iterable[Filing], seen: Mapping[int, int], act: Callable[[Filing], None]) -> Decided:
    """Do one thing to every filing that still has the version seen (filing id → version). To be called inside an action.

    The rows are held in the order of their ids until the transaction ends, so that nobody hands in between the look at a
    version and the decision. A refusal of one undoes all. RefusedError `nothing-chosen`, ConflictError `filings-moved`
    where none is left.
    """
    done: list[Filing] = []
    moved: list[Filing] = []
    for pk in sorted({one.pk for one in filings}):
        held = locked(pk, None)
        if seen.get(pk) != held.version:
            moved.append(held)
            continue
        act(held)
        done.append(held)
    if not done and not moved:
        raise RefusedError("nothing-chosen", "没有选中台账，请先在列表中勾选")
    if not done:
        raise ConflictError("filings-moved", f"{_moved_words(moved)}。请看过现在的内容再定")
    return Decided(done, moved)


def _moved_words(moved: Sequence[Filing]) -> str:
    names = names_at([one.unit_id for one in moved], moved[0].round.reference_date)
    told = names_words([f"{names.get(one.unit_id, '')}（{_last(one)}）" for one in moved])
    return f"{len(moved)} {_measure(moved[0])}在您打开页面后又改过，未办：{told}"


def _last(one: Filing) -> str:
    step = one.steps.order_by("-at", "-pk").first()
    return step_words(step) if step is not None else state_words(one)


def _measure(one: Filing) -> str:
    return measure_of(schema_of(one.round.register, one.round.reference_date).level)
