"""汇总表: all filings of a round in one workbook: every unit's rows in unit order, and who has reported."""

from __future__ import annotations

import datetime as dt
import secrets
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Attachment, UnitFacts
from jiaoheng.bureau.core.refusals import ForbiddenError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import facts_at
from jiaoheng.bureau.ledgers.exports import KEPT, export_rows
from jiaoheng.bureau.ledgers.imports.files import RESULTS, below, keep, safe_name
from jiaoheng.bureau.ledgers.models import Filing, FilingStep, RecordVersion, Round
from jiaoheng.bureau.ledgers.registry import schema_of, schema_versions
from jiaoheng.bureau.ledgers.rounds.approved import Basis, pending_of, rows_on
from jiaoheng.bureau.ledgers.rounds.deadlines import FILED, is_late, timing_of
from jiaoheng.bureau.ledgers.rounds.owing import Holder, holders, is_free
from jiaoheng.documents.safe_text import one_line
from jiaoheng.registers.export import TooManyRowsError, write_xlsx
from jiaoheng.registers.export_rows import ExportNote

STATUS_SHEET = "报送情况"
HEADS = ("单位代码", "单位", "学区", "状态", "收到时间", "收到", "行数", "学区审核", "局审定", "说明")
WIDTHS = (14, 26, 18, 12, 17, 10, 8, 17, 17, 30)


@audit.action
def do_merge(round_: Round, *, acting_user: Account, basis: Basis = Basis.PROVISIONAL) -> Attachment:
    """Write the merged workbook of what one may read of a round; the file belongs to the person alone.

    Sheets: 说明 (which figures, as of when, how many rows, what is not approved), the register's rows, 报送情况.
    Protected columns are masked. Raises ForbiddenError, RefusedError (`merge-empty`, `export-too-large`).
    """
    scope = scope_of(acting_user, Can.READ)
    within = scope.rows(round_.register.name)
    home = acting_user.home
    if not any(scope_of(acting_user, can) for can in (Can.ROUNDS, Can.APPROVE_DISTRICT, Can.AUDIT)) or home is None:
        raise ForbiddenError("汇总表由发起股室或学区下载，您可以在台账列表里下载本单位的数据")
    filings = list(Filing.objects.filter(within, round=round_).select_related("unit").order_by("pk"))
    if not filings:
        raise RefusedError("merge-empty", "这一轮没有您可以查看的单位")
    where = holders(filings, clock.today())
    facts = facts_at([key for one in filings for key in (one.unit_id, one.district_id)], round_.reference_date)
    filings.sort(key=lambda one: _order(one, facts))
    place = {one.unit_id: number for number, one in enumerate(filings)}
    rows = [one for one in rows_on(round_, basis).order_by("record_id") if one.unit_id in place]
    rows.sort(key=lambda one: (place[one.unit_id], one.record_id))
    status = _status(round_, filings, where, facts, rows)
    name = f"{safe_name(round_.title)}_汇总_{basis.short}_{clock.local(clock.now()):%Y%m%d_%H%M}.xlsx"
    note = _note(round_, filings, where, basis, acting_user)
    kept = _written(round_, rows, status, note, name, acting_user)
    audit.note(
        "round.merge",
        actor=acting_user,
        about=("round", round_.pk, round_.title),
        unit_id=home.pk,
        count=len(rows),
        reason=basis.words,
        digest=kept.sha256,
    )
    return kept


def _written(
    round_: Round,
    rows: Sequence[RecordVersion],
    status: Sequence[Sequence[Any]],
    note: ExportNote,
    name: str,
    account: Account,
) -> Attachment:
    schema = schema_of(round_.register, round_.reference_date)
    path = below(RESULTS, f"{secrets.token_hex(16)}.xlsx")
    try:
        write_xlsx(
            schema,
            path,
            export_rows(rows, round_.reference_date),
            note,
            at=round_.reference_date,
            versions=schema_versions(round_.register),
            masked=[one.name for one in schema.fields if one.sensitive],
            period=round_.period.code if round_.period is not None else "",
            more=lambda book: _status_sheet(book, status),
        )
    except TooManyRowsError as error:
        path.unlink(missing_ok=True)
        raise RefusedError("export-too-large", str(error)) from error
    kept: Attachment = keep(path, name, "result", unit=account.home, owner=account)
    kept.expires_at = clock.now() + KEPT
    kept.save(update_fields=["expires_at"])
    return kept


def _order(filing: Filing, facts: dict[int, UnitFacts]) -> tuple[bool, str, str, int]:
    """District by district in their natural order, 县直 last, units by name."""
    district = facts.get(filing.district_id or 0)
    unit = facts.get(filing.unit_id)
    return district is None, district.sort_key if district else "", unit.sort_key if unit else "", filing.unit_id


def _note(
    round_: Round, filings: Sequence[Filing], where: dict[int, Holder], basis: Basis, account: Account
) -> ExportNote:
    owed = [one for one in filings if not is_free(one, where[one.pk])]
    filed = sum(one.state in FILED for one in owed)
    pending = pending_of(round_, scope_of(account, Can.READ).rows(round_.register.name)).words
    moment = clock.local(clock.now())
    who = audit.actor_words(account)
    said = [f"{round_.title}（统计时点 {round_.reference_date:%Y-%m-%d}）", basis.words]
    said += [f"应交 {len(owed)} 个单位，已交 {filed} 个", pending]
    return ExportNote(
        filter="；".join(part for part in said if part),
        as_of=f"{moment:%Y-%m-%d %H:%M}",
        made_by=who,
        made_at=f"{moment:%Y-%m-%d %H:%M}",
        watermark=f"{who} {moment:%Y-%m-%d %H:%M} 汇总",
    )


def _status(
    round_: Round,
    filings: Sequence[Filing],
    where: dict[int, Holder],
    facts: dict[int, UnitFacts],
    rows: Sequence[RecordVersion],
) -> list[tuple[Any, ...]]:
    """One line a unit, also of those that have sent nothing."""
    counts: dict[int, int] = defaultdict(int)
    for row in rows:
        counts[row.unit_id] += 1
    steps: dict[int, list[FilingStep]] = defaultdict(list)
    for step in FilingStep.objects.filter(filing__round=round_, withdrawn_at__isnull=True).order_by("at", "pk"):
        steps[step.filing_id].append(step)
    made = []
    for one in filings:
        holder = where[one.pk]
        unit, district = facts.get(one.unit_id), facts.get(one.district_id or 0)
        sent = [step.at for step in steps[one.pk] if step.kind == FilingStep.Kind.SUBMIT]
        approved = {
            step.level: step.at
            for step in steps[one.pk]
            if step.kind == FilingStep.Kind.APPROVE and step.content == one.content
        }
        free = is_free(one, holder)
        timing = (
            str(timing_of(round_, one, sent[0])) if sent else "逾期未交" if is_late(round_, one, clock.now()) else ""
        )
        made.append(
            (
                one.unit.code,
                unit.name if unit else "",
                district.name if district else "县直",
                "不在范围" if free else str(Filing.State(one.state).label),
                _said(sent[-1] if sent else None),
                "" if free else timing,
                counts[one.unit_id],
                _said(approved.get("district")),
                _said(approved.get("county")),
                holder.words or ("零报告" if one.zero_report else ""),
            )
        )
    return made


def _said(moment: dt.datetime | None) -> str:
    return f"{clock.local(moment):%Y-%m-%d %H:%M}" if moment is not None else ""


def _status_sheet(book: Any, status: Sequence[Sequence[Any]]) -> None:
    sheet = book.add_worksheet(STATUS_SHEET)
    head = book.add_format({"bold": True, "bg_color": "#EBEFF0", "border": 1, "align": "center", "valign": "vcenter"})
    body = book.add_format({"border": 1, "border_color": "#B8C1C6"})
    for column, (text, width) in enumerate(zip(HEADS, WIDTHS, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, text, head)
    for number, line in enumerate(status, 1):
        for column, value in enumerate(line):
            if isinstance(value, int):
                sheet.write_number(number, column, value, body)
            else:
                sheet.write_string(number, column, one_line(value), body)
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, max(len(status), 1), len(HEADS) - 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
