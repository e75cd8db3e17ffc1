"""Writing about the trail itself: moving old entries into an archive file."""

from __future__ import annotations

from pathlib import Path

from jiaoheng.bureau.core import audit
from jiaoheng.bureau.core.audit_archive import ARCHIVE, write_archive
from jiaoheng.bureau.core.audit_chain import verify
from jiaoheng.bureau.core.models import Account, AuditEntry, AuditHead
from jiaoheng.bureau.core.refusals import RefusedError


def archive(to: int, *, acting_user: Account | None, reason: str = "") -> Path:
    """Prove the chain, then move its entries up to `to` into a file. Raises RefusedError where it is not whole."""
    verdict = verify()
    if not verdict.whole:
        raise RefusedError("audit-broken", f"{verdict.sentence}。先查明再归档")
    return do_archive_audit(to, acting_user=acting_user, reason=reason)


@audit.action
def do_archive_audit(to: int, *, acting_user: Account | None, reason: str = "") -> Path:
    """Move the entries up to `to` into a file; the move is itself an entry that holds their head.

    The file is whole on disk before an entry goes. Raises RefusedError for a number that cannot be.
    """
    head = AuditHead.objects.select_for_update().filter(pk=1).first()
    first = (head.archived_to if head else 0) + 1
    newest = head.number if head else 0
    if not first <= to <= newest:
        told = f"可以归档到第 {first} 至 {newest} 条，给的是 {to}" if newest >= first else "没有可以归档的记录"
        raise RefusedError("audit-archive-number", told)
    entries = AuditEntry.objects.filter(number__gte=first, number__lte=to).order_by("number")
    path, sha256 = write_archive(first, to, entries.iterator(chunk_size=2000))
    last_hash = AuditEntry.objects.values_list("hash", flat=True).get(number=to)
    entries.delete()
    AuditHead.objects.filter(pk=1).update(archived_to=to, archived_hash=last_hash)
    audit.note(
        ARCHIVE,
        actor=acting_user,
        about=("audit", to, f"操作记录 {first}–{to}"),
        changes=[{"field": "file", "title": "归档文件", "old": None, "new": f"{path.name}，SHA-256 {sha256}"}],
        count=to - first + 1,
        reason=reason,
        digest=last_hash,
    )
    return path
