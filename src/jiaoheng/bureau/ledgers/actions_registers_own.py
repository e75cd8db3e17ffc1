"""Making and changing registers of the bureau's own: from a sheet or by hand, usable at once, with versions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.models import Account, Attachment, Unit
from jiaoheng.bureau.core.refusals import NotFoundError, RefusedError
from jiaoheng.bureau.ledgers import registry
from jiaoheng.bureau.ledgers.actions_codes import check_may_change
from jiaoheng.bureau.ledgers.models import Record, RegisterDraft, RegisterRow, RegisterVersion, Round
from jiaoheng.bureau.ledgers.pack_loading import content_hash, office_named, plan_codes, write_codes, write_version
from jiaoheng.bureau.ledgers.register_from_sheet import own_tables, read_proposal
from jiaoheng.bureau.ledgers.schema_edits import check_follows, checked, numbered
from jiaoheng.registers.loading import to_json
from jiaoheng.registers.model import Register
from jiaoheng.registers.versions import Fate, FieldChange, diff_versions


def do_propose_register(
    attachment: Attachment, *, acting_user: Account, sheet: str = "", title: str = ""
) -> RegisterDraft:
    """Read an uploaded workbook and keep the proposed register as a draft for its owner to edit.

    Raises RefusedError (`sheet-unreadable`).
    """
    check_may_change(acting_user)
    if attachment.owner_id != acting_user.pk:
        raise NotFoundError
    found = read_proposal(attachment, sheet=sheet, title=title)
    return _do_keep_proposal(
        RegisterDraft(
            owner=acting_user,
            schema=to_json(found.register),
            notes=list(found.notes),
            left_out=[list(one) for one in found.left_out],
            sheet=found.sheet[:100],
            header=found.header,
            columns=found.columns,
            rows=found.rows,
            attachment=attachment,
            changed_at=clock.now(),
        ),
        acting_user=acting_user,
    )


@audit.action
def _do_keep_proposal(draft: RegisterDraft, *, acting_user: Account) -> RegisterDraft:
    """Outside of reading: a child process must not run while a transaction holds the database."""
    draft.save()
    title = str(draft.schema["title"])
    audit.note("register.propose", actor=acting_user, about=("register_draft", draft.pk, title))
    return draft


@audit.action
def do_edit_register_draft(draft: RegisterDraft, schema: Mapping[str, Any], *, acting_user: Account) -> Register:
    """Keep an edited proposal (see `schema_edits.apply_edits`). Raises RefusedError (`schema-wrong`), keeps the old."""
    if draft.owner_id != acting_user.pk:
        raise NotFoundError
    found = checked(schema)
    draft.schema, draft.changed_at = to_json(found), clock.now()
    draft.save(update_fields=["schema", "changed_at"])
    audit.note("register.propose", actor=acting_user, about=("register_draft", draft.pk, found.title))
    return found


@audit.action
def do_make_register(
    schema: Mapping[str, Any], *, acting_user: Account, draft: RegisterDraft | None = None, office: Unit | None = None
) -> RegisterRow:
    """A new register of the bureau's own, version 1, usable at once; its choices become code tables.

    schema: in the pack's words (`to_json`, or a draft's `schema`). Raises RefusedError (`schema-wrong`, `register-taken`).
    """
    check_may_change(acting_user)
    found = own_tables(checked(schema))
    taken = RegisterRow.objects.filter(name=found.name).first()
    same = taken or RegisterRow.objects.filter(title=found.title, closed_at__isnull=True).first()
    if same is not None:
        raise RefusedError(
            "register-taken", f"已有台账“{same.title}”。请换一个名称，或在那张台账里改", places={"title": "名称已用"}
        )
    found = replace(found, version=1)
    row = RegisterRow.objects.create(
        name=found.name,
        title=found.title,
        office=office or office_named(found.department),
        made_by=acting_user,
        created_at=clock.now(),
    )
    write_codes([one for one in plan_codes(found.tables.values()) if one.row_id is None])
    write_version(row, found, found.source)
    if draft is not None:
        draft.delete()
    audit.note(
        "register.make",
        actor=acting_user,
        about=("register", row.name, row.title),
        changes=[{"field": one.name, "title": one.title, "old": None, "new": str(one.type)} for one in found.fields],
        count=len(found.fields),
        reason=found.source,
    )
    return row


@audit.action
def do_change_register(
    row: RegisterRow, schema: Mapping[str, Any], effective_from: dt.date, *, acting_user: Account
) -> list[FieldChange]:
    """A new version of a register of the bureau's own from a day on; returns what happens to each field, in words.

    A register that nobody has used yet is put right in place. Old records stay readable. Raises RefusedError
    (`schema-wrong`, `register-pack`, `register-same`).
    """
    check_may_change(acting_user)
    row = RegisterRow.objects.select_for_update().get(pk=row.pk)
    if row.made_by_id is None:
        raise RefusedError(
            "register-pack", f"“{row.title}”来自台账包。请在包的文件里写新的一版，再用 jiaoheng pack load 装入"
        )
    newest = registry.schema_versions(row)[-1]
    unused = not Record.objects.filter(register=row).exists() and not Round.objects.filter(register=row).exists()
    number = newest.version if unused else newest.version + 1
    found = own_tables(checked(dict(numbered(schema, number, effective_from)) | {"name": row.name}), row)
    changes = diff_versions(newest, found)
    if all(one.fate is Fate.KEPT for one in changes) and _rest(newest) == _rest(found):
        raise RefusedError("register-same", f"“{row.title}”没有改动")
    write_codes(
        [one for one in plan_codes(found.tables.values()) if one.row_id is None]
    )  # what is there has its own actions
    if unused:
        found = replace(found, dropped=(), version=number)
        RegisterVersion.objects.filter(register=row, number=number).update(
            schema=to_json(found), hash=content_hash(found), effective_from=effective_from, loaded_at=clock.now()
        )
    else:
        check_follows(newest, found)
        write_version(row, found, row.versions.order_by("-number").values_list("source", flat=True)[0])
    row.title = found.title
    row.save(update_fields=["title"])
    audit.note(
        "register.change",
        actor=acting_user,
        about=("register", row.name, f"{row.title} 第 {number} 版"),
        changes=[
            {"field": one.name or one.old_name, "title": one.title, "old": None, "new": one.sentence}
            for one in changes
            if one.fate is not Fate.KEPT
        ],
        count=len(changes),
    )
    return changes


def preview_change(row: RegisterRow, schema: Mapping[str, Any], effective_from: dt.date) -> list[FieldChange]:
    """What `do_change_register` would do to each field; writes nothing. Raises RefusedError as it does."""
    newest = registry.schema_versions(row)[-1]
    found = checked(dict(numbered(schema, newest.version + 1, effective_from)) | {"name": row.name})
    return diff_versions(newest, found)


@audit.action
def do_drop_register_draft(draft: RegisterDraft, *, acting_user: Account) -> None:
    """Throw a proposal away."""
    if draft.owner_id != acting_user.pk:
        raise NotFoundError
    audit.note("register.propose", actor=acting_user, about=("register_draft", draft.pk, str(draft.schema["title"])))
    draft.delete()


def _rest(one: Register) -> dict[str, Any]:
    """Everything of a schema that is no matter of its fields' fate: order, title, key, checks, help words."""
    return to_json(replace(one, version=1, effective_from=dt.date(2000, 1, 1), tables={}))
