"""Collections and filings: how far they are, handing in, approving, sending back."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, cast

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router
from pydantic import Field

from jiaoheng.bureau.api.auth import READ, WRITE, account_of
from jiaoheng.bureau.api.paging import Paging, number_of, text_of
from jiaoheng.bureau.api.records import IfMatch, base_of
from jiaoheng.bureau.api.schemas import Id, Named
from jiaoheng.bureau.api.schemas_ledgers import (
    BoardOut,
    BoardRowOut,
    FilingDetailOut,
    FilingOut,
    FilingsOut,
    OutsideOut,
    RemarkOut,
    ReturnIn,
    RoundOut,
    State,
    StepIn,
    StepOut,
    SubmitIn,
    TallyOut,
)
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.ledgers.access import access_filing, access_round
from jiaoheng.bureau.ledgers.models import Filing
from jiaoheng.bureau.ledgers.rounds.actions import (
    CellRemark,
    do_approve_filing,
    do_recall_filing,
    do_return_filing,
    do_submit_filing,
    do_withdraw_approval,
)
from jiaoheng.bureau.ledgers.rounds.board import board_of
from jiaoheng.bureau.ledgers.rounds.board_model import Choice
from jiaoheng.bureau.ledgers.rounds.filing_list import filing_lines
from jiaoheng.bureau.ledgers.rounds.filing_view import FilingView, view_of
from jiaoheng.bureau.ledgers.rounds.round_list import rounds_of

router = Router(auth=READ, tags=["rounds"])
_MAY = ("fill", "submit", "recall", "approve", "return", "withdraw", "extend")


@router.get("/rounds", response=list[RoundOut], operation_id="list_rounds", summary="采集")
def rounds(request: HttpRequest) -> list[RoundOut]:
    """The newest 200 collections that ask somebody in one's scope, running ones first."""
    return [
        RoundOut(
            id=one.round_id,
            title=one.title,
            register_name=one.register,
            period=one.period,
            office=one.office,
            due=one.due,
            owed=one.owed,
            filed=one.filed,
            approved=one.approved,
            late=one.late,
            rate=one.rate,
            open=one.open,
        )
        for one in rounds_of(account_of(request))
    ]


@router.get("/rounds/{int:round_id}", response=BoardOut, operation_id="get_board", summary="一次采集的进度")
def board(request: HttpRequest, round_id: Path[Id]) -> BoardOut:
    """The board of a round: figures and units of one's own scope only."""
    found = access_round(account_of(request), round_id)
    one = board_of(found, account_of(request), Choice(show="all"))
    rows = [
        BoardRowOut(
            filing_id=row.filing_id,
            version=row.version,
            unit_id=row.unit_id,
            unit_name=row.name,
            district=row.district,
            place=row.place,
            state=row.state,
            filled=row.filled,
            owed=row.owed,
            submitted=row.submitted,
            timing=row.timing,
        )
        for group in one.groups
        for row in group.rows
    ]
    return BoardOut(
        id=one.round_id,
        title=one.title,
        sentence=one.sentence,
        due=one.due,
        owed=one.owed,
        filed=one.filed,
        rate=one.rate,
        tallies=[TallyOut(place=each.key, words=each.words, count=each.count) for each in one.tallies],
        rows=rows,
        outside=[OutsideOut(unit_id=each.unit_id, unit_name=each.name, why=each.words) for each in one.outside],
    )


class FilingsAsked(Paging):
    """Parameters of the list of filings."""

    round: Annotated[Id, Field(description="哪一次采集")] | None = None
    unit: Id | None = None
    state: State | None = None


@router.get("/filings", response=FilingsOut, operation_id="list_filings", summary="各单位的填报")
def filings(request: HttpRequest, asked: Query[FilingsAsked]) -> FilingsOut:
    """Filings of one's own scope, by id."""
    found = filing_lines(
        account_of(request),
        round_id=asked.round,
        unit_id=asked.unit,
        state=asked.state or "",
        after=number_of(asked.cursor),
        size=asked.limit,
    )
    items = [_filing(one.filing, one.unit_name, one.state) for one in found.lines]
    return FilingsOut(items=items, next=text_of(found.after))


@router.get("/filings/{int:filing_id}", response=FilingDetailOut, operation_id="get_filing", summary="一份填报")
def filing(request: HttpRequest, response: HttpResponse, filing_id: Path[Id]) -> FilingDetailOut:
    """A filing with its way; reading it here is not the approver's first look, which closes the way back on the page."""
    return _detail(request, response, access_filing(account_of(request), filing_id))


@router.post(
    "/filings/{int:filing_id}/submit",
    response=FilingDetailOut,
    operation_id="submit_filing",
    auth=WRITE,
    summary="提交",
)
def submit(
    request: HttpRequest, response: HttpResponse, filing_id: Path[Id], sent: SubmitIn, match: IfMatch = ""
) -> FilingDetailOut:
    """Hand in what is there, or that there is nothing. The same once more is answered and writes nothing."""
    found, version = _opened(request, filing_id, match, sent.version)
    done = do_submit_filing(
        found,
        version=version,
        zero_report=sent.zero_report,
        sentences=sent.sentences,
        acting_user=account_of(request),
    )
    return _detail(request, response, done)


@router.post(
    "/filings/{int:filing_id}/recall",
    response=FilingDetailOut,
    operation_id="recall_filing",
    auth=WRITE,
    summary="撤回提交",
)
def recall(
    request: HttpRequest, response: HttpResponse, filing_id: Path[Id], sent: StepIn, match: IfMatch = ""
) -> FilingDetailOut:
    """Take the submission back while nobody has looked."""
    found, version = _opened(request, filing_id, match, sent.version)
    return _detail(request, response, do_recall_filing(found, version=version, acting_user=account_of(request)))


@router.post(
    "/filings/{int:filing_id}/approve",
    response=FilingDetailOut,
    operation_id="approve_filing",
    auth=WRITE,
    summary="通过",
)
def approve(
    request: HttpRequest, response: HttpResponse, filing_id: Path[Id], sent: StepIn, match: IfMatch = ""
) -> FilingDetailOut:
    """Pass it at the level where it waits. 409 names who decided first."""
    found, version = _opened(request, filing_id, match, sent.version)
    return _detail(request, response, do_approve_filing(found, version=version, acting_user=account_of(request)))


@router.post(
    "/filings/{int:filing_id}/withdraw",
    response=FilingDetailOut,
    operation_id="withdraw_approval",
    auth=WRITE,
    summary="撤回审核",
)
def withdraw(
    request: HttpRequest, response: HttpResponse, filing_id: Path[Id], sent: StepIn, match: IfMatch = ""
) -> FilingDetailOut:
    """Take one's approval back while the level above has not approved."""
    found, version = _opened(request, filing_id, match, sent.version)
    done = do_withdraw_approval(found, version=version, reason=sent.reason, acting_user=account_of(request))
    return _detail(request, response, done)


@router.post(
    "/filings/{int:filing_id}/return",
    response=FilingDetailOut,
    operation_id="return_filing",
    auth=WRITE,
    summary="退回修改",
)
def send_back(
    request: HttpRequest, response: HttpResponse, filing_id: Path[Id], sent: ReturnIn, match: IfMatch = ""
) -> FilingDetailOut:
    """Send it back with the reason and remarks at cells."""
    found, version = _opened(request, filing_id, match, sent.version)
    done = do_return_filing(
        found,
        reason=sent.reason,
        remarks=[CellRemark(one.text, one.record_id, one.field) for one in sent.remarks],
        due_at=_moment(sent.due_at),
        version=version,
        acting_user=account_of(request),
    )
    return _detail(request, response, done)


def _moment(given: dt.datetime | None) -> dt.datetime | None:
    """A moment without a zone is Beijing time."""
    if given is None or given.tzinfo is not None:
        return given
    return given.replace(tzinfo=clock.BEIJING)


def _opened(request: HttpRequest, filing_id: int, match: str, given: int | None) -> tuple[Filing, int]:
    found = access_filing(account_of(request), filing_id)
    return found, base_of(match, given)


def _detail(request: HttpRequest, response: HttpResponse, one: Filing) -> FilingDetailOut:
    view: FilingView = view_of(one, account_of(request))
    response["ETag"] = f'"{one.version}"'
    return FilingDetailOut(
        **_filing(one, view.unit, view.state).model_dump(),
        due=view.due,
        closed_why=view.closed_why,
        may=[name for name in _MAY if getattr(view, f"may_{name}")],
        history=[
            StepOut(at=each.at, who=each.who, words=each.words, reason=each.reason, counts=each.counts)
            for each in view.history
        ],
        remarks=[
            RemarkOut(
                record_id=each.record_id, field=each.field, place=each.place, words=each.words, settled=each.settled
            )
            for each in view.remarks
        ],
    )


def _filing(one: Filing, unit_name: str, words: str) -> FilingOut:
    return FilingOut(
        id=one.pk,
        version=one.version,
        round_id=one.round_id,
        round=one.round.title,
        register_name=one.round.register.name,
        period=one.round.period.code if one.round.period is not None else "",
        unit=Named(id=one.unit_id, name=unit_name),
        state=cast("State", str(one.state)),
        words=words,
        zero_report=one.zero_report,
        submitted_at=one.submitted_at,
        approved_as_of=one.approved_as_of,
    )
