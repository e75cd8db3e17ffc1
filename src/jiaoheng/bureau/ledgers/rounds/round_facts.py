"""What a round itself says beside its board: which figures it asks for, who asks, its steps, and what one may do with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import line_at, names_at
from jiaoheng.bureau.ledgers.models import Round
from jiaoheng.bureau.ledgers.registry import code_tables, schema_of
from jiaoheng.bureau.ledgers.rounds.reminding import steps_of
from jiaoheng.bureau.ledgers.rounds.repeat_choices import choices_for
from jiaoheng.bureau.ledgers.rounds.repeating import words_of
from jiaoheng.bureau.ledgers.rounds.words import day_words, due_words


@dataclass(frozen=True, slots=True)
class RoundFacts:
    """A round in words. `may_merge`: the merged workbook is offered; `closed`: when it ended, "" while it runs."""

    register: str
    register_title: str
    period: str
    period_id: int | None
    reference: str
    kinds: str
    opens: str
    due: str
    closed: str
    office: str
    note: str
    steps: Sequence[str]
    may_manage: bool
    may_merge: bool
    repeats: str  # value of the setting
    repeat_words: str  # 每月，下一轮 … 发起; "" once the next one is there
    repeat_choices: Sequence[tuple[str, str]]
    before: tuple[int, str] | None  # the round that this one goes on from
    after: tuple[int, str] | None


def round_facts(round_: Round, account: Account) -> RoundFacts:
    """A round's own facts for one reader."""
    today = clock.today()
    table = code_tables().get("school_kind")
    labels = {one.code: one.label for one in table.items} if table is not None else {}
    names = names_at([one for one in (round_.office_id,) if one], today)
    line = line_at(round_.scope_unit, today)
    near = Q(follows=round_) | Q(pk=round_.follows_id) if round_.follows_id else Q(follows=round_)
    beside = {pk: (pk, title) for pk, title in Round.objects.filter(near).values_list("pk", "title")}
    after = next((one for pk, one in beside.items() if pk != round_.follows_id), None)
    merging = (Can.ROUNDS, Can.APPROVE_DISTRICT, Can.AUDIT)
    return RoundFacts(
        register=round_.register.name,
        register_title=round_.register.title,
        period=round_.period.name if round_.period is not None else "",
        period_id=round_.period_id,
        reference=f"{round_.reference_date:%Y-%m-%d}",
        kinds="、".join(labels.get(one, one) for one in round_.kinds),
        opens=due_words(round_.opens_at, today),
        due=due_words(round_.due_at, today),
        closed=day_words(round_.closed_at, today),
        office=names.get(round_.office_id or 0, ""),
        note=round_.note,
        steps=[one.words for one in steps_of(round_)],
        may_manage=scope_of(account, Can.ROUNDS).covers(line, round_.register.name),
        may_merge=any(scope_of(account, can) for can in merging),
        repeats=round_.repeats,
        repeat_words="" if after else words_of(round_),
        repeat_choices=choices_for(schema_of(round_.register, round_.reference_date).period),
        before=beside.get(round_.follows_id),
        after=after,
    )
