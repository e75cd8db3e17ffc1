"""Who one is, units, periods, code tables, jobs, the trail, the search."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, cast

from django.http import HttpRequest
from ninja import Path, Query, Router
from pydantic import Field

from jiaoheng.bureau.api.auth import READ, WRITE, account_of
from jiaoheng.bureau.api.paging import Paging, number_of, text_of
from jiaoheng.bureau.api.schemas import (
    ChangeOut,
    CodeOut,
    CodesOut,
    CodeTableOut,
    EntriesOut,
    EntryOut,
    EventOut,
    HitOut,
    Id,
    JobOut,
    MembershipOut,
    MeOut,
    Named,
    PeriodOut,
    PeriodsOut,
    TokenOut,
    UnitDetailOut,
    UnitOut,
    UnitsOut,
)
from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.access import access_job, access_unit
from jiaoheng.bureau.core.actions_jobs import do_cancel_job, do_rerun_job
from jiaoheng.bureau.core.audit_search import AuditLine, Wanted, find_entries
from jiaoheng.bureau.core.capabilities import ROLES, Can
from jiaoheng.bureau.core.job_lines import jobs_of
from jiaoheng.bureau.core.models import Job
from jiaoheng.bureau.core.period_lines import period_lines
from jiaoheng.bureau.core.refusals import ForbiddenError
from jiaoheng.bureau.core.scope import memberships_of, scope_of
from jiaoheng.bureau.core.search import search
from jiaoheng.bureau.core.tree import name_of, names_at
from jiaoheng.bureau.core.unit_lines import UnitLine, lines_of, unit_lines
from jiaoheng.bureau.core.unit_page import unit_page
from jiaoheng.bureau.ledgers.code_lists import access_codes, code_lines

router = Router(auth=READ, tags=["office"])
Level = Literal["county", "department", "district", "school", "class"]
JobState = Literal["waiting", "running", "done", "failed", "interrupted", "cancelled"]
Day = Annotated[dt.date, Field(ge=dt.date(1900, 1, 1), le=dt.date(2200, 1, 1))]


@router.get("/me", response=MeOut, operation_id="me", summary="令牌代表谁")
def me(request: HttpRequest) -> MeOut:
    """The account behind the token, its memberships of today, and the token."""
    account, token = account_of(request), request.auth.token
    today = clock.today()
    members = list(memberships_of(account).order_by("starts_on", "pk"))
    names = names_at([one.unit_id for one in members], today)
    home = account.home
    return MeOut(
        id=account.pk,
        username=account.username,
        name=account.name,
        home=Named(id=home.pk, name=name_of(home, today)) if home is not None else None,
        memberships=[
            MembershipOut(
                unit_id=one.unit_id,
                unit_name=names.get(one.unit_id, ""),
                role=one.role,
                role_title=ROLES[one.role].title,
                starts_on=one.starts_on,
                ends_on=one.ends_on,
            )
            for one in members
        ],
        token=TokenOut(name=token.name, scopes=token.scopes, expires_at=token.expires_at),
    )


class UnitsAsked(Paging):
    """Parameters of the list of units."""

    as_of: Annotated[Day, Field(description="哪一天的单位树，不写为今天")] | None = None
    level: Level | None = None
    under: Annotated[Id, Field(description="只要这个单位及其下属")] | None = None
    code: Annotated[str, Field(max_length=32, description="单位代码")] = ""


@router.get("/units", response=UnitsOut, operation_id="list_units", summary="单位")
def units(request: HttpRequest, asked: Query[UnitsAsked]) -> UnitsOut:
    """The units of one's own scope that stand on a day, by id; `parent_id` makes the tree."""
    found = unit_lines(
        account_of(request),
        day=asked.as_of,
        level=asked.level or "",
        under=asked.under,
        code=asked.code,
        after=number_of(asked.cursor),
        size=asked.limit,
    )
    return UnitsOut(items=[_unit(one) for one in found.lines], next=text_of(found.after))


@router.get("/units/{int:unit_id}", response=UnitDetailOut, operation_id="get_unit", summary="一个单位")
def unit(
    request: HttpRequest,
    unit_id: Path[Id],
    as_of: Annotated[Day, Query(description="哪一天，不写为今天")] | None = None,
) -> UnitDetailOut:
    """A unit with its place and history; what stood under one earlier opens too."""
    found = access_unit(account_of(request), unit_id)
    day = as_of or clock.today()
    page = unit_page(found, day)
    line = lines_of([found], day)[0]
    return UnitDetailOut(
        **_unit(line).model_dump(),
        path=[Named(id=one.unit_id, name=one.name) for one in page.crumbs],
        ended=page.ended,
        successor_id=page.successor_id,
        history=[EventOut(on=one.day, words=one.sentence) for one in page.history],
    )


def _unit(one: UnitLine) -> UnitOut:
    return UnitOut(
        id=one.unit_id,
        code=one.code,
        level=cast("Level", one.level),
        name=one.name,
        short_name=one.short_name,
        kind=one.kind,
        ownership=one.ownership,
        locality=one.locality,
        township=one.township,
        parent_id=one.parent_id,
        starts_on=one.starts_on,
        ends_on=one.ends_on,
    )


class PeriodsAsked(Paging):
    """Parameters of the list of periods."""

    kind: Literal["year", "term", "month", "week", "day"] | None = None
    on: Annotated[Day, Field(description="只要包含这一天的")] | None = None
    code: Annotated[str, Field(max_length=16)] = ""


@router.get("/periods", response=PeriodsOut, operation_id="list_periods", summary="期次")
def periods(request: HttpRequest, asked: Query[PeriodsAsked]) -> PeriodsOut:
    """Academic years, terms, months, weeks and days that are in use, by id."""
    found, after = period_lines(
        kind=asked.kind or "", on=asked.on, code=asked.code, after=number_of(asked.cursor), size=asked.limit
    )
    items = [
        PeriodOut(
            id=one.pk,
            kind=one.kind,
            code=one.code,
            name=one.name,
            starts_on=one.starts_on,
            ends_on=one.ends_on,
            parent_id=one.parent_id,
        )
        for one in found
    ]
    return PeriodsOut(items=items, next=text_of(after))


@router.get("/codes", response=list[CodeTableOut], operation_id="list_codes", summary="代码表")
def code_tables(request: HttpRequest) -> list[CodeTableOut]:
    """Every code table."""
    return [CodeTableOut(name=one.name, title=one.title) for one in code_lines(account_of(request))]


@router.get("/codes/{slug:name}", response=CodesOut, operation_id="get_codes", summary="一张代码表")
def codes(request: HttpRequest, name: str) -> CodesOut:
    """One table with all its choices, ended ones too."""
    table = access_codes(account_of(request), name)
    items = [CodeOut(code=one.code, label=one.label, starts_on=one.from_, ends_on=one.until) for one in table.items]
    return CodesOut(name=table.name, title=table.title, items=items)


@router.get("/jobs", response=list[JobOut], operation_id="list_jobs", summary="后台任务")
def jobs(request: HttpRequest, state: JobState | None = None) -> list[JobOut]:
    """One's own newest 200 jobs."""
    return [_job(one) for one in jobs_of(account_of(request), state or "")]


@router.get("/jobs/{str:job_id}", response=JobOut, operation_id="get_job", summary="一个任务")
def job(request: HttpRequest, job_id: str) -> JobOut:
    """One job with its counted progress."""
    return _job(access_job(account_of(request), job_id))


@router.post("/jobs/{str:job_id}/cancel", response=JobOut, operation_id="cancel_job", auth=WRITE, summary="取消任务")
def cancel(request: HttpRequest, job_id: str) -> JobOut:
    """Ask a job to end; nothing of it is stored."""
    return _job(do_cancel_job(access_job(account_of(request), job_id), acting_user=account_of(request)))


@router.post("/jobs/{str:job_id}/rerun", response=JobOut, operation_id="rerun_job", auth=WRITE, summary="重新执行任务")
def rerun(request: HttpRequest, job_id: str) -> JobOut:
    """Run a broken job again, from the beginning."""
    return _job(do_rerun_job(access_job(account_of(request), job_id), acting_user=account_of(request)))


def _job(one: Job) -> JobOut:
    return JobOut(
        id=str(one.pk),
        kind=one.kind,
        title=one.title,
        state=cast("JobState", str(one.state)),
        done=one.done,
        total=one.total,
        message=one.message,
        created_at=one.created_at,
        finished_at=one.finished_at,
    )


class EntriesAsked(Paging):
    """Parameters of the trail."""

    who: Annotated[str, Field(max_length=80, description="姓名的一部分，或账号")] = ""
    what: Annotated[str, Field(max_length=200)] = ""
    action: Annotated[str, Field(max_length=60)] = ""
    unit: Id | None = None
    type: Annotated[str, Field(max_length=30)] = ""
    id: Annotated[str, Field(max_length=40)] = ""
    since: Day | None = None
    until: Annotated[Day, Field(description="最后一天")] | None = None


@router.get("/audit", response=EntriesOut, operation_id="search_audit", summary="操作记录")
def entries(request: HttpRequest, asked: Query[EntriesAsked]) -> EntriesOut:
    """Entries that one may read, newest first. 403 without the right."""
    account = account_of(request)
    if not scope_of(account, Can.AUDIT):
        raise ForbiddenError("操作记录由校长、学区、股室和管理员查看")
    if asked.unit is not None:
        access_unit(account, asked.unit, Can.AUDIT)
    wanted = Wanted(
        person=asked.who,
        object_name=asked.what,
        action=asked.action,
        unit_id=asked.unit,
        object_type=asked.type,
        object_id=asked.id,
        since=asked.since,
        until=asked.until,
        before=number_of(asked.cursor) if asked.cursor else None,
    )
    found = find_entries(account, wanted, asked.limit)
    return EntriesOut(items=[_entry(one) for one in found.lines], next=text_of(found.next))


def _entry(one: AuditLine) -> EntryOut:
    return EntryOut(
        number=one.number,
        at=one.at,
        who=one.who,
        verb=one.verb,
        what=one.what,
        door=one.door,
        count=one.count,
        reason=one.reason,
        sentence=one.sentence,
        object_type=one.object_type,
        object_id=one.object_id,
        unit_id=one.unit_id,
        changes=[ChangeOut(title=each.title, old=each.old, new=each.new) for each in one.changes],
    )


@router.get("/search", response=list[HitOut], operation_id="search", summary="查找")
def find(
    request: HttpRequest, q: Annotated[str, Query(min_length=1, max_length=100, description="要找的词，空格分开")]
) -> list[HitOut]:
    """Units, people and records of one's own scope that have every word."""
    return [
        HitOut(kind=hit.kind, id=hit.object_id, register_name=hit.register, name=hit.name, where=hit.where)
        for group in search(account_of(request), q)
        for hit in group.hits
    ]
