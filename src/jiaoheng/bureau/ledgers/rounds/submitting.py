"""A unit submits what it filled, or that there is nothing to report; and takes it back while nobody has looked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.tree import name_of
from jiaoheng.bureau.ledgers.models import CellComment, Filing, FilingStep
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.rounds.chain import (
    add_step,
    approvers_of,
    chain_of,
    locked,
    moved,
    settle,
    standing,
    state_after,
)
from jiaoheng.bureau.ledgers.rounds.checking import MOST_TOLD, Judgement, Remark, judge
from jiaoheng.bureau.ledgers.rounds.deadlines import OWING, Timing, timing_of, window_of
from jiaoheng.bureau.ledgers.rounds.filers import require_filer
from jiaoheng.bureau.ledgers.rounds.owing import FREE, Holder
from jiaoheng.bureau.ledgers.rounds.words import stamp, state_words, step_words


class _AlreadyThereError(Exception):
    """The same submission has come before: nothing is written a second time."""


def do_submit_filing(
    filing: Filing,
    *,
    acting_user: Account,
    version: int | None = None,
    zero_report: bool = False,
    sentences: Mapping[str, str] | None = None,
) -> Filing:
    """Submit all of a unit's records for a round; the server's receipt decides whether that is in time.

    zero_report: there is nothing to report (refused while there are records). sentences: place (`record:field`) → why a
    value differs so much from the last period; each such remark needs one. The same submission again (double click,
    slow network) returns the filing as it stands and writes nothing.
    Raises RefusedError (`round-not-open`, `round-closed`, `filing-empty`, `zero-with-records`, `filing-wrong`,
    `filing-unexplained`; `places` link to the cells), ConflictError, ForbiddenError.
    """
    try:
        return _do_submit(
            filing, acting_user=acting_user, version=version, zero_report=zero_report, sentences=sentences or {}
        )
    except _AlreadyThereError:
        return Filing.objects.select_related("round", "unit").get(pk=filing.pk)


@audit.action
def _do_submit(
    filing: Filing, *, acting_user: Account, version: int | None, zero_report: bool, sentences: Mapping[str, str]
) -> Filing:
    held = locked(filing.pk, None)
    holder = require_filer(acting_user, held)
    if held.state not in OWING:
        if _is_resend(held, acting_user, version, zero_report):
            raise _AlreadyThereError
        raise _not_owing(held)
    if version is not None and held.version != version:
        raise moved(held)
    _check_open(held, holder)
    schema = schema_of(held.round.register, held.round.reference_date)
    judged = judge(held, schema)
    _check_content(held, judged, zero_report, sentences)
    at = clock.now()
    held.content += 1
    held.zero_report = zero_report
    held.submitted_at, held.submitted_by, held.opened_at = at, acting_user, None
    chain = chain_of(held, approvers_of(held.round))
    held.state = state_after(chain, None)
    step = add_step(held, FilingStep.Kind.SUBMIT, "school", acting_user)
    step.as_of, step.notes = at, _notes(judged, sentences)
    step.save(update_fields=["as_of", "notes"])
    changed = ["content", "zero_report", "submitted_at", "submitted_by", "opened_at"]
    if not chain:
        held.approved_content, held.approved_as_of = held.content, at
        changed += ["approved_content", "approved_as_of"]
    settle(held, *changed)
    CellComment.objects.filter(filing=held, settled_at__isnull=True).update(settled_at=at)
    _note(held, "filing.submit", acting_user, judged.count, _timing(held))
    return held


def _is_resend(held: Filing, account: Account, version: int | None, zero_report: bool) -> bool:
    last = held.steps.order_by("-at", "-pk").first()
    mine = last is not None and last.kind == FilingStep.Kind.SUBMIT and last.by_id == account.pk
    return mine and held.zero_report == zero_report and (version is None or version == held.version - 1)


def _not_owing(held: Filing) -> RefusedError:
    last = standing(held)[-1:]
    said = f"（{step_words(last[0])}）" if last else ""
    return RefusedError(
        "filing-filed", f"这份台账现在是“{state_words(held)}”{said}，不用再提交。要改请先撤回或申请退回"
    )


def _check_open(held: Filing, holder: Holder) -> None:
    window = window_of(held.round, held, clock.now())
    if not window.is_open:
        raise RefusedError(window.code, window.why)
    if holder.hold in FREE:
        raise RefusedError("unit-ended", f"“{_unit(held)}”：{holder.words}，这一轮不用再交")


def _check_content(held: Filing, judged: Judgement, zero_report: bool, sentences: Mapping[str, str]) -> None:
    if zero_report and judged.count:
        raise RefusedError(
            "zero-with-records",
            f"“{_unit(held)}”本期已有 {judged.count} 条记录，不能零报告。请提交这些记录，或先删去再零报告",
        )
    if not zero_report and not judged.count:
        raise RefusedError("filing-empty", f"“{_unit(held)}”本期还没有记录。请填写后提交；确实没有内容的，请用零报告")
    if judged.blocking:
        raise _refusal("filing-wrong", "不能提交", judged.blocking)
    silent = [one for one in judged.asked if not sentences.get(one.place, "").strip()]
    if silent:
        raise _refusal("filing-unexplained", "与上期相差较大，请逐处写一句原因", silent)


def _refusal(code: str, head: str, remarks: list[Remark]) -> RefusedError:
    told = "\n".join(f"{one.label}：{one.words}" for one in remarks[:MOST_TOLD])
    places: dict[str, str] = {}
    for one in remarks:
        places[one.place] = f"{places[one.place]}；{one.words}" if one.place in places else one.words
    return RefusedError(code, f"{head}，共 {len(remarks)} 处：\n{told}", places=places)


def _notes(judged: Judgement, sentences: Mapping[str, str]) -> list[dict[str, Any]]:
    """What the approver reads beside the submission: each remark with the filler's sentence."""
    return [
        {
            "record": one.record_id,
            "field": one.field,
            "name": one.name,
            "title": one.title,
            "words": one.words,
            "finding": one.finding,
            "sentence": sentences.get(one.place, "").strip()[:200],
        }
        for one in judged.remarks
    ]


def _timing(held: Filing) -> Timing | None:
    """Told of the first content only: a correction has a date of its own."""
    return timing_of(held.round, held, held.submitted_at) if held.content == 1 else None


@audit.action
def do_recall_filing(filing: Filing, *, acting_user: Account, version: int | None = None) -> Filing:
    """Take a submission back until an approver has opened it; afterwards the approver returns it on request."""
    held = locked(filing.pk, version)
    holder = require_filer(acting_user, held)
    if holder.hold in FREE:
        raise RefusedError("unit-ended", f"“{_unit(held)}”：{holder.words}，这一轮的提交不能再撤回")
    steps = standing(held)
    sent = next((one for one in reversed(steps) if one.kind == FilingStep.Kind.SUBMIT), None)
    decided = [one for one in steps if one.kind == FilingStep.Kind.APPROVE]
    if held.state in OWING or sent is None:
        raise RefusedError("filing-not-filed", f"这份台账现在是“{state_words(held)}”，没有可以撤回的提交")
    if decided:
        raise RefusedError("recall-decided", f"{step_words(decided[-1])}，不能撤回。要改请联系对方退回修改")
    if held.opened_at is not None:
        raise RefusedError(
            "recall-opened", f"审核人已于 {stamp(held.opened_at)} 打开，不能撤回。要改请联系对方退回修改"
        )
    now = clock.now()
    FilingStep.objects.filter(pk=sent.pk).update(withdrawn_at=now)
    # back to where it was: an earlier submission that was taken back too does not count
    kinds = (FilingStep.Kind.SUBMIT, FilingStep.Kind.RETURN)
    counting = FilingStep.objects.filter(filing=held, kind__in=kinds, withdrawn_at__isnull=True)
    before = counting.order_by("at", "pk").last()
    returned = before is not None and before.kind == FilingStep.Kind.RETURN
    held.state = str(Filing.State.RETURNED if returned else Filing.State.DRAFT)
    held.submitted_at, held.submitted_by = None, None
    changed = ["submitted_at", "submitted_by"]
    if held.approved_content == held.content:  # a register that nobody approves
        held.approved_content, held.approved_as_of = None, None
        changed += ["approved_content", "approved_as_of"]
    add_step(held, FilingStep.Kind.RECALL, "school", acting_user)
    settle(held, *changed)
    if returned:
        CellComment.objects.filter(filing=held, content=before.content).update(settled_at=None)
    _note(held, "filing.recall", acting_user, 1, None)
    return held


def _note(held: Filing, action: str, actor: Account, count: int, timing: Timing | None) -> None:
    new = {"state": Filing.State(held.state).label, "timing": str(timing) if timing else None}
    audit.note(
        action,
        actor=actor,
        about=("filing", held.pk, f"{_unit(held)} {held.round.title}"),
        unit_id=held.unit_id,
        changes=audit.differences({}, new, {"state": "状态", "timing": "收到"}),
        count=max(count, 1),
        reason="零报告" if held.zero_report else "",
    )


def _unit(held: Filing) -> str:
    return name_of(held.unit, held.round.reference_date)
