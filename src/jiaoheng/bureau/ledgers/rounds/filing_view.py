"""The page of one filing: its state and way, remarks, history, and what the reader may do with it now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import names_at
from jiaoheng.bureau.ledgers.masking_rules import identity_words
from jiaoheng.bureau.ledgers.models import CellComment, Extension, Filing, FilingStep, RecordVersion
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.rounds.chain import LEVEL_OF, RIGHT_OF, approvers_of, chain_of
from jiaoheng.bureau.ledgers.rounds.checking import told_words
from jiaoheng.bureau.ledgers.rounds.deadlines import OWING, Light, Lights, limit_of, timing_of, window_of
from jiaoheng.bureau.ledgers.rounds.filers import may_file
from jiaoheng.bureau.ledgers.rounds.owing import FREE, Holder, holders
from jiaoheng.bureau.ledgers.rounds.progress import Progress, progress_of
from jiaoheng.bureau.ledgers.rounds.words import LEVELS, READ_LEVELS, day_words, due_words, spaced, state_words
from jiaoheng.registers.model import Register


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop on the way of a filing: 学校提交, 学区审核, 局审定; `done` with who and when, `now` where it waits."""

    level: str
    words: str
    done: bool
    now: bool
    who: str
    when: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the history; lines of an earlier content are history and count no more."""

    at: dt.datetime
    when: str
    who: str
    words: str  # 学区 通过（第 1 次提交）
    reason: str
    counts: bool
    mood: str


@dataclass(frozen=True, slots=True)
class Remarked:
    """A remark at a cell, with what stood there."""

    record_id: int | None
    field: str
    place: str
    words: str
    was: str
    by: str
    when: str
    settled: bool
    content: int  # the one that it was said of


@dataclass(frozen=True, slots=True)
class Explained:
    """A remark of the checks that the filler's submission carries, with his sentence."""

    place: str
    words: str
    sentence: str


@dataclass(frozen=True, slots=True)
class FilingView:
    """Everything the page shows. `version` goes into every form of the page."""

    filing_id: int
    version: int
    title: str
    unit: str
    period: str
    state: str
    light: Light
    due: str
    extended: str
    timing: str
    progress: Progress
    zero_report: bool
    holder: str
    stops: Sequence[Stop]
    history: Sequence[Line]
    remarks: Sequence[Remarked]
    explained: Sequence[Explained]
    closed_why: str  # why nobody may file now; "" where one may
    may_fill: bool
    may_submit: bool
    may_recall: bool
    may_approve: bool
    may_return: bool
    may_withdraw: bool
    may_extend: bool


def view_of(filing: Filing, account: Account) -> FilingView:
    """The page of a filing for a reader (who has come through `access_filing`). A fixed number of queries."""
    lights = Lights(clock.now())
    round_, today = filing.round, lights.today
    schema = schema_of(round_.register, round_.reference_date)
    steps = list(filing.steps.order_by("at", "pk"))
    standing = [one for one in steps if one.content == filing.content and one.withdrawn_at is None]
    chain = chain_of(filing, approvers_of(round_))
    holder = holders([filing], today)[filing.pk]
    window = window_of(round_, filing, lights.at)
    sent = [one for one in standing if one.kind == FilingStep.Kind.SUBMIT]
    first = next((one for one in steps if one.kind == FilingStep.Kind.SUBMIT and one.withdrawn_at is None), None)
    limit = limit_of(round_, filing)
    rights = _rights(filing, account, holder, chain, standing)
    mine = rights["fill"] and window.is_open and holder.hold not in FREE and filing.state in OWING
    return FilingView(
        filing_id=filing.pk,
        version=filing.version,
        title=round_.title,
        unit=names_at([filing.unit_id], round_.reference_date).get(filing.unit_id, ""),
        period=round_.period.name if round_.period is not None else "",
        state=state_words(filing),
        light=_light(filing, sent, standing, lights),
        due=due_words(limit, today),
        extended=_extended(filing, today),
        timing=str(timing_of(round_, filing, first.at)) if first is not None else "",
        progress=progress_of(round_, schema, [filing.unit_id])[filing.unit_id],
        zero_report=filing.zero_report,
        holder=holder.words,
        stops=_stops(filing, chain, standing, today),
        history=[_line(one, filing, today) for one in reversed(steps)],
        remarks=_remarks(filing, schema, today),
        explained=[_explained(note) for one in sent[-1:] for note in one.notes],
        closed_why="" if window.is_open else window.why,
        may_fill=mine,
        may_submit=mine,
        may_recall=rights["recall"],
        may_approve=rights["approve"],
        may_return=rights["return"],
        may_withdraw=rights["withdraw"],
        may_extend=rights["extend"] and filing.state in OWING,
    )


def _rights(
    filing: Filing, account: Account, holder: Holder, chain: Sequence[str], standing: Sequence[FilingStep]
) -> dict[str, bool]:
    """What the account may do in this state, apart from times."""
    name = filing.round.register.name

    def may(can: Can) -> bool:
        return scope_of(account, can).covers(filing, name)

    waiting = LEVEL_OF.get(Filing.State(filing.state))
    fill = may_file(account, filing, holder)
    levels = {level: may(RIGHT_OF[level]) for level in chain}
    approved = [one.level for one in standing if one.kind == FilingStep.Kind.APPROVE]
    decides = waiting is not None and levels.get(waiting, False)
    last = filing.state == Filing.State.APPROVED and bool(chain) and levels[chain[-1]]
    return {
        "fill": fill,
        "recall": fill and filing.state not in OWING and not approved and filing.opened_at is None,
        "approve": decides,
        "return": decides or last,
        "withdraw": bool(approved) and levels.get(approved[-1], False) and filing.state not in OWING,
        "extend": may(Can.ROUNDS),
    }


def _light(filing: Filing, sent: Sequence[FilingStep], standing: Sequence[FilingStep], lights: Lights) -> Light:
    if filing.state in OWING:
        return lights.until(limit_of(filing.round, filing))
    if filing.state == Filing.State.APPROVED:
        return Light("done", state_words(filing))
    since = standing[-1].at if standing else sent[-1].at if sent else lights.at
    return lights.waiting(since)


def _extended(filing: Filing, today: dt.date) -> str:
    last = Extension.objects.filter(filing=filing).order_by("-at").first()
    return f"{spaced('延到', due_words(last.until, today))}：{last.reason}" if last is not None else ""


def _stops(filing: Filing, chain: Sequence[str], standing: Sequence[FilingStep], today: dt.date) -> list[Stop]:
    waiting = LEVEL_OF.get(Filing.State(filing.state))
    made = []
    for level, words in [("school", "提交"), *((one, "审定" if one == "county" else "审核") for one in chain)]:
        kind = FilingStep.Kind.SUBMIT if level == "school" else FilingStep.Kind.APPROVE
        done = next((one for one in reversed(standing) if one.kind == kind and one.level == level), None)
        if filing.state in OWING:
            done = None
        here = level == waiting or (level == "school" and filing.state in OWING)
        made.append(
            Stop(
                level=level,
                words=f"{LEVELS[level]}{words}",
                done=done is not None,
                now=here,
                who=done.by_name if done is not None else "",
                when=day_words(done.at, today) if done is not None else "",
            )
        )
    return made


def _line(step: FilingStep, filing: Filing, today: dt.date) -> Line:
    kind = FilingStep.Kind(step.kind)
    words = READ_LEVELS.get(step.level, kind.label) if kind is FilingStep.Kind.APPROVE else kind.label
    which = f"（第 {step.content} 次提交）" if filing.content > 1 else ""
    gone = "，已撤回" if step.withdrawn_at is not None else ""
    return Line(
        at=step.at,
        when=day_words(step.at, today),
        who=step.by_name,
        words=f"{words}{which}{gone}",
        reason=step.reason,
        counts=step.content == filing.content and step.withdrawn_at is None,
        mood="back" if kind is FilingStep.Kind.RETURN else "",
    )


def _remarks(filing: Filing, schema: Register, today: dt.date) -> list[Remarked]:
    """All remarks, those still open first."""
    comments = list(CellComment.objects.filter(filing=filing).order_by("-at", "pk"))
    ids = {one.record_id for one in comments if one.record_id}
    rows = RecordVersion.objects.filter(record_id__in=ids, valid_to__isnull=True)
    data = dict(rows.values_list("record_id", "data"))
    made = []
    for one in comments:
        title = schema.by_name[one.field].title if one.field in schema.by_name else one.field
        name = identity_words(schema, data[one.record_id], today) if schema.key and one.record_id in data else ""
        made.append(
            Remarked(
                record_id=one.record_id,
                field=one.field,
                place=" ".join(part for part in (name, title) if part) or "整份台账",
                words=one.text,
                was=""
                if one.value is None
                else "、".join(one.value)
                if isinstance(one.value, list)
                else str(one.value),
                by=one.by_name,
                when=day_words(one.at, today),
                settled=one.settled_at is not None,
                content=one.content,
            )
        )
    return sorted(made, key=lambda one: one.settled)


def _explained(note: dict[str, str]) -> Explained:
    return Explained(f"{note['name']} {note['title']}".strip(), told_words(note), note["sentence"])
