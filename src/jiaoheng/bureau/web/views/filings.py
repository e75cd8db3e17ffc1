"""One unit's filing: what is there, what is missing, handing it in, looking at it, remarks at cells, sending it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.views.decorators.http import require_POST, require_safe

from jiaoheng.bureau.core.access import whole_number
from jiaoheng.bureau.core.refusals import ConflictError, RefusedError
from jiaoheng.bureau.ledgers.access import access_filing
from jiaoheng.bureau.ledgers.models import Filing
from jiaoheng.bureau.ledgers.rounds.actions import (
    CellRemark,
    do_approve_filing,
    do_extend,
    do_keep_remarks,
    do_recall_filing,
    do_return_filing,
    do_submit_filing,
    do_withdraw_approval,
)
from jiaoheng.bureau.ledgers.rounds.approving import note_opened
from jiaoheng.bureau.ledgers.rounds.filing_page import filing_page
from jiaoheng.bureau.ledgers.rounds.filing_rows import places_of
from jiaoheng.bureau.ledgers.rounds.filing_view import view_of
from jiaoheng.bureau.ledgers.rounds.remarking import remarks_kept
from jiaoheng.bureau.ledgers.rounds.words import spaced
from jiaoheng.bureau.web.moments import moment_from
from jiaoheng.bureau.web.pages import page, see_other, values_of

_WHY = "why-"
_REMARK = "remark-"


@require_safe
def filing(request: HttpRequest, filing_id: int) -> HttpResponse:
    """The page; the first look of one who may decide now is noted."""
    found = access_filing(request.user, filing_id)
    if request.method == "GET":
        note_opened(found, request.user)
    return _page(request, filing_id)


def _page(
    request: HttpRequest,
    filing_id: int,
    *,
    error: RefusedError | None = None,
    typed: Mapping[str, str] | None = None,
    sentences: Mapping[str, str] | None = None,
) -> HttpResponse:
    found = access_filing(request.user, filing_id)
    number = request.GET.get("page", "1")
    one = filing_page(
        found,
        request.user,
        page=int(number) if number.isdigit() and len(number) < 6 else 1,
        only=request.GET.get("rows", ""),
        cell=request.GET.get("cell", ""),
        sentences=sentences,
    )
    context = {
        "one": one,
        "view": one.view,
        "typed": typed or {},
        "wrong": error.places if error is not None else {},
        "errors": _lines(found, error, typed or {}),
        "errors_title": _head(error),
        "act": (typed or {}).get("act", ""),
    }
    crumbs = [("采集", reverse("rounds")), (one.view.title, reverse("round", args=[one.round_id]))]
    status = 200 if error is None else 409 if isinstance(error, ConflictError) else 400
    return page(request, "web/filing.html", one.view.unit, context, crumbs=crumbs, status=status)


def _head(error: RefusedError | None) -> str:
    if error is None:
        return ""
    return "已被别人办过" if isinstance(error, ConflictError) else "没有办成，先改这几处"


def _lines(found: Filing, error: RefusedError | None, typed: Mapping[str, str]) -> list[dict[str, str]]:
    """The summary of a refusal: one line a cell with its name, or the sentence alone; then remarks that were lost by it."""
    if error is None:
        return []
    if isinstance(error, ConflictError):
        lost = {name.removeprefix(_REMARK): text for name, text in typed.items() if name.startswith(_REMARK)}
        lost |= {typed["cell"]: typed.get("text", "")} if typed.get("cell") else {}
        names = places_of(found, lost)
        told = [f"您写的批注没有发出：{names[key]}：{text}" for key, text in lost.items() if text and key in names]
        return [{"anchor": "main", "text": text} for text in (str(error), *told)]
    names = places_of(found, error.places) if any(":" in key for key in error.places) else {}
    lines = [
        {"anchor": f"cell-{key}" if ":" in key else key, "text": f"{names[key]}：{text}" if key in names else text}
        for key, text in error.places.items()
    ]
    return lines or [{"anchor": "main", "text": str(error)}]


def _do(
    request: HttpRequest,
    filing_id: int,
    act: Callable[[Filing, int | None], str],
    sentences: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Do one thing with a filing and go back to its page; a refusal shows the page with what was typed."""
    found = access_filing(request.user, filing_id)
    version = request.POST.get("version", "")
    try:
        messages.success(request, act(found, whole_number(version) if version else None))
    except RefusedError as error:
        return _page(request, filing_id, error=error, typed=request.POST.dict(), sentences=sentences)
    return see_other("filing", filing_id)


@require_POST
def filing_submit(request: HttpRequest, filing_id: int) -> HttpResponse:
    """Hand in what is there, or that there is nothing."""
    zero = request.POST.get("zero") == "1"
    sentences = {key: str(text) for key, text in values_of(request, _WHY).items()}

    def act(found: Filing, version: int | None) -> str:
        done = do_submit_filing(found, version=version, zero_report=zero, sentences=sentences, acting_user=request.user)
        view = view_of(done, request.user)
        return f"已{'零报告' if zero else '提交'}，现在是“{view.state}”" + (
            f"，{view.timing}收到" if view.timing else ""
        )

    return _do(request, filing_id, act, sentences)


@require_POST
def filing_recall(request: HttpRequest, filing_id: int) -> HttpResponse:
    """Take the submission back while nobody has looked."""

    def act(found: Filing, version: int | None) -> str:
        do_recall_filing(found, version=version, acting_user=request.user)
        return "已撤回，可以修改后再提交"

    return _do(request, filing_id, act)


@require_POST
def filing_remark(request: HttpRequest, filing_id: int) -> HttpResponse:
    """Keep a remark at one cell until the filing is returned; an empty one takes it away."""
    found = access_filing(request.user, filing_id)
    cell, text, version = (request.POST.get(name, "") for name in ("cell", "text", "version"))
    seen = whole_number(version) if version else None
    try:
        kept = do_keep_remarks(found, {cell: text}, version=seen, acting_user=request.user)
    except ConflictError as error:
        return _page(request, filing_id, error=error, typed=request.POST.dict())
    messages.success(request, f"批注 {len(kept)} 格，退回时一起发给学校" if kept else "没有批注了")
    at = [(name, request.POST[name]) for name in ("page", "rows") if request.POST.get(name)]
    response = see_other("filing", filing_id, query=urlencode(at))
    response["Location"] += f"#cell-{cell}" if text.strip() else "#return"
    return response


@require_POST
def filing_return(request: HttpRequest, filing_id: int) -> HttpResponse:
    """Send it back with the reason and the remarks at cells."""
    typed = {key: str(text) for key, text in values_of(request, _REMARK).items()}

    def act(found: Filing, version: int | None) -> str:
        if typed:
            do_keep_remarks(found, typed, version=version, acting_user=request.user)
        kept, _ = remarks_kept(found, request.user)
        done = do_return_filing(
            found,
            reason=request.POST.get("reason", ""),
            remarks=[_remark(key, text) for key, text in kept.items()],
            due_at=moment_from(request.POST, "due"),
            version=version,
            acting_user=request.user,
        )
        return spaced("已退回，改正截止", view_of(done, request.user).due)

    return _do(request, filing_id, act)


@require_POST
def filing_approve(request: HttpRequest, filing_id: int) -> HttpResponse:
    """Pass it at the level where it waits; goes on to the next one that waits."""
    onward = request.POST.get("next", "")

    def act(found: Filing, version: int | None) -> str:
        done = do_approve_filing(found, version=version, acting_user=request.user)
        view = view_of(done, request.user)
        return f"{view.unit}：已通过，现在是“{view.state}”"

    answer = _do(request, filing_id, act)
    if answer.status_code == 303 and onward:
        return see_other("filing", access_filing(request.user, onward).pk)
    return answer


@require_POST
def filing_withdraw(request: HttpRequest, filing_id: int) -> HttpResponse:
    """Take one's approval back."""

    def act(found: Filing, version: int | None) -> str:
        reason = request.POST.get("reason", "")
        done = do_withdraw_approval(found, version=version, reason=reason, acting_user=request.user)
        return f"已撤回审核，现在是“{view_of(done, request.user).state}”"

    return _do(request, filing_id, act)


@require_POST
def filing_extend(request: HttpRequest, filing_id: int) -> HttpResponse:
    """Give this unit more time."""

    def act(found: Filing, _: int | None) -> str:
        until = moment_from(request.POST, "until")
        if until is None:
            raise RefusedError("date-missing", "请填延到哪一天", places={"until": "请填延到的日期，如 2026-10-31"})
        do_extend(found, until, request.POST.get("reason", ""), acting_user=request.user)
        return "已延期，学校在待办里看到新的截止时间和原因"

    return _do(request, filing_id, act)


def _remark(key: str, text: str) -> CellRemark:
    number, _, field = key.partition(":")
    return CellRemark(text, whole_number(number), field)


urls = [
    path("filings/<int:filing_id>/", filing, name="filing"),
    path("filings/<int:filing_id>/submit", filing_submit, name="filing_submit"),
    path("filings/<int:filing_id>/recall", filing_recall, name="filing_recall"),
    path("filings/<int:filing_id>/remark", filing_remark, name="filing_remark"),
    path("filings/<int:filing_id>/return", filing_return, name="filing_return"),
    path("filings/<int:filing_id>/approve", filing_approve, name="filing_approve"),
    path("filings/<int:filing_id>/withdraw", filing_withdraw, name="filing_withdraw"),
    path("filings/<int:filing_id>/extend", filing_extend, name="filing_extend"),
]
