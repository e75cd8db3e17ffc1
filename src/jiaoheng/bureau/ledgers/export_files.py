"""The photos and documents of a register's records as one archive, of the reader's own units only."""

from __future__ import annotations

import secrets
import uuid
import zipfile
from typing import Any

from jiaoheng.bureau.core import audit, clock
from jiaoheng.bureau.core.capabilities import Can
from jiaoheng.bureau.core.models import Account, Attachment, Period
from jiaoheng.bureau.core.refusals import ForbiddenError, RefusedError
from jiaoheng.bureau.core.scope import scope_of
from jiaoheng.bureau.core.tree import names_at
from jiaoheng.bureau.ledgers import bulk
from jiaoheng.bureau.ledgers.exports import KEPT
from jiaoheng.bureau.ledgers.imports.files import RESULTS, below, keep, path_of, safe_name
from jiaoheng.bureau.ledgers.masking_rules import identity_words
from jiaoheng.bureau.ledgers.models import RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.models.records import CURRENT
from jiaoheng.bureau.ledgers.registry import schema_of
from jiaoheng.registers.model import FieldType
from jiaoheng.sheets.limits import MB

MOST_BYTES = 2_000 * MB


@audit.action
def do_export_files(register: RegisterRow, period: Period | None, *, acting_user: Account) -> Attachment:
    """An archive 单位/记录/文件 of the files that hang on the present records of a register and period.

    RefusedError `no-files` where there are none, `files-too-large` with both sizes.
    """
    schema = schema_of(register)
    names = [one.name for one in schema.fields if one.type is FieldType.FILE]
    readable = scope_of(acting_user, Can.READ).rows(register.name)
    rows = RecordVersion.objects.filter(CURRENT, readable, register=register, period=period).order_by("unit_id", "pk")
    wanted: dict[str, Any] = {}
    for row in rows.iterator():
        for name in names:
            for one in row.data.get(name, ()):
                wanted.setdefault(one, row)
    files = _attachments(wanted)
    if not files:
        raise RefusedError("no-files", "这些记录里没有附件")
    size = sum(one.size for one in files)
    if size > MOST_BYTES:
        told = f"附件共 {size / MB:,.0f} MB，一次最多 {MOST_BYTES // MB:,} MB，请分单位下载"
        raise RefusedError("files-too-large", told)
    home = acting_user.home
    if home is None:
        raise ForbiddenError("您的账号没有所在单位，请联系管理员")
    day = clock.today()
    units = names_at({row.unit_id for row in wanted.values()}, day)
    path = below(RESULTS, f"{secrets.token_hex(16)}.zip")
    taken: set[str] = set()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for one in files:
            row = wanted[str(one.pk)]
            title = identity_words(schema, row.data, day) or f"记录 {row.record_id}"
            folder = f"{safe_name(units.get(row.unit_id, ''))}/{safe_name(title)}"
            archive.write(path_of(one), _free(f"{folder}/{safe_name(one.name)}", taken))
    kept = keep(path, f"{schema.title}_附件_{day:%Y%m%d}.zip", "result", unit=home, owner=acting_user)
    kept.expires_at = clock.now() + KEPT
    kept.save(update_fields=["expires_at"])
    audit.note(
        "export.files",
        actor=acting_user,
        about=("register", register.pk, schema.title),
        unit_id=home.pk,
        count=len(files),
        reason=f"附件 {len(files)} 个，单位 {len({wanted[str(one.pk)].unit_id for one in files})} 个",
        digest=kept.sha256,
    )
    return kept


def _attachments(wanted: dict[str, Any]) -> list[Attachment]:
    found: list[Attachment] = []
    for part in bulk.chunks(wanted):  # type: ignore[arg-type]
        found += Attachment.objects.filter(pk__in=[uuid.UUID(str(one)) for one in part])
    order = {key: number for number, key in enumerate(wanted)}
    there = [one for one in found if path_of(one).is_file()]
    return sorted(there, key=lambda one: order[str(one.pk)])


def _free(name: str, taken: set[str]) -> str:
    """The name, with a number where it stands in the archive already."""
    stem, dot, ending = name.rpartition(".")
    made, number = name, 1
    while made.lower() in taken:
        number += 1
        made = f"{stem}（{number}）{dot}{ending}"
    taken.add(made.lower())
    return made
