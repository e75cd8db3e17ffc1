"""The common end of every writing of one record: version, audit note, files, draft, search; and posts answered before."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.models import Account, Attachment
from jiaoheng.bureau.core.refusals import ConflictError, RefusedError
from jiaoheng.bureau.ledgers.actions_drafts import do_drop_draft, do_save_draft
from jiaoheng.bureau.ledgers.changes import Change, Written, key_of
from jiaoheng.bureau.ledgers.checking import Place
from jiaoheng.bureau.ledgers.drafts import draft_of
from jiaoheng.bureau.ledgers.masking_rules import differences, identity_words
from jiaoheng.bureau.ledgers.models import Draft, Record
from jiaoheng.bureau.ledgers.rounds.touching import touch
from jiaoheng.bureau.ledgers.writing import Batch, holder_of_key, taken_words, write
from jiaoheng.registers.model import Data, FieldType, Register

P = ParamSpec("P")
_MOST_SENTENCES = 3  # remarks told one by one after a saving


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a saving: the record and its version now.

    `warnings`: (field, sentence) of remarks that do not block. `repeated`: the answer to a post that came again;
    `unchanged`: the record says this already, no version was made.
    """

    record_id: int
    number: int
    is_new: bool
    warnings: tuple[tuple[str, str], ...] = ()
    repeated: bool = False
    unchanged: bool = False


def warning_words(register: Register, saved: Saved) -> tuple[str, ...]:
    """The remarks as sentences with the names of their fields; more than three become one that counts and lists them."""
    told = [(register.by_name[name].title if name in register.by_name else "", words) for name, words in saved.warnings]
    if len(told) <= _MOST_SENTENCES:
        return tuple(f"{title}：{words}" if title else words for title, words in told)
    names = "、".join(dict.fromkeys(title for title, _ in told if title))
    return (f"{len(told)} 处提醒，填报页上逐处有说明：{names}",)


class Answered(Exception):  # noqa: N818 (an answer, no error: it leaves the transaction without writing)
    """There is nothing to write: this is the answer."""

    def __init__(self, saved: Saved) -> None:
        super().__init__(saved.record_id)
        self.saved = saved


def answering(function: Callable[P, Saved]) -> Callable[P, Saved]:
    """Give an `Answered` as the result; leave the typed values of a conflict as a draft, outside the undone transaction."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> Saved:
        try:
            return function(*args, **kwargs)
        except Answered as known:
            bound = signature.bind(*args, **kwargs).arguments
            _drop(bound, known.saved.record_id)
            return known.saved
        except ConflictError as error:
            bound = signature.bind(*args, **kwargs).arguments
            _keep(bound, error)
            raise

    return run


def _keep(bound: dict[str, Any], error: ConflictError) -> None:
    account, record_id = bound.get("acting_user"), error.detail.get("record_id")
    if account is None:
        return
    record = Record.objects.select_related("unit", "period").filter(pk=record_id).first()
    base = bound.get("base") or error.detail.get("number")
    do_save_draft(
        bound["register"],
        record.unit if record is not None else bound["unit"],
        record.period if record is not None else bound["period"],
        bound["values"],
        record=record,
        base=base,
        note="与他人的改动冲突，没有存入" if error.code != "resend-other-content" else "同一次提交的另一份内容",
        acting_user=account,
    )


def _drop(bound: dict[str, Any], record_id: int) -> None:
    """The draft of a form whose content is stored already is no longer offered."""
    rows = Draft.objects.filter(account=bound.get("acting_user"), register=bound["register"])
    if bound.get("record_id") in (None, ""):
        rows = rows.filter(unit=bound["unit"], period=bound["period"], record__isnull=True)
    else:
        rows = rows.filter(record_id=record_id)
    for draft in rows:
        do_drop_draft(draft.pk, acting_user=bound["acting_user"])


def finish(
    place: Place,
    change: Change,
    old: Data,
    new: Data,
    *,
    source: str,
    reason: str,
    account: Account | None,
    action: str = "",
) -> Written:
    """Write one change, note it with old and new values as shown, tie its files to it, let its draft go."""
    if change.data is not None:
        key = key_of(place.schema, new)
        other = holder_of_key(place.row, place.unit.pk, place.period, key)
        if other is not None and other.pk != change.record_id:
            told = taken_words(place.schema, key, other)
            raise RefusedError("key-taken", told, places=dict.fromkeys(place.schema.key[:1], told))
    batch = Batch(place.row, place.schema, place.period, account, source, reason)
    written = write(batch, [change], day=place.day)[0]
    name = identity_words(place.schema, new, place.day)
    audit.note(
        action or ("record.create" if written.is_new else "record.change"),
        actor=account,
        about=("record", written.record_id, f"{place.row.title} {name}".strip()),
        unit_id=place.unit.pk,
        changes=differences(place.schema, old, new, place.day),
        reason=reason,
    )
    touch(place.row, place.unit, place.period, clock.now())
    _tie_files(place, written.record_id, new)
    if account is not None:
        draft = draft_of(account, place.row, place.unit, place.period, place.record)
        if draft is not None:
            draft.delete()
    return written


def _tie_files(place: Place, record_id: int, data: Data) -> None:
    ids: list[str] = []
    for one in place.schema.fields:
        value = data.get(one.name)
        if one.type is FieldType.FILE and isinstance(value, list):
            ids.extend(value)
    if ids:
        loose = Attachment.objects.filter(pk__in=ids, object_id="")
        loose.update(object_type="record", object_id=str(record_id), unit=place.unit, expires_at=None)
