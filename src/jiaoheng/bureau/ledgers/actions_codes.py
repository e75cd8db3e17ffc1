"""Changing code tables. A choice is never overwritten: it ends on a day, or its next label begins on one.

Records keep their code; what is shown is the label of the day that is looked at (P19).
"""

from __future__ import annotations

import datetime as dt

from django.db.models import F

from jiaoheng.bureau.core import audit
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.refusals import ForbiddenError, NotFoundError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.ledgers.code_usage import uses_of, was_used
from jiaoheng.bureau.ledgers.models import CodeRow
from jiaoheng.bureau.ledgers.pack_loading import next_change

_MOST_CODE, _MOST_LABEL = 40, 100


@audit.action
def do_add_code(
    table: str, code: str, label: str, *, acting_user: Account | None, starts_on: dt.date | None = None
) -> CodeRow:
    """Add a choice at the end of a table, from a day on (None: always). Raises RefusedError (`code-taken`, `code-words`)."""
    check_may_change(acting_user)
    rows = _rows(table)
    code, label = code.strip(), label.strip()
    _check_words(code, label)
    taken = next((row for row in rows if row.code == code), None)
    if taken is not None:
        raise RefusedError("code-taken", f"代码 {code} 已是“{taken.label}”。请换一个代码，改名称请用“改名”")
    same = next((row for row in rows if row.label == label and row.ends_on is None), None)
    if same is not None:
        raise RefusedError("code-taken", f"“{label}”已有代码 {same.code}。请换一个名称，填报人分不清两个相同的选项")
    order = max(row.order for row in rows) + 1
    made = CodeRow.objects.create(
        table=table,
        table_title=rows[0].table_title,
        code=code,
        label=label,
        order=order,
        starts_on=starts_on,
        changed_at=next_change(),
    )
    _note("codes.add", made, acting_user, None, label + _from(starts_on))
    return made


@audit.action
def do_end_code(table: str, code: str, on: dt.date | None, *, acting_user: Account | None) -> CodeRow:
    """Let a choice hold no longer from a day on; None takes an end back.

    Records that hold it keep it. Raises RefusedError (`code-dates`).
    """
    check_may_change(acting_user)
    row = _newest(table, code)
    if on is not None and row.starts_on is not None and on <= row.starts_on:
        raise RefusedError(
            "code-dates", f"“{row.label}”{row.starts_on:%Y-%m-%d} 起用，停用日 {on:%Y-%m-%d} 应晚于它。请改停用日"
        )
    before = row.ends_on
    row.ends_on, row.changed_at = on, next_change()
    row.save(update_fields=["ends_on", "changed_at"])
    _note("codes.end", row, acting_user, row.label + _ended(before), row.label + _ended(on))
    return row


@audit.action
def do_rename_code(table: str, code: str, label: str, on: dt.date, *, acting_user: Account | None) -> CodeRow:
    """Give a choice another label from a day on: the old row ends there, the next begins.

    On the very day that the present label began it is corrected in place. Raises RefusedError (`code-dates`,
    `code-taken`, `code-words`).
    """
    check_may_change(acting_user)
    row, label = _newest(table, code), label.strip()
    _check_words(code, label)
    if row.label == label:
        raise RefusedError("code-taken", f"代码 {code} 现在就叫“{label}”，没有改动")
    same = next((one for one in _rows(table) if one.label == label and one.code != code and one.ends_on is None), None)
    if same is not None:
        raise RefusedError("code-taken", f"“{label}”已是代码 {same.code} 的名称。请换一个名称")
    if row.ends_on is not None and row.ends_on <= on:
        raise RefusedError("code-dates", f"“{row.label}”{row.ends_on:%Y-%m-%d} 已停用。请先恢复，再改名")
    if row.starts_on is not None and on < row.starts_on:
        raise RefusedError(
            "code-dates", f"“{row.label}”{row.starts_on:%Y-%m-%d} 才起用，改名日 {on:%Y-%m-%d} 不应早于它。请改日期"
        )
    before, at = row.label, next_change()
    if row.starts_on == on:
        row.label, row.changed_at = label, at
        row.save(update_fields=["label", "changed_at"])
        made = row
    else:
        made = CodeRow(
            table=table,
            table_title=row.table_title,
            code=code,
            label=label,
            order=row.order,
            starts_on=on,
            ends_on=row.ends_on,
            changed_at=at,
        )
        row.ends_on, row.changed_at = on, at
        row.save(update_fields=["ends_on", "changed_at"])
        made.save()
    _note("codes.rename", made, acting_user, before, label + _from(on))
    return made


@audit.action
def do_delete_code(table: str, code: str, *, acting_user: Account | None) -> None:
    """Remove a choice that no record ever held. Raises RefusedError (`code-used`) that counts the records."""
    check_may_change(acting_user)
    row = _newest(table, code)
    uses = [one for one in uses_of(table, code) if one.records]
    if uses:
        count = sum(one.records for one in uses)
        where = "、".join(f"{one.title} {one.field_title} {one.records} 条" for one in uses)
        raise RefusedError("code-used", f"“{row.label}”有 {count} 条在用，可停用（{where}）")
    if was_used(table, code):
        raise RefusedError("code-used", f"“{row.label}”在历史中用过，删去后旧记录读不出名称，可停用")
    if len({one.code for one in _rows(table)}) == 1:
        raise RefusedError("code-used", f"“{row.label}”是“{row.table_title}”的最后一项，不能删去。请先增加别的选项")
    _note("codes.delete", row, acting_user, row.label, None)
    CodeRow.objects.filter(table=table, code=code).delete()
    newest = CodeRow.objects.filter(table=table).order_by("-pk").first()
    if newest is not None:  # caches go by the newest change: a deletion is one too
        CodeRow.objects.filter(pk=newest.pk).update(changed_at=next_change())


def check_may_change(account: Account | None) -> None:
    """Raises ForbiddenError unless the account may make and change registers somewhere; None is the system."""
    if account is not None and not scope_of(account, Can.REGISTERS):
        raise ForbiddenError("您可以查看台账和代码，但没有修改的权限，请联系股室或管理员")


def _rows(table: str) -> list[CodeRow]:
    rows = list(
        CodeRow.objects.select_for_update()
        .filter(table=table)
        .order_by("order", F("starts_on").asc(nulls_first=True), "pk")
    )
    if not rows:
        raise NotFoundError
    return rows


def _newest(table: str, code: str) -> CodeRow:
    rows = [row for row in _rows(table) if row.code == code]
    if not rows:
        raise NotFoundError
    return max(rows, key=lambda row: (row.starts_on or dt.date.min, row.pk))


def _check_words(code: str, label: str) -> None:
    if not code or len(code) > _MOST_CODE or any(sign.isspace() for sign in code):
        raise RefusedError(
            "code-words",
            f"代码应为 1 至 {_MOST_CODE} 个字，不含空格。请改正",
            places={"code": "1 至 40 个字，不含空格"},
        )
    if not label or len(label) > _MOST_LABEL:
        raise RefusedError("code-words", f"名称应为 1 至 {_MOST_LABEL} 个字。请改正", places={"label": "1 至 100 个字"})


def _from(day: dt.date | None) -> str:
    return f"（{day:%Y-%m-%d} 起）" if day else ""


def _ended(day: dt.date | None) -> str:
    return f"（{day:%Y-%m-%d} 停用）" if day else ""


def _note(action: str, row: CodeRow, actor: Account | None, old: str | None, new: str | None) -> None:
    audit.note(
        action,
        actor=actor,
        about=("codes", row.table, f"{row.table_title} {row.code}"),
        changes=[{"field": row.code, "title": f"{row.table_title} {row.code}", "old": old, "new": new}],
    )
