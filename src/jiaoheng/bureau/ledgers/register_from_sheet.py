"""From an Excel sheet with heads to a register: the file read in a child process, a proposal, what a page shows of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.files import full_path
from jiaoheng.bureau.core.models import Account, Attachment
from jiaoheng.bureau.core.refusals import NotFoundError, RefusedError
from jiaoheng.bureau.core.sealed_files import plain_file
from jiaoheng.bureau.ledgers.code_usage import fields_of_table
from jiaoheng.bureau.ledgers.models import CodeRow, RegisterDraft, RegisterRow
from jiaoheng.registers.loading import from_json
from jiaoheng.registers.model import Field, Register
from jiaoheng.registers.proposing import Proposal, ProposalError, propose
from jiaoheng.registers.versions import TYPE_WORDS
from jiaoheng.sheets.limits import Limits
from jiaoheng.sheets.reading import read_file


@dataclass(frozen=True, slots=True)
class ProposedField:
    """One row of the page: what was proposed for a column of the sheet."""

    name: str
    title: str
    type: str
    type_words: str
    column: int  # of the sheet, from 1; 0 for a field that was added by hand
    choices: tuple[str, ...]
    field: Field


@dataclass(frozen=True, slots=True)
class ProposedRegister:
    """What the page of a draft shows."""

    id: int
    register: Register
    fields: tuple[ProposedField, ...]
    notes: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    sheet: str
    rows: int
    file_name: str


def read_proposal(attachment: Attachment, *, sheet: str = "", title: str = "") -> Proposal:
    """Read an uploaded workbook and propose a register. Raises RefusedError (`sheet-unreadable`) in words."""
    with plain_file(full_path(attachment.path)) as path:
        source = read_file(path, label=attachment.name, limits=Limits.from_environment())
    if not source.sheets:
        said = "".join(f"{one.message}{one.remedy}" for one in source.problems) or "文件里没有工作表。请核对后再传"
        raise RefusedError("sheet-unreadable", said)
    taken = set(RegisterRow.objects.values_list("name", flat=True))
    try:
        return propose(source, today=clock.today(), sheet=sheet, names=taken, title=title)
    except ProposalError as error:
        raise RefusedError("sheet-unreadable", str(error)) from error


def access_register_draft(account: Account, draft_id: object) -> RegisterDraft:
    """A draft of one's own."""
    text = str(draft_id)
    found = RegisterDraft.objects.filter(pk=int(text), owner=account).first() if text.isdigit() else None
    if found is None:
        raise NotFoundError
    return found


def proposed(draft: RegisterDraft) -> ProposedRegister:
    """What a draft holds, in words. Raises SchemaError where it was made by an older version of the program."""
    register = from_json(draft.schema)
    fields = []
    for one in register.fields:
        table = register.codes_of(one)
        choices = tuple(dict.fromkeys(item.label for item in table.items)) if table is not None else ()
        words = TYPE_WORDS[one.type] if not choices else "从列表选"
        fields.append(
            ProposedField(one.name, one.title, str(one.type), words, draft.columns.get(one.name, 0), choices, one)
        )
    return ProposedRegister(
        draft.pk,
        register,
        tuple(fields),
        tuple(draft.notes),
        tuple((head, why) for head, why in draft.left_out),
        draft.sheet,
        draft.rows,
        draft.attachment.name if draft.attachment is not None else "",
    )


def own_tables(register: Register, row: RegisterRow | None = None) -> Register:
    """The register with its tables renamed where the database has that name with other choices.

    A sheet's choices are proposed under the column's name, and two sheets may both have a column 类别. `row`: of a
    register that is changed; a table that it alone uses may grow.
    """
    renamed: dict[str, str] = {}
    for name, table in register.tables.items():
        stored = list(CodeRow.objects.filter(table=name).values_list("code", "label"))
        if not stored or set(stored) >= {(item.code, item.label) for item in table.items}:
            continue
        if row is not None and {one.pk for one, _field in fields_of_table(name)} == {row.pk}:
            continue
        count, free = 1, f"{register.name}_{name}"[:38]
        while CodeRow.objects.filter(table=free).exists() or free in renamed.values():
            count += 1
            free = f"{register.name}_{name}"[:36] + f"_{count}"
        renamed[name] = free
    if not renamed:
        return register
    fields = tuple(replace(one, codes=renamed.get(one.codes, one.codes)) for one in register.fields)
    tables = {
        renamed.get(name, name): replace(table, name=renamed.get(name, name)) for name, table in register.tables.items()
    }
    return replace(register, fields=fields, tables=tables)
