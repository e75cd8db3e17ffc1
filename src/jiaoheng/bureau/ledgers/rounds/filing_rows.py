"""The rows of one unit in a round as a table: values as shown, what is said at each cell, sums at the foot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.ledgers.changes import carried
from jiaoheng.bureau.ledgers.masking_rules import identity_words, shown
from jiaoheng.bureau.ledgers.models import CellComment, Filing, FilingStep
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.rounds.checking import Remark, told_words
from jiaoheng.bureau.ledgers.rounds.content import records_of
from jiaoheng.bureau.ledgers.rounds.since_return import Since
from jiaoheng.methods.sort_keys import text_key
from jiaoheng.registers.model import Data, Field, FieldType, Register, Sensitive
from jiaoheng.registers.values import exact_number

ROWS = 100  # rows of one page
NUMBERS = (FieldType.INTEGER, FieldType.NUMBER)


@dataclass(frozen=True, slots=True)
class Mark:
    """Something said at a cell. kind: back (退回的原因), wrong (必须改), asked (要写原因), told (说明), mine (还没发出的批注)."""

    kind: str
    words: str


Marks = Mapping[str, Sequence[Mark]]  # key of a cell, `record:field` → what is said there


@dataclass(frozen=True, slots=True)
class RowCell:
    """One value. `key` is the cell's address."""

    key: str
    field: str
    text: str
    missing: bool
    numeric: bool
    masked: bool
    marks: Sequence[Mark]
    old: str  # what stood there when it was returned, where that was something else; "" where nothing changed


@dataclass(frozen=True, slots=True)
class RowLine:
    """One record."""

    record_id: int
    name: str
    cells: Sequence[RowCell]
    marks: Sequence[Mark]  # at the record as a whole
    added: bool  # since the return


@dataclass(frozen=True, slots=True)
class RowColumn:
    """One column with its sum. `sum` is "" where nothing can be summed; `filled` says how many of the rows have a value."""

    name: str
    title: str
    unit: str
    numeric: bool
    sum: str
    filled: str


@dataclass(frozen=True, slots=True)
class RowsPage:
    """One page of the table. `marked`: rows at which something is said; `changed`: rows changed since the return."""

    columns: Sequence[RowColumn]
    rows: Sequence[RowLine]
    total: int
    marked: int
    changed: int
    only: str  # marked, changed, or "" for all of them
    page: int
    pages: int
    has_sums: bool


def rows_page(
    filing: Filing, schema: Register, marks: Marks, since: Since | None, *, page: int = 1, only: str = ""
) -> RowsPage:
    """The records of a filing as they stand, in the order of their names, a page at a time. Sums are of all of them.

    only: marked (something is said there), changed (since the last return), or "" for all.
    """
    day = clock.today()
    records = [(one.record_id, carried(schema, one.data)) for one in records_of(filing)]
    named = [
        (pk, identity_words(schema, data, day) or f"第 {number} 条", data)
        for number, (pk, data) in enumerate(records, 1)
    ]
    named.sort(key=lambda one: (text_key(one[1]), one[0]))
    at = {int(key.split(":")[0]) for key, said in marks.items() if said and key.split(":")[0].isdigit()}
    moved = since.records if since is not None else frozenset()
    there = {"marked": [one for one in named if one[0] in at], "changed": [one for one in named if one[0] in moved]}
    only = only if only in there else ""
    chosen = there.get(only, named)
    pages = max(1, -(-len(chosen) // ROWS))
    page = min(max(page, 1), pages)
    fields = [one for one in schema.fields if not (one.identity and one.sensitive is Sensitive.NONE)]
    columns = [_column(one, [data for _, _, data in named]) for one in fields]
    return RowsPage(
        columns=columns,
        rows=[
            _line(pk, name, data, fields, schema, marks, since)
            for pk, name, data in chosen[(page - 1) * ROWS : page * ROWS]
        ],
        total=len(named),
        marked=len(there["marked"]),
        changed=len(there["changed"]),
        only=only,
        page=page,
        pages=pages,
        has_sums=any(one.sum for one in columns),
    )


def _line(
    pk: int,
    name: str,
    data: Data,
    fields: Sequence[Field],
    schema: Register,
    marks: Marks,
    since: Since | None,
) -> RowLine:
    changed = since.cells if since is not None else {}
    named = [one for one in schema.fields if one not in fields]
    whole = [mark for one in ("", *(one.name for one in named)) for mark in marks.get(f"{pk}:{one}", ())]
    for one in named:
        if f"{pk}:{one.name}" in changed:
            old, new = changed[f"{pk}:{one.name}"]
            whole.append(Mark("changed", f"{one.title}：{old} → {new}"))
    cells = []
    for one in fields:
        key = f"{pk}:{one.name}"
        text = shown(schema, one, data.get(one.name), clock.today())
        cells.append(
            RowCell(
                key,
                one.name,
                text,
                not text,
                one.type in NUMBERS,
                bool(one.sensitive),
                tuple(marks.get(key, ())),
                changed[key][0] if key in changed else "",
            )
        )
    return RowLine(pk, name, cells, whole, since is not None and pk in since.added)


def _column(one: Field, rows: Sequence[Data]) -> RowColumn:
    values = [data[one.name] for data in rows if data.get(one.name) is not None]
    summed = one.type in NUMBERS and one.sensitive is Sensitive.NONE and not one.codes and len(rows) > 1
    total = ""
    if summed and values:
        found = sum((exact_number(value) for value in values), Decimal(0))
        total = format(found.normalize(), "f")
    filled = f"{len(values)}/{len(rows)} 条有数" if summed and len(values) < len(rows) else ""
    return RowColumn(one.name, one.title, one.unit, one.type in NUMBERS, total, filled)


def marks_of(
    filing: Filing, remarks: Iterable[Remark] | None = None, pending: Mapping[str, str] | None = None
) -> Marks:
    """Everything said at the cells of a filing.

    Open remarks of approvers; what the checks say now (`remarks`), or where they were not asked (None) what was explained
    with the submission; and remarks that the reader has written and not sent yet (`pending`).
    """
    found: dict[str, list[Mark]] = defaultdict(list)
    for comment in CellComment.objects.filter(filing=filing, settled_at__isnull=True).order_by("at", "pk"):
        if comment.record_id:
            found[f"{comment.record_id}:{comment.field}"].append(Mark("back", f"{comment.by_name}：{comment.text}"))
    for one in remarks or ():
        found[one.place].append(Mark("wrong" if one.blocks else "asked" if one.needs_sentence else "told", one.words))
    if remarks is None:
        sent = filing.steps.filter(
            kind=FilingStep.Kind.SUBMIT, content=filing.content, withdrawn_at__isnull=True
        ).last()
        for note in sent.notes if sent is not None else ():
            said = f"　填报说明：{note['sentence']}" if note["sentence"] else ""
            words = told_words(note) + said
            found[f"{note['record']}:{note['field']}"].append(Mark("told", words))
    for key, text in (pending or {}).items():
        found[key].append(Mark("mine", text))
    return found


@dataclass(frozen=True, slots=True)
class CellChosen:
    """The cell that an approver is about to remark: its address, name and value."""

    key: str
    place: str
    text: str
    typed: str


def cell_chosen(filing: Filing, key: str, pending: Mapping[str, str]) -> CellChosen | None:
    """A cell by its address `record:field`; None where it does not lie in this filing."""
    number, _, field = key.partition(":")
    schema = schema_of(filing.round.register, filing.round.reference_date)
    one = schema.by_name.get(field)
    row = next((each for each in records_of(filing) if str(each.record_id) == number), None)
    if one is None or row is None:
        return None
    data, day = carried(schema, row.data), clock.today()
    name = identity_words(schema, data, day) if schema.key else ""
    place = " ".join(part for part in (name, one.title) if part)
    return CellChosen(key, place, shown(schema, one, data.get(field), day), pending.get(key, ""))


def places_of(filing: Filing, keys: Iterable[str]) -> dict[str, str]:
    """Cell address → its name in words, for those of them that lie in the filing."""
    schema = schema_of(filing.round.register, filing.round.reference_date)
    rows = {str(one.record_id): carried(schema, one.data) for one in records_of(filing)}
    found = {}
    for key in keys:
        number, _, field = key.partition(":")
        if number in rows and field in schema.by_name:
            name = identity_words(schema, rows[number], clock.today()) if schema.key else ""
            found[key] = " ".join(part for part in (name, schema.by_name[field].title) if part)
    return found
