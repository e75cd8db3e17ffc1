"""退回修改: the filing goes back to its unit with a reason, remarks at the cells and a date for the correction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.calendar import add_working_days
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.tree import name_of
from jiaoheng.bureau.ledgers.models import CellComment, Filing, FilingStep, RecordVersion
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.rounds.as_seen import Decided, decide
from jiaoheng.bureau.ledgers.rounds.chain import (
    LEVEL_OF,
    RIGHT_OF,
    add_step,
    approvers_of,
    chain_of,
    locked,
    moved,
    require,
    settle,
)
from jiaoheng.bureau.ledgers.rounds.content import rows_of
from jiaoheng.bureau.ledgers.rounds.policy import policy_at
from jiaoheng.bureau.ledgers.rounds.telling import tell_unit
from jiaoheng.bureau.ledgers.rounds.words import due_words, spaced
from jiaoheng.registers.masking import mask_field
from jiaoheng.registers.model import Register, Value

_SEE_REMARKS = "见各格批注"  # the reason where the remarks say it all


@dataclass(frozen=True, slots=True)
class CellRemark:
    """A remark at one cell: what is wrong and what is right. Without a record it is about the whole filing."""

    text: str
    record_id: int | None = None
    field: str = ""


@audit.action
def do_return_filing(
    filing: Filing,
    *,
    reason: str,
    acting_user: Account,
    remarks: Sequence[CellRemark] = (),
    due_at: dt.datetime | None = None,
    version: int | None = None,
) -> Filing:
    """Send a filing back for correction; also an approved one, whose approved figures stay until the new ones are (P16).

    reason: may be empty where remarks say what is wrong. due_at: until when, else the policy's working days from today.
    Raises RefusedError (`reason-missing`, `return-due`, `remark-place`), ConflictError naming who decided first, ForbiddenError.
    """
    held = locked(filing.pk, version)
    _return(held, reason, acting_user, remarks, due_at)
    return held


@audit.action
def do_return_filings(
    filings: Iterable[Filing],
    *,
    reason: str,
    seen: Mapping[int, int],
    acting_user: Account,
    due_at: dt.datetime | None = None,
) -> Decided:
    """Send the chosen filings back with one reason: those that still have the version `seen`, all of them or none."""
    return decide(filings, seen, lambda held: _return(held, reason, acting_user, (), due_at))


def _return(held: Filing, reason: str, by: Account, remarks: Sequence[CellRemark], due_at: dt.datetime | None) -> None:
    reason = reason.strip() or (_SEE_REMARKS if remarks else "")
    if not reason:
        raise RefusedError(
            "reason-missing", "退回修改要写明原因：哪里不对，怎样才对", places={"reason": "请填写退回原因"}
        )
    level = level_of(held)
    require(by, held, RIGHT_OF[level])
    now = clock.now()
    if due_at is not None and due_at <= now:
        told = f"改正截止 {clock.words(due_at)} 已经过去，请另选时间"
        raise RefusedError("return-due", told, places={"due_at": told})
    held.returned_due_at = due_at or _default_due()
    held.state = str(Filing.State.RETURNED)
    held.opened_at = None
    step = add_step(held, FilingStep.Kind.RETURN, level, by, reason)
    cells = _comments(held, remarks, by, now)
    settle(held, "returned_due_at", "opened_at")
    _note(held, by, reason, cells)
    head = f"{held.round.title}退回，{len(cells)} 格要改" if cells else f"{held.round.title}退回修改"
    until = due_words(held.returned_due_at, clock.today())
    tell_unit(held, step, head, f"{by.name}：{reason}。{spaced('改正截止', until)}。", mood="back")


def level_of(held: Filing) -> str:
    """The level at which a filing lies: where it waits, or the last one of its chain where it is approved."""
    waiting = LEVEL_OF.get(Filing.State(held.state))
    if waiting is not None:
        return waiting
    chain = chain_of(held, approvers_of(held.round))
    if held.state != Filing.State.APPROVED:
        raise moved(held)
    return chain[-1] if chain else "county"


def _default_due() -> dt.datetime:
    return add_working_days(clock.now(), policy_at(clock.today()).correction_days)


def _comments(held: Filing, remarks: Sequence[CellRemark], by: Account, at: dt.datetime) -> list[CellComment]:
    schema = schema_of(held.round.register, held.round.reference_date)
    ids = [one.record_id for one in remarks if one.record_id is not None]
    rows = {one.record_id: one for one in rows_of(held.round).filter(unit_id=held.unit_id, record_id__in=ids)}
    made = [
        CellComment(
            filing=held,
            record_id=one.record_id,
            field=one.field,
            text=one.text.strip()[:500],
            value=_value(schema, rows, one),
            content=held.content,
            by=by,
            by_name=by.name,
            at=at,
        )
        for one in remarks
    ]
    CellComment.objects.bulk_create(made, batch_size=100)
    return made


def _value(schema: Register, rows: dict[int, RecordVersion], remark: CellRemark) -> Value | None:
    """What stood in the cell, masked where the column is protected. RefusedError for a cell that is not there."""
    if not remark.text.strip():
        raise RefusedError("remark-empty", "批注要写明哪里不对", places={_place(remark): "请填写批注"})
    if remark.record_id is None:
        return None
    row, one = rows.get(remark.record_id), schema.by_name.get(remark.field)
    if row is None or (remark.field and one is None):
        raise RefusedError(
            "remark-place", "批注的格子不在这份台账里，请刷新后再批注", places={_place(remark): "找不到这一格"}
        )
    value: Value | None = row.data.get(remark.field)
    if value is not None and one is not None and one.sensitive:
        return mask_field(value, one)
    return value


def _place(remark: CellRemark) -> str:
    return f"{remark.record_id or ''}:{remark.field}"


def _note(held: Filing, by: Account, reason: str, cells: Sequence[CellComment]) -> None:
    assert held.returned_due_at is not None  # noqa: S101 (set by the caller)
    audit.note(
        "filing.return",
        actor=by,
        about=("filing", held.pk, f"{name_of(held.unit, held.round.reference_date)} {held.round.title}"),
        unit_id=held.unit_id,
        changes=audit.differences(
            {},
            {
                "state": Filing.State.RETURNED.label,
                "content": held.content,
                "due": f"{clock.local(held.returned_due_at):%Y-%m-%d %H:%M}",
                "cells": len(cells) or None,
            },
            {"state": "状态", "content": "第几次提交", "due": "改正截止", "cells": "批注格数"},
        ),
        reason=reason,
    )
