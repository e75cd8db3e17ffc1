"""Which keys the stored values need: for `jiaoheng keys list` and `jiaoheng doctor`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from jiaoheng.bureau.core import keys
from jiaoheng.bureau.core.files import SMALL_SUFFIX, full_path
from jiaoheng.bureau.core.models import Attachment
from jiaoheng.bureau.core.sealed_files import key_id_of
from jiaoheng.bureau.ledgers.key_rotation import lies_sealed
from jiaoheng.bureau.ledgers.models import RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.registry import schema_versions


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One key: how many versions of records hold values that it sealed, and how many attachments' files."""

    key_id: str
    seals: bool  # the newest: new values get it
    rows: int
    files: int = 0


@dataclass(frozen=True, slots=True)
class KeyState:
    """The keys and what they hold. `plain`: versions with a protected value that nobody sealed; `apart`: whether a copy
    of the data folder alone opens nothing; `plain_files`, `foreign_files`: the same of attachments' files."""

    keys: tuple[KeyUse, ...]
    plain: int
    foreign: int  # versions whose values no present key opens
    apart: bool
    source: str
    plain_files: int = 0
    foreign_files: int = 0

    @property
    def sentences(self) -> tuple[str, ...]:
        """What there is to do, one sentence each; none where all is well."""
        told = []
        if self.foreign:
            told.append(f"有 {self.foreign:,} 条记录的加密内容没有对应的密钥，打不开。请从备份取回密钥文件里缺的那一把")
        if self.plain:
            told.append(f"有 {self.plain:,} 条记录的受保护内容还没有加密。请运行 jiaoheng keys rotate")
        if self.foreign_files:
            told.append(f"有 {self.foreign_files:,} 个附件没有对应的密钥，打不开。请从备份取回密钥文件里缺的那一把")
        if self.plain_files:
            told.append(f"有 {self.plain_files:,} 个附件的文件还没有加密。请运行 jiaoheng keys rotate")
        if any(one.rows or one.files for one in self.keys if not one.seals):
            told.append("有内容还用着旧密钥。请运行 jiaoheng keys rotate，完成后旧密钥可以移走")
        if not self.apart:
            told.append("密钥与数据放在同一个文件夹。请把密钥文件夹移到别处，并用环境变量 JIAOHENG_KEYS 指明")
        return tuple(told)


def key_state() -> KeyState:
    """How it stands with the keys. KeyMissingError where they cannot be read at all."""
    ring = keys.ring()
    texts = RecordVersion.objects.annotate(text=Cast("data", TextField()))
    used = {key_id: texts.filter(_holds(key_id)).count() for key_id, _ in ring.keys}
    known = Q()
    for key_id in used:
        known |= _holds(key_id)
    foreign = texts.filter(_has_sealed()).exclude(known).count()
    sealed = files_by_key()
    made = tuple(KeyUse(key_id, key_id == ring.newest, rows, sealed.pop(key_id, 0)) for key_id, rows in used.items())
    plain_files = sealed.pop(None, 0)
    return KeyState(made, plain_rows(), foreign, keys.apart(), ring.source, plain_files, sum(sealed.values()))


def files_by_key() -> Counter[str | None]:
    """Key id (None: in the clear, though it should not be) → attachments whose file or small picture it sealed."""
    found: Counter[str | None] = Counter()
    for path in Attachment.objects.values_list("path", flat=True).iterator(chunk_size=2_000):
        there = [one for one in map(full_path, (path, path + SMALL_SUFFIX)) if one.is_file()]
        used = {key_id_of(one) for one in there}
        if not lies_sealed(path):
            used.discard(None)
        found.update(used)
    return found


def plain_rows() -> int:
    """Versions with a protected value that lies in the clear."""
    count = 0
    for row in RegisterRow.objects.all():
        for schema in schema_versions(row):
            found = Q(pk__in=[])
            for one in schema.sealed_fields:
                found |= Q(**{f"data__{one.name}__isnull": False, f"data__{one.name}__c__isnull": True})
            rows = RecordVersion.objects.filter(found, register=row, schema_version=schema.version)
            count += rows.count() if schema.sealed_fields else 0
    return count


def _holds(key_id: str) -> Q:
    # PostgreSQL writes a blank behind the colon
    return Q(text__contains=f'"c":"{key_id}:') | Q(text__contains=f'"c": "{key_id}:')


def _has_sealed() -> Q:
    return Q(text__contains='{"c":"') | Q(text__contains='{"c": "') | Q(text__contains=', "c": "')
