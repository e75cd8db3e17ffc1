"""Collection rounds: their list, opening one, the board, reminding, deciding in bulk, dates, the merged workbook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.urls import path, reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jiaoheng.bureau.core.access import access_unit, whole_number
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.files import open_file
from jiaoheng.bureau.core.refusals import ConflictError, ForbiddenError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.ledgers.access import access_round
from jiaoheng.bureau.ledgers.models import Round
from jiaoheng.bureau.ledgers.rounds.actions import (
    do_approve_filings,
    do_approve_unit,
    do_close_round,
    do_extend,
    do_merge,
    do_move_deadline,
    do_open_round,
    do_remind,
    do_reopen,
    do_return_filings,
    do_set_repeat,
)
from jiaoheng.bureau.ledgers.rounds.approved import Basis
from jiaoheng.bureau.ledgers.rounds.as_seen import Decided
from jiaoheng.bureau.ledgers.rounds.board import board_of
from jiaoheng.bureau.ledgers.rounds.board_model import Choice
from jiaoheng.bureau.ledgers.rounds.deciding import decision_of, filings_in
from jiaoheng.bureau.ledgers.rounds.owing import filing_of, round_units
from jiaoheng.bureau.ledgers.rounds.reminding import outcomes_of
from jiaoheng.bureau.ledgers.rounds.repeating import words_of
from jiaoheng.bureau.ledgers.rounds.round_facts import round_facts
from jiaoheng.bureau.ledgers.rounds.round_form import Preview, preview_round, read_round, round_form
from jiaoheng.bureau.ledgers.rounds.round_list import rounds_of
from jiaoheng.bureau.web.moments import day_from, moment_from, written
from jiaoheng.bureau.web.pages import page, see_other

_TICKED = ("kinds", "steps")


@require_GET
def rounds(request: HttpRequest) -> HttpResponse:
    """Every round that asks somebody in one's scope."""
    context = {"rounds": rounds_of(request.user), "may_open": bool(scope_of(request.user, Can.ROUNDS))}
    return page(request, "web/rounds.html", "采集", context)


@require_http_methods(["GET", "HEAD", "POST"])
def round_new(request: HttpRequest) -> HttpResponse:
    """Open a round: the form, then what will happen to how many, then the round."""
    if not scope_of(request.user, Can.ROUNDS):
        raise ForbiddenError("您可以查看，但采集轮次由股室发起和管理，请联系发起股室")
    if request.method != "POST":
        return _round_form(request, request.GET)
    values = request.POST
    lists = _ticked(values)
    try:
        asked = read_round(
            request.user,
            _texts(values),
            lists,
            day_from(values, "reference_date"),
            moment_from(values, "opens"),
            moment_from(values, "due"),
        )
        preview = preview_round(asked)
        if values.get("act") != "open":
            return _round_form(request, values, preview=preview if values.get("act") == "look" else None)
        made = do_open_round(
            asked.register,
            asked.period,
            asked.title,
            asked.scope_unit,
            asked.kinds,
            asked.reference_date,
            asked.opens_at,
            asked.due_at,
            [{"days": one.days, "to": list(one.to)} for one in asked.steps],
            acting_user=request.user,
            note=asked.note,
            repeats=asked.repeats,
        )
    except RefusedError as error:
        return _round_form(request, values, error=error)
    messages.success(request, f"已发起，{preview.words}。{preview.times}")
    return see_other("round", made.pk)


def _round_form(
    request: HttpRequest, values: QueryDict, *, preview: Preview | None = None, error: RefusedError | None = None
) -> HttpResponse:
    form = round_form(request.user, _texts(values), _ticked(values))
    context = {"form": form, "preview": preview, **_said(error)}
    crumbs = [("采集", reverse("rounds"))]
    status = 400 if error is not None else 200
    return page(request, "web/round_new.html", "发起采集", context, crumbs=crumbs, status=status)


def _texts(values: QueryDict) -> dict[str, str]:
    return {name: values.get(name, "") for name in values if name not in _TICKED}


def _ticked(values: QueryDict) -> dict[str, list[str]]:
    """The ticked values; a form that was sent holds `sent`, so that none ticked is none."""
    return {name: values.getlist(name) for name in _TICKED} if "sent" in values else {}


def _said(error: RefusedError | None) -> dict[str, Any]:
    """The summary of a refusal on top of a form, and its sentences at the fields."""
    if error is None:
        return {"errors": [], "wrong": {}}
    lines = [{"anchor": name, "text": text} for name, text in error.places.items()]
    return {"errors": lines or [{"anchor": "main", "text": str(error)}], "wrong": error.places}


@require_GET
def board(request: HttpRequest, round_id: int) -> HttpResponse:
    """The board of a round."""
    round_ = access_round(request.user, round_id)
    sort = request.GET.get("sort", "")
    district = request.GET.get("district", "")
    choice = Choice(
        show=request.GET.get("show", "open"),
        district_id=whole_number(district) if district else None,
        text=request.GET.get("q", "")[:60],
        sort=sort.removeprefix("-"),
        descending=sort.startswith("-"),
    )
    found = board_of(round_, request.user, choice)
    if found.owed == 1 and not (found.may_manage or found.may_approve):  # a school has no board, it has its filing
        whole = board_of(round_, request.user, Choice(show="all"))
        return see_other("filing", whole.groups[0].rows[0].filing_id)
    context = {
        "board": found,
        "choice": choice,
        "town": next((one for one in found.towns if one.unit_id == choice.district_id and district), None),
        "facts": round_facts(round_, request.user),
        "preselect": found.may_manage and choice.show in ("open", "late", "all") and not district and not choice.text,
    }
    return page(request, "web/round.html", round_.title, context, crumbs=[("采集", reverse("rounds"))])


@require_POST
def round_remind(request: HttpRequest, round_id: int) -> HttpResponse:
    """催办: the ticked units, or all that are late."""
    round_ = access_round(request.user, round_id)
    if request.POST.get("who") == "late":
        done = do_remind(round_, acting_user=request.user)
    else:
        done = do_remind(round_, filings_in(round_, request.user, _chosen(request.POST)), acting_user=request.user)
    (messages.success if done.sent else messages.warning)(request, done.words)
    return _back(request, round_)


@require_http_methods(["GET", "HEAD", "POST"])
def round_decide(request: HttpRequest, round_id: int) -> HttpResponse:
    """Pass or return the ticked filings: first which and how many, then done; what moved on since is left and named."""
    round_ = access_round(request.user, round_id)
    what = (request.POST if request.method == "POST" else request.GET).get("what", "")
    if request.method != "POST":
        return _decide_page(request, round_, what, request.GET)
    seen = _seen(request.POST)
    if request.POST.get("act") == "look":
        if not seen:
            messages.warning(request, "没有选中台账，请先在列表中勾选")
            return _back(request, round_)
        ticked = [("chosen", one) for one in dict.fromkeys(request.POST.getlist("chosen"))]
        return see_other("round_decide", round_id, query=urlencode([("what", what), *ticked]))
    try:
        filings = filings_in(round_, request.user, list(seen))
        known = {pk: version for pk, version in seen.items() if version is not None}
        if what == "return":
            reason = request.POST.get("reason", "")
            due = moment_from(request.POST, "due")
            done = do_return_filings(filings, reason=reason, seen=known, due_at=due, acting_user=request.user)
        else:
            done = do_approve_filings(filings, seen=known, acting_user=request.user)
    except RefusedError as error:
        return _decide_page(request, round_, what, request.POST, error)
    _tell(request, "退回" if what == "return" else "通过", done)
    return see_other("round", round_id)


def _tell(request: HttpRequest, word: str, done: Decided) -> None:
    (messages.warning if done.moved else messages.success)(request, f"{word}：{done.words}")


def _decide_page(
    request: HttpRequest, round_: Round, what: str, values: QueryDict, error: RefusedError | None = None
) -> HttpResponse:
    decision = decision_of(round_, request.user, _seen(values), what)
    context = {"round": round_, "decision": decision, "typed": values, **_said(error)}
    status = 200 if error is None else 409 if isinstance(error, ConflictError) else 400
    return page(
        request, "web/round_decide.html", f"{decision.word}选中的台账", context, crumbs=_crumbs(round_), status=status
    )


@require_POST
def round_unit(request: HttpRequest, round_id: int) -> HttpResponse:
    """Pass everything of one district that waits, once all of it is there."""
    round_ = access_round(request.user, round_id)
    unit = access_unit(request.user, request.POST.get("unit", ""))
    seen = {pk: version for pk, version in _seen(request.POST).items() if version is not None}
    _tell(request, "通过", do_approve_unit(round_, unit, seen=seen, acting_user=request.user))
    return _back(request, round_)


@require_http_methods(["GET", "HEAD", "POST"])
def round_deadline(request: HttpRequest, round_id: int) -> HttpResponse:
    """Move the date for everybody, give one unit more time, end the round or take it up again."""
    round_ = access_round(request.user, round_id)
    if request.method != "POST":
        return _deadline_page(request, round_, {**written(round_.due_at, "due"), **request.GET.dict()})
    values = request.POST
    try:
        messages.success(request, _change_dates(request, round_, values))
    except RefusedError as error:
        typed = {**written(round_.due_at, "due"), **values.dict()}
        return _deadline_page(request, round_, typed, error)
    return see_other("round", round_id)


def _change_dates(request: HttpRequest, round_: Round, values: QueryDict) -> str:
    act, reason = values.get("act"), values.get("reason", "")
    if act == "extend":
        until = moment_from(values, "until")
        if until is None:
            raise RefusedError("date-missing", "请填延到哪一天", places={"until": "请填延到的日期，如 2026-10-31"})
        if not values.get("unit"):
            raise RefusedError("unit-missing", "请选延期的单位", places={"unit": "请选一个单位"})
        filing = filing_of(round_, access_unit(request.user, values["unit"]), request.user)
        do_extend(filing, until, reason, acting_user=request.user)
        return "已延期，学校在待办里看到新的截止时间和原因"
    if act == "close":
        do_close_round(round_, acting_user=request.user, reason=reason)
        return "本轮已结束，之后只有延期中的单位能提交"
    if act == "reopen":
        do_reopen(round_, acting_user=request.user, reason=reason)
        return "本轮已重新开启"
    if act == "repeat":
        held = do_set_repeat(round_, values.get("repeats", ""), acting_user=request.user)
        return f"到日子自动发起下一轮：{words_of(held)}" if held.repeats else "不再自动发起下一轮"
    due = moment_from(values, "due")
    if due is None:
        raise RefusedError("date-missing", "请填新的截止日期", places={"due_at": "请填日期，如 2026-10-31"})
    do_move_deadline(round_, due, reason, acting_user=request.user)
    return "截止时间已改，还没交的单位都收到了通知"


def _deadline_page(
    request: HttpRequest, round_: Round, typed: Mapping[str, str], error: RefusedError | None = None
) -> HttpResponse:
    facts = round_facts(round_, request.user)
    if not facts.may_manage:
        raise ForbiddenError("您可以查看，但采集轮次由股室发起和管理，请联系发起股室")
    context = {
        "round": round_,
        "facts": facts,
        "units": round_units(round_, request.user),
        "typed": typed,
        "act": typed.get("act", ""),
        **_said(error),
    }
    status = 400 if error is not None else 200
    return page(request, "web/round_deadline.html", "截止和延期", context, crumbs=_crumbs(round_), status=status)


@require_POST
def round_merge(request: HttpRequest, round_id: int) -> HttpResponse:
    """The merged workbook in one press: present figures, or approved ones only."""
    round_ = access_round(request.user, round_id)
    basis = Basis.APPROVED if request.POST.get("approved") else Basis.PROVISIONAL
    made = do_merge(round_, acting_user=request.user, basis=basis)
    served = open_file(request.user, str(made.pk))
    response = FileResponse(served.open())
    for name, value in served.headers.items():
        response[name] = value
    return response


@require_GET
def round_reminders(request: HttpRequest, round_id: int) -> HttpResponse:
    """Who got which step when, and what was not sent with its reason."""
    round_ = access_round(request.user, round_id)
    context = {
        "round": round_,
        "outcomes": outcomes_of(round_, request.user),
        "facts": round_facts(round_, request.user),
    }
    return page(request, "web/round_reminders.html", "催办记录", context, crumbs=_crumbs(round_))


def _crumbs(round_: Round) -> list[tuple[str, str]]:
    return [("采集", reverse("rounds")), (round_.title, reverse("round", args=[round_.pk]))]


def _chosen(values: QueryDict) -> list[int]:
    return list(_seen(values))


def _seen(values: QueryDict) -> dict[int, int | None]:
    """The ticked filings with the version that the page showed: 12.3, or 12 where it is not known."""
    found: dict[int, int | None] = {}
    for one in values.getlist("chosen"):
        filing, _, version = one.partition(".")
        found[whole_number(filing)] = whole_number(version) if version else None
    return found


def _back(request: HttpRequest, round_: Round) -> HttpResponse:
    """To the board as it was filtered."""
    kept = [(name, request.POST[f"at-{name}"]) for name in ("show", "district", "q") if request.POST.get(f"at-{name}")]
    return see_other("round", round_.pk, query=urlencode(kept))


urls = [
    path("rounds/", rounds, name="rounds"),
    path("rounds/new", round_new, name="round_new"),
    path("rounds/<int:round_id>/", board, name="round"),
    path("rounds/<int:round_id>/merge", round_merge, name="round_merge"),
    path("rounds/<int:round_id>/remind", round_remind, name="round_remind"),
    path("rounds/<int:round_id>/reminders", round_reminders, name="round_reminders"),
    path("rounds/<int:round_id>/decide", round_decide, name="round_decide"),
    path("rounds/<int:round_id>/unit", round_unit, name="round_unit"),
    path("rounds/<int:round_id>/deadline", round_deadline, name="round_deadline"),
]
