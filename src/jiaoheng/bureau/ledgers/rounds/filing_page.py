"""The whole page of one filing for one reader: its view, rows or facts, what still stands against it, what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import names_at
from jiaoheng.bureau.ledgers.models import Filing, FilingStep
from jiaoheng.bureau.ledgers.record_page import RecordPage, record_page
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.rounds.chain import LEVEL_OF, RIGHT_OF
from jiaoheng.bureau.ledgers.rounds.checking import Judgement, Remark, judge
from jiaoheng.bureau.ledgers.rounds.content import records_of
from jiaoheng.bureau.ledgers.rounds.filing_rows import (
    CellChosen,
    Marks,
    RowsPage,
    cell_chosen,
    marks_of,
    places_of,
    rows_page,
)
from jiaoheng.bureau.ledgers.rounds.filing_view import FilingView, Remarked, view_of
from jiaoheng.bureau.ledgers.rounds.remarking import remarks_kept
from jiaoheng.bureau.ledgers.rounds.since_return import Reply, Since, replies_of, since_return
from jiaoheng.bureau.ledgers.rounds.words import day_words, spaced

_TO = {"district": "提交给学区", "county": "提交给局"}


@dataclass(frozen=True, slots=True)
class Pending:
    """A remark that the reader has written and not sent yet."""

    key: str
    place: str
    text: str


@dataclass(frozen=True, slots=True)
class NextOne:
    """Another filing of the round that waits for the same reader, and how many there are."""

    filing_id: int
    unit: str
    count: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A change against the last period that needs a sentence, with what was typed, or said of the same change before."""

    remark: Remark
    typed: str
    said_before: bool


@dataclass(frozen=True, slots=True)
class FilingPage:
    """Everything on the page. `rows` for a list register, `record` for one with a single record (None: not yet made)."""

    view: FilingView
    unit_id: int
    period_id: int | None
    register: str
    register_title: str
    round_id: int
    note: str
    due_words: str  # 截止 11 月 20 日（周五）17:30
    single: bool
    rows: RowsPage | None
    record: RecordPage | None
    only_changed: bool  # the record shows what changed since the return alone
    marks: Marks
    blocking: Sequence[Remark]
    asked: Sequence[Asked]
    listed: Sequence[Remark]
    count: int
    cell: CellChosen | None
    pending: Sequence[Pending]
    pending_words: str  # 您昨天 16:05 写的 2 格批注还没发出
    since: Since | None  # the last return
    replies: Sequence[Reply]  # to the remarks of the last return
    older: Sequence[Remarked]  # settled remarks that are not among the replies
    submit_to: str
    submit_words: str  # what the bar at the bottom says
    following: NextOne | None

    @property
    def changed_cells(self) -> Mapping[str, tuple[str, str]]:
        """`record:field` → what stood there at the return and what stands there now."""
        return self.since.cells if self.since is not None else {}

    @property
    def answered(self) -> int:
        """How many remarks of the last return something was done about."""
        return sum(one.done for one in self.replies)

    @property
    def may_zero(self) -> bool:
        """零报告 is offered for a list in which nothing stands; a form of one record always has something to say."""
        return self.view.may_submit and not self.count and not self.single


def filing_page(
    filing: Filing,
    account: Account,
    *,
    page: int = 1,
    only: str = "",
    cell: str = "",
    sentences: Mapping[str, str] | None = None,
) -> FilingPage:
    """The page for a reader who has come through `access_filing`. His own remarks that are not sent come along.

    only: of the rows, see `rows_page`; sentences: reasons typed for jumps, by cell.
    """
    schema = schema_of(filing.round.register, filing.round.reference_date)
    view = view_of(filing, account)
    judged = judge(filing, schema) if view.may_submit else Judgement(0)
    mine, kept_at = remarks_kept(filing, account) if view.may_return else ({}, None)
    since = since_return(filing, schema)
    replies = replies_of(since, view.remarks)
    marks = marks_of(filing, judged.remarks if view.may_submit else None, mine)
    single = not schema.key
    there = records_of(filing) if single else []
    rows = None if single else rows_page(filing, schema, marks, since, page=page, only=only)
    count = len(there) if rows is None else rows.total
    names = places_of(filing, mine) if mine else {}
    asked = _asked(filing, judged.asked, sentences)
    to = _TO.get(view.stops[1].level, "提交") if len(view.stops) > 1 else "提交"
    return FilingPage(
        view=view,
        unit_id=filing.unit_id,
        period_id=filing.round.period_id,
        register=filing.round.register.name,
        register_title=schema.title,
        round_id=filing.round_id,
        note=filing.round.note,
        due_words=spaced("截止", view.due),
        single=single,
        rows=rows,
        record=_record(account, there[0].record_id, since if only == "changed" else None) if there else None,
        only_changed=single and only == "changed" and since is not None,
        marks=marks,
        blocking=judged.blocking,
        asked=asked,
        listed=judged.listed,
        count=count,
        cell=cell_chosen(filing, cell, mine) if cell and view.may_return else None,
        pending=[Pending(key, names[key], text) for key, text in mine.items() if key in names],
        pending_words=f"您{day_words(kept_at, clock.today())} 写的 {len(names)} 格批注还没发出" if names else "",
        since=since,
        replies=replies,
        older=[one for one in view.remarks if one.settled and one not in [reply.remark for reply in replies]],
        submit_to=to,
        submit_words=_submit_words(view, single, count, judged, asked, replies),
        following=_following(filing, account) if scope_of(account, Can.READ) else None,
    )


def _asked(filing: Filing, remarks: Sequence[Remark], typed: Mapping[str, str] | None) -> list[Asked]:
    """Each with what was typed just now, else with the sentence of an earlier submission about the very same change."""
    if not remarks:
        return []
    notes = filing.steps.filter(kind=FilingStep.Kind.SUBMIT).order_by("at", "pk").values_list("notes", flat=True)
    before = {
        (note["record"], note["field"], note["words"]): note["sentence"]
        for each in notes
        for note in each
        if note["sentence"]
    }
    made = []
    for one in remarks:
        said = before.get((one.record_id, one.field, one.words), "")
        made.append(Asked(one, typed.get(one.place, "") if typed is not None else said, bool(said)))
    return made


def _record(account: Account, record_id: int, since: Since | None) -> RecordPage:
    """The record's page; with `since` only the facts that changed."""
    found = record_page(account, record_id)
    if since is None:
        return found
    groups = [
        replace(group, facts=tuple(fact for fact in group.facts if f"{record_id}:{fact.field}" in since.cells))
        for group in found.groups
    ]
    return replace(found, groups=tuple(group for group in groups if group.facts))


def _submit_words(
    view: FilingView,
    single: bool,
    count: int,
    judged: Judgement,
    asked: Sequence[Asked],
    replies: Sequence[Reply],
) -> str:
    if not count:
        return "还没有填，填好才能提交。" if single else "还没有填。确实没有内容的，用零报告。"
    before = view.progress.owed
    head = "已填。" if single else f"共 {count:,} 条。"
    if not single and before and before != count:
        head = f"共 {count:,} 条，比上期{'少' if count < before else '多'} {abs(before - count):,} 条。"
    parts = []
    back, left = sum(not one.settled for one in view.remarks), sum(not one.done for one in replies)
    if back and replies and left < back:
        parts.append(f"退回的 {back} 格已改 {len(replies) - left} 格" + (f"，还有 {left} 格没动" if left else ""))
    elif back:
        parts.append(f"退回的 {back} 格改好再提交")
    if judged.blocking:
        parts.append(f"{len(judged.blocking)} 处改好才能提交")
    new = sum(not one.said_before for one in asked)
    if new:
        parts.append(f"{new} 处与上期相差较大，各写一句原因")
    elif asked:
        parts.append(f"{len(asked)} 处与上期相差较大，原因照上次填好了")
    return head + ("；".join(parts) + "。" if parts else "核对没有发现问题，可以提交。")


def _following(filing: Filing, account: Account) -> NextOne | None:
    """The next filing that waits for the reader; by unit number after this one, then from the beginning."""
    found = []
    for state, level in LEVEL_OF.items():
        scope = scope_of(account, RIGHT_OF[level])
        if not scope:
            continue
        rows = Filing.objects.filter(
            scope.rows(filing.round.register.name), round_id=filing.round_id, state=state, dropped_on__isnull=True
        )
        found += list(rows.exclude(pk=filing.pk).order_by("pk").values_list("pk", "unit_id"))
    if not found:
        return None
    found.sort()
    pk, unit_id = next((one for one in found if one[0] > filing.pk), found[0])
    name = names_at([unit_id], filing.round.reference_date).get(unit_id, "")
    return NextOne(pk, name, len(found))
