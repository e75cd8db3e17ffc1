"""Approving a filing level by level, taking an approval back, and both for many at once. No approver changes a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Unit
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import name_of, names_at
from jiaoheng.bureau.ledgers.models import Filing, FilingStep, Round
from jiaoheng.bureau.ledgers.rounds.as_seen import Decided, decide
from jiaoheng.bureau.ledgers.rounds.chain import (
    LEVEL_OF,
    RIGHT_OF,
    STATE_OF,
    add_step,
    approvers_of,
    chain_of,
    locked,
    moved,
    require,
    settle,
    standing,
    state_after,
)
from jiaoheng.bureau.ledgers.rounds.deadlines import OWING
from jiaoheng.bureau.ledgers.rounds.owing import owed
from jiaoheng.bureau.ledgers.rounds.telling import tell_unit
from jiaoheng.bureau.ledgers.rounds.words import LEVELS, names_words, stamp, state_words


@audit.action
def do_open_filing(filing: Filing, *, acting_user: Account) -> Filing:
    """An approver opens a submission: from now on the unit cannot take it back. To be called once, at his first look."""
    held = locked(filing.pk, None)
    level = LEVEL_OF.get(Filing.State(held.state))
    if level is None:
        raise RefusedError("filing-not-waiting", f"这份台账现在是“{state_words(held)}”，没有待审的内容")
    require(acting_user, held, RIGHT_OF[level])
    if held.opened_at is None:
        held.opened_at = clock.now()
        held.save(update_fields=["opened_at"])
    _note(held, "filing.open", acting_user, level)
    return held


def note_opened(filing: Filing, account: Account) -> None:
    """Called by the page of a filing: notes the first look of one who may decide now; anybody else leaves no trace."""
    level = LEVEL_OF.get(Filing.State(filing.state))
    if level is None or filing.opened_at is not None:
        return
    if scope_of(account, RIGHT_OF[level]).covers(filing, filing.round.register.name):
        do_open_filing(filing, acting_user=account)


@audit.action
def do_approve_filing(filing: Filing, *, acting_user: Account, version: int | None = None) -> Filing:
    """Approve the present content at the level where it waits. Raises ConflictError naming who decided first (P17)."""
    held = locked(filing.pk, version)
    _approve(held, acting_user)
    return held


def _approve(held: Filing, acting_user: Account) -> None:
    level = LEVEL_OF.get(Filing.State(held.state))
    if level is None:
        raise moved(held)
    require(acting_user, held, RIGHT_OF[level])
    chain = chain_of(held, approvers_of(held.round))
    add_step(held, FilingStep.Kind.APPROVE, level, acting_user)
    held.state = state_after(chain, level)
    held.opened_at = None
    changed = ["opened_at"]
    if held.state == Filing.State.APPROVED:
        sent = held.steps.filter(kind=FilingStep.Kind.SUBMIT, content=held.content, withdrawn_at__isnull=True)
        held.approved_content, held.approved_as_of = held.content, sent.latest("at").as_of
        changed += ["approved_content", "approved_as_of"]
    settle(held, *changed)
    _note(held, "filing.approve", acting_user, level)
    if held.state == Filing.State.APPROVED:
        step = held.steps.latest("pk")
        tell_unit(held, step, f"{held.round.title}已审定", f"{acting_user.name}审定。要再改，先联系对方退回修改。")


@audit.action
def do_withdraw_approval(
    filing: Filing, *, acting_user: Account, version: int | None = None, reason: str = ""
) -> Filing:
    """Take one's level's approval back while the level above has not approved; RefusedError names who has (P17)."""
    held = locked(filing.pk, version)
    chain = chain_of(held, approvers_of(held.round))
    given = {one.level: one for one in standing(held) if one.kind == FilingStep.Kind.APPROVE}
    mine = [level for level in chain if level in given and _may(acting_user, held, level)]
    if not mine and not any(_may(acting_user, held, level) for level in chain):
        require(acting_user, held, RIGHT_OF[chain[-1]] if chain else Can.APPROVE_COUNTY)
    if not mine or held.state in OWING:  # what was sent back is the unit's again: it comes with a new submission
        raise RefusedError("approval-none", f"这份台账现在是“{state_words(held)}”，没有可以撤回的审核")
    level = mine[-1]
    above = [given[one] for one in chain[chain.index(level) + 1 :] if one in given]
    if above:
        told = f"{above[-1].by_name} 已于 {stamp(above[-1].at)} {LEVELS[above[-1].level]}审定，撤回前请对方先撤回审定"
        raise RefusedError("approval-above", told)
    FilingStep.objects.filter(pk=given[level].pk).update(withdrawn_at=clock.now())
    held.state = str(STATE_OF[level])
    held.opened_at = clock.now()
    _restore_approved(held)
    add_step(held, FilingStep.Kind.WITHDRAW, level, acting_user, reason)
    settle(held, "opened_at", "approved_content", "approved_as_of")
    _note(held, "filing.withdraw", acting_user, level, reason)
    return held


def _restore_approved(held: Filing) -> None:
    """The approved figures are again those of the last content whose county approval stands."""
    if held.approved_content != held.content:
        return
    finals = held.steps.filter(kind=FilingStep.Kind.APPROVE, level="county", withdrawn_at__isnull=True)
    last = finals.exclude(content=held.content).order_by("-content").first()
    sent = None
    if last is not None:
        sent = held.steps.filter(kind=FilingStep.Kind.SUBMIT, content=last.content, withdrawn_at__isnull=True).last()
    held.approved_content = last.content if last is not None else None
    held.approved_as_of = sent.as_of if sent is not None else None


def _may(account: Account, held: Filing, level: str) -> bool:
    return scope_of(account, RIGHT_OF[level]).covers(held, held.round.register.name)


@audit.action
def do_approve_filings(filings: Iterable[Filing], *, seen: Mapping[int, int], acting_user: Account) -> Decided:
    """Approve the chosen filings that still have the version `seen` (filing id → version), all of them or none."""
    return decide(filings, seen, lambda held: _approve(held, acting_user))


@audit.action
def do_approve_unit(
    round_: Round, unit: Unit, *, acting_user: Account, seen: Mapping[int, int] | None = None
) -> Decided:
    """Approve everything below a unit that waits at the acting person's level, once all of it is there (P17).

    seen: filing id → version as the page showed it (None: as it stands); another one is left out and named. A district with an owed unit that has sent nothing (or is not yet through the district) is refused and names it.
    """
    level = "county" if scope_of(acting_user, Can.APPROVE_COUNTY) else "district"
    column = {"county": "county_id", "district": "district_id"}.get(unit.level, "unit_id")
    rows = Filing.objects.filter(round=round_, **{column: unit.pk}).select_related("unit")
    due = owed(list(rows.order_by("pk")), clock.today())
    for one in due:
        require(acting_user, one, RIGHT_OF[level])
    ready = [one for one in due if one.state == STATE_OF[level]]
    passed = {Filing.State.APPROVED} | ({Filing.State.COUNTY} if level == "district" else set())
    missing = [one for one in due if one not in ready and one.state not in passed]
    if missing:
        raise RefusedError("unit-incomplete", _missing(unit, round_, missing))
    if not ready:
        raise RefusedError("nothing-waiting", f"“{name_of(unit, round_.reference_date)}”没有待审的台账")
    versions = {one.pk: one.version for one in ready} if seen is None else seen
    return decide(ready, versions, lambda held: _approve(held, acting_user))


def _missing(unit: Unit, round_: Round, missing: Sequence[Filing]) -> str:
    names = names_at([one.unit_id for one in missing], round_.reference_date)
    told = names_words([f"{names[one.unit_id]}（{Filing.State(one.state).label}）" for one in missing])
    return (
        f"“{name_of(unit, round_.reference_date)}”还有 {len(missing)} 所没有走到这一步：{told}。请催办，或先审其余各校"
    )


def _note(held: Filing, action: str, actor: Account, level: str, reason: str = "") -> None:
    audit.note(
        action,
        actor=actor,
        about=("filing", held.pk, f"{name_of(held.unit, held.round.reference_date)} {held.round.title}"),
        unit_id=held.unit_id,
        changes=audit.differences(
            {},
            {"state": Filing.State(held.state).label, "level": LEVELS[level], "content": held.content},
            {"state": "状态", "level": "哪一级", "content": "第几次提交"},
        ),
        reason=reason,
    )
