"""The history of a record in sentences, with the names of their day (P22): who, when, what from what to what, why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.ledgers.access import access_record
from jiaoheng.bureau.ledgers.changes import carried
from jiaoheng.bureau.ledgers.locks import filing_of
from jiaoheng.bureau.ledgers.masking_rules import ABSENT, shown
from jiaoheng.bureau.ledgers.models import FilingStep, ImportBatch, Record, RecordVersion
from jiaoheng.bureau.ledgers.registry import schema_versions
from jiaoheng.registers.model import Data, Register

DOORS = {"page": "网页", "file": "Excel", "api": "接口", "worker": "Excel", "command": "系统"}
LEVELS = {"school": "学校", "district": "学区", "county": "局"}


@dataclass(frozen=True, slots=True)
class Changed:
    """One field of one version: as it was called and shown that day. A value that is absent is —."""

    field: str
    title: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline.

    `kind`: create, change, restore, undelete, delete, or a filing's step (submit, recall, approve, return, withdraw).
    `number`: version, None for a step. `sentence` says everything; the other fields are for a page that sets it out.
    """

    kind: str
    at: dt.datetime
    who: str
    door: str
    sentence: str
    changes: tuple[Changed, ...] = ()
    reason: str = ""
    number: int | None = None
    restored_from: int | None = None


def history_of(account: Account, record_id: object) -> list[Moment]:
    """The life of a record, newest first, with the steps of its filing; deleted records have theirs too.

    Raises NotFoundError where the record may not be read.
    """
    record, _newest = access_record(account, record_id)
    moments = [*versions_told(record), *_steps(record)]
    return sorted(moments, key=lambda one: (one.at, one.number or 0), reverse=True)


def versions_told(record: Record) -> list[Moment]:
    """Every version of a record as a moment, oldest first."""
    schemas = {one.version: one for one in schema_versions(record.register)}
    versions = list(RecordVersion.objects.filter(record=record).order_by("number"))
    files = _files(versions)
    found: list[Moment] = []
    before: RecordVersion | None = None
    for version in versions:
        found.append(_told(version, before, schemas[version.schema_version], files))
        before = version
    return found


def _files(versions: Sequence[RecordVersion]) -> Mapping[int, str]:
    ids = {one.batch_id for one in versions if one.batch_id is not None}
    if not ids:
        return {}
    return dict(ImportBatch.objects.filter(pk__in=ids).values_list("pk", "attachment__name"))


def _told(version: RecordVersion, before: RecordVersion | None, schema: Register, files: Mapping[int, str]) -> Moment:
    kind = _kind(version, before)
    day = clock.local(version.valid_from).date()
    old = carried(schema, before.data) if before is not None and kind != "undelete" else {}
    changes = () if kind == "delete" else tuple(changes_between(schema, old, version.data, day))
    door = _door(version, files)
    sentence = f"{version.author_name} {clock.local(version.valid_from):%Y-%m-%d %H:%M} "
    sentence += (f"通过{door}" if door else "") + _what(kind, version, changes)
    if version.reason:
        sentence += f"，原因：{version.reason}"
    return Moment(
        kind,
        version.valid_from,
        version.author_name,
        door,
        sentence,
        changes,
        version.reason,
        version.number,
        version.restored_from,
    )


def _kind(version: RecordVersion, before: RecordVersion | None) -> str:
    if version.deleted:
        return "delete"
    if before is None:
        return "create"
    if before.deleted:
        return "undelete"
    return "restore" if version.restored_from is not None else "change"


def changes_between(schema: Register, old: Data, new: Data, day: dt.date) -> list[Changed]:
    """The fields that differ, under their titles of a schema and with the labels of a day; protected ones masked."""
    found = []
    for one in schema.fields:
        was, now = old.get(one.name), new.get(one.name)
        if was == now:
            continue
        texts = [ABSENT if value is None else shown(schema, one, value, day) for value in (was, now)]
        found.append(Changed(one.name, one.title, texts[0], texts[1]))
    return found


def _what(kind: str, version: RecordVersion, changes: Sequence[Changed]) -> str:
    if kind == "create":
        return f"新建了这条记录，共 {len(changes)} 项"
    if kind == "delete":
        return "删除了这条记录"
    if kind == "undelete":
        return "恢复了这条删除的记录"
    said = "；".join(_change_words(one) for one in changes) or "存了一版，内容没有变化"
    return f"{said}（还原自第 {version.restored_from} 版）" if kind == "restore" else said


def _change_words(one: Changed) -> str:
    if one.new == ABSENT:
        return f"清空了{one.title}（原为 {one.old}）"
    if one.old == ABSENT:
        return f"填写了{one.title}：{one.new}"
    if one.old == one.new:  # two numbers with one mask
        return f"改了{one.title}（号码已遮盖）"
    return f"把{one.title}由 {one.old} 改为 {one.new}"


def _door(version: RecordVersion, files: Mapping[int, str]) -> str:
    """By which way it came; the page is the usual one and not told."""
    if version.batch_id in files:
        return f"Excel 文件“{files[version.batch_id]}”"
    if version.source == "file":
        return "Excel"
    if version.source == "api" or version.door == "api":
        return DOORS["api"]
    if version.source == "merge":
        return "单位合并"
    if version.source == "undo":
        return "撤销导入"
    return "" if version.door == "page" or version.source in ("form", "restore") else DOORS.get(version.door, "")


def _steps(record: Record) -> list[Moment]:
    """The steps of the filing that the record belongs to, since the record is there."""
    filing = filing_of(record.register, record.unit, record.period)
    if filing is None:
        return []
    first = RecordVersion.objects.filter(record=record).order_by("number").values_list("valid_from", flat=True).first()
    found = []
    for step in FilingStep.objects.filter(filing=filing).order_by("at", "pk"):
        if first is not None and step.at < first:
            continue
        label = FilingStep.Kind(step.kind).label
        level = f"（{LEVELS[step.level]}）" if step.kind == "approve" and step.level in LEVELS else ""
        sentence = f"{step.by_name} {clock.local(step.at):%Y-%m-%d %H:%M} {label}了这份台账{level}"
        sentence += f"，原因：{step.reason}" if step.reason else ""
        if step.withdrawn_at is not None:
            sentence += f"（{clock.local(step.withdrawn_at):%Y-%m-%d %H:%M} 撤回）"
        found.append(Moment(step.kind, step.at, step.by_name, "", sentence, reason=step.reason))
    return found
