"""What stands against a submission: every record of the unit is checked at once; required values only here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.ledgers import sealing
from jiaoheng.bureau.ledgers.changes import carried
from jiaoheng.bureau.ledgers.models import Filing, RecordVersion
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.bureau.ledgers.rounds.content import previous_data, records_of
from jiaoheng.registers.masking import mask_field
from jiaoheng.registers.model import CheckLevel, Data, FieldType, Register, Value, Wrong
from jiaoheng.registers.validation import check_rows, parse_rows
from jiaoheng.registers.values import show

AGAINST_LAST_PERIOD = frozenset({"jump"})  # codes of remarks that need a sentence of the filler
MOST_TOLD = 50  # remarks that one refusal spells out; the number of all is said


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that a check says at a cell: place `record:field`, words, and whether a sentence answers it."""

    record_id: int
    field: str
    title: str  # of the field
    name: str  # of the record, as people call it; "" where the unit has only the one
    words: str  # what is wrong and what to do
    finding: str  # what is wrong, alone
    blocks: bool
    needs_sentence: bool

    @property
    def place(self) -> str:
        """Key of the cell: what forms link to and sentences are given under."""
        return f"{self.record_id}:{self.field}"

    @property
    def label(self) -> str:
        """The cell as people call it: 一（1）班 合计; 在校生数."""
        return f"{self.name} {self.title}".strip()


@dataclass(frozen=True, slots=True)
class Judgement:
    """All remarks on a filing's present records."""

    count: int
    remarks: Sequence[Remark] = field(default_factory=tuple)

    @property
    def blocking(self) -> list[Remark]:
        """What has to be put right before the filing can go."""
        return [one for one in self.remarks if one.blocks]

    @property
    def asked(self) -> list[Remark]:
        """Changes against the last period that need a sentence."""
        return [one for one in self.remarks if one.needs_sentence]

    @property
    def listed(self) -> list[Remark]:
        """What is only listed beside the submission for the approver."""
        return [one for one in self.remarks if not one.blocks and not one.needs_sentence]


def judge(filing: Filing, schema: Register | None = None) -> Judgement:
    """Check the records of a filing as they stand, by the schema of the round's reference date."""
    at = filing.round.reference_date
    schema = schema or schema_of(filing.round.register, at)
    rows = records_of(filing)
    if not rows:
        return Judgement(0)
    data = [_known(schema, row.data) for row in rows]
    columns: dict[str, list[Any]] = {
        one.name: [_cell(each.get(one.name)) for each in data]
        for one in schema.fields
        if one.type is not FieldType.FILE
    }
    checked = check_rows(
        parse_rows(schema, columns, at=at),
        units=[filing.unit.code] * len(rows),
        base=data,
        previous=previous_data(filing, schema, rows),
        today=clock.today(),
        name_row=lambda number, _: f"“{record_name(schema, rows[number])}”",
    )
    remarks = []
    for number, row in enumerate(rows):
        name = record_name(schema, row) if schema.key else ""
        remarks += [_remark(schema, row, name, wrong) for wrong in checked.wrongs.get(number, ())]
        remarks += [_lacking(schema, row, name, one) for one in checked.incomplete.get(number, ())]
    return Judgement(len(rows), tuple(remarks))


def record_name(schema: Register, row: RecordVersion) -> str:
    """What people call a record: its identity fields, masked where they are protected."""
    if not schema.key:
        return schema.title
    return data_name(schema, carried(schema, row.data)) or f"记录 {row.record_id}"


def data_name(schema: Register, data: Mapping[str, Value]) -> str:
    """The identity fields of a record's data as one text."""
    at = clock.today()
    texts = [
        mask_field(data[one.name], one) if one.sensitive else show(data[one.name], one, schema, at)
        for one in schema.identity_fields
        if one.name in data
    ]
    return " ".join(str(text) for text in texts)


def _known(schema: Register, data: Mapping[str, Value]) -> Data:
    """A record under the names of the round's schema; values of dropped fields are not judged."""
    known = {name: value for name, value in carried(schema, data).items() if name in schema.by_name}
    return sealing.opened(schema, known)


def _cell(value: Value | None) -> Any:
    return "、".join(value) if isinstance(value, list) else value


def _remark(schema: Register, row: RecordVersion, name: str, wrong: Wrong) -> Remark:
    blocks = wrong.level is CheckLevel.BLOCK
    title = schema.by_name[wrong.field].title if wrong.field in schema.by_name else ""
    words = f"{wrong.message}。{wrong.remedy}" if wrong.remedy and not wrong.message.endswith("。") else wrong.message
    asked = not blocks and wrong.code in AGAINST_LAST_PERIOD
    return Remark(row.record_id, wrong.field, title, name, words, wrong.message, blocks, asked)


def _lacking(schema: Register, row: RecordVersion, name: str, lacking: str) -> Remark:
    title = schema.by_name[lacking].title
    finding = f"必填的“{title}”空着"
    return Remark(row.record_id, lacking, title, name, f"{finding}。请填写", finding, True, False)


def told_words(note: Mapping[str, str]) -> str:
    """A note of a submission for its approver: without what the filler was asked to do where he has answered."""
    return note.get("finding") or note["words"] if note["sentence"] else note["words"]
