"""What changed in a filing since the content that was returned last, cell by cell, and which remarks that answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.ledgers.changes import carried
from jiaoheng.bureau.ledgers.masking_rules import differences, identity_words
from jiaoheng.bureau.ledgers.models import Filing, FilingStep
from jiaoheng.bureau.ledgers.rounds.content import records_of
from jiaoheng.bureau.ledgers.rounds.filing_view import Remarked
from jiaoheng.registers.model import Register

EMPTY = "空"


@dataclass(frozen=True, slots=True)
class Since:
    """The changes since a return. `content`: the one that was returned; texts as shown, protected ones masked."""

    content: int
    cells: Mapping[str, tuple[str, str]]  # `record:field` → what stood there, what stands there now
    added: frozenset[int]
    gone: Mapping[int, str]  # record → its name

    @property
    def records(self) -> frozenset[int]:
        """The records that are new or have a changed cell."""
        return self.added | {int(key.partition(":")[0]) for key in self.cells}

    @property
    def words(self) -> str:
        """退回后改了 3 格，新增 1 条，删去 1 条: 班级; 退回后没有改动."""
        parts = [f"改了 {len(self.cells)} 格"] if self.cells else []
        parts += [f"新增 {len(self.added)} 条"] if self.added else []
        parts += [f"删去 {len(self.gone)} 条（{'、'.join(list(self.gone.values())[:10])}）"] if self.gone else []
        return f"退回后{'，'.join(parts)}" if parts else "退回后没有改动"


@dataclass(frozen=True, slots=True)
class Reply:
    """A remark of the last return and what the unit did about it."""

    remark: Remarked
    words: str  # 已改为 41, 没有改动, 这一条已删去
    done: bool


def since_return(filing: Filing, schema: Register) -> Since | None:
    """The changes since the content that was returned last; None where none was. Four queries."""
    back = filing.steps.filter(kind=FilingStep.Kind.RETURN).order_by("-at", "-pk").first()
    if back is None:
        return None
    sent = filing.steps.filter(kind=FilingStep.Kind.SUBMIT, content=back.content, withdrawn_at__isnull=True).last()
    if sent is None or sent.as_of is None:
        return None
    day = clock.today()
    old = {one.record_id: carried(schema, one.data) for one in records_of(filing, sent.as_of)}
    new = {one.record_id: carried(schema, one.data) for one in records_of(filing)}
    cells = {
        f"{record}:{told['field']}": (told["old"] or EMPTY, told["new"] or EMPTY)
        for record, data in new.items()
        if record in old
        for told in differences(schema, old[record], data, day)
    }
    gone = {record: identity_words(schema, old[record], day) or schema.title for record in old if record not in new}
    return Since(back.content, cells, frozenset(new.keys() - old.keys()), gone)


def replies_of(since: Since | None, remarks: Iterable[Remarked]) -> Sequence[Reply]:
    """What became of the remarks of the last return: the unanswered ones first."""
    if since is None:
        return []
    made = [_reply(since, one) for one in remarks if one.content == since.content and one.record_id is not None]
    return sorted(made, key=lambda one: one.done)


def _reply(since: Since, one: Remarked) -> Reply:
    assert one.record_id is not None  # noqa: S101 (the caller leaves out remarks about the whole)
    if one.record_id in since.gone:
        return Reply(one, "这一条已删去", True)
    change = since.cells.get(f"{one.record_id}:{one.field}")
    if change is not None:
        return Reply(one, f"已改为 {change[1]}", True)
    if not one.field and one.record_id in since.records:
        return Reply(one, "这一条已改", True)
    return Reply(one, "没有改动", False)
