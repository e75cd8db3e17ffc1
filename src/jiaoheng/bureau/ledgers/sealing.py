"""Protected values of records: the writer seals them, `content_of` opens them, whole values are found by keyed hash.

What is read from the database holds `Sealed` values, which read as their masks: lists, pages and masked exports use
those and need no key. Only what judges or hands out full values opens them, through the functions here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

import orjson
from django.db.models import Q

from jiaoheng.bureau.core import secrets
from jiaoheng.registers.collecting import uncollected
from jiaoheng.registers.masking import STAR, masker
from jiaoheng.registers.model import Data, Field, Register, Sensitive, Value
from jiaoheng.registers.sealed import CIPHER, DIGEST, MASK, Sealed

if TYPE_CHECKING:
    from jiaoheng.bureau.ledgers.models import RecordVersion

SLOTS = 4
_shown = str.__str__
_WHOLE = frozenset({Sensitive.ID_NUMBER, Sensitive.PHONE, Sensitive.BANK})
Hashes = list[int | None]


def is_hashed(register: Register, one: Field) -> bool:
    """Whether a field's values have a keyed hash: those that are found or compared by the whole value.

    What has few values (hardship, disability) has none: equal hashes would tell who is alike.
    """
    return one.is_sealed and (one.sensitive in _WHOLE or one.unique or one.name in register.key)


def hash_slots(register: Register) -> dict[str, int]:
    """Field → number of its hash column, for at most SLOTS fields in order."""
    chosen = [one.name for one in register.sealed_fields if is_hashed(register, one)]
    return {name: number for number, name in enumerate(chosen[:SLOTS])}


def _domain(register: Register, one: Field) -> str:
    """A renamed field keeps its hashes: the domain is the kind of value, within the register."""
    return f"{register.name}/{one.sensitive}"


def _place(register: Register, one: Field) -> str:
    return f"{register.name}/{one.name}"


@uncollected()
def seal_rows(register: Register, rows: Sequence[Data]) -> Sequence[Data]:
    """The contents with every protected value sealed; those that came sealed for this very place stay as they are.

    ValueError for a mask in place of a number: it would overwrite the number with what only stands for it.
    """
    fields = register.sealed_fields
    if not fields:
        return rows
    made: list[Data] = [dict(row) for row in rows]
    for one in fields:
        _seal_column(register, one, made)
    return made


def _seal_column(register: Register, one: Field, rows: Sequence[Data]) -> None:
    name, place, numbered = one.name, _place(register, one), one.sensitive in _WHOLE
    owners: list[Data] = []
    values: list[Any] = []
    for row in rows:
        value = row.get(name)
        if value is None:
            continue
        if type(value) is Sealed:
            if value.place == place:
                continue
            value = value.open()
        elif numbered and type(value) is str and STAR in value:
            raise ValueError(f"a mask is no value of {place}")
        owners.append(row)
        values.append(value)
    digest = secrets.digester(_domain(register, one)) if is_hashed(register, one) else None
    masks, ciphers = map(masker(one), values), secrets.seal_many(place, values)
    digests = map(digest, values) if digest is not None else repeat("")
    fresh = str.__new__
    for row, shown, cipher, hashed in zip(owners, masks, ciphers, digests, strict=False):
        made = row[name] = fresh(Sealed, shown)  # as Sealed(...), without the call
        made.cipher, made.digest = cipher, hashed


def stored_texts(register: Register, rows: Sequence[Data]) -> Iterator[bytes]:
    """Sealed contents as the JSON that is stored. What earlier versions of the register left in them is stored too."""
    names = [one.name for one in register.sealed_fields]
    flat = map(_flat, rows, repeat(names)) if names else rows
    return map(orjson.dumps, flat, repeat(json_default), repeat(orjson.OPT_PASSTHROUGH_SUBCLASS))


def _flat(row: Data, names: Sequence[str]) -> dict[str, Any]:
    """A content whose sealed values are as they are stored: the encoder would ask for each of them by a call."""
    made: dict[str, Any] = dict(row)
    for name in names:
        value = row.get(name)
        if type(value) is Sealed:
            made[name] = {CIPHER: value.cipher, MASK: _shown(value)}
            if value.digest:
                made[name][DIGEST] = value.digest
    return made


def hash_columns(register: Register, rows: Sequence[Data]) -> list[Hashes]:
    """The hash columns of sealed contents under the names of `register`."""
    made: list[Hashes] = [[None] * len(rows) for _ in range(SLOTS)]
    for name, slot in hash_slots(register).items():
        digests = [value.digest if type(value := row.get(name)) is Sealed else "" for row in rows]
        numbers = iter(secrets.digest_numbers([one for one in digests if one]))
        made[slot] = [next(numbers) if one else None for one in digests]
    return made


def json_default(value: object) -> Any:
    """For orjson with OPT_PASSTHROUGH_SUBCLASS: the stored form of a sealed value."""
    if isinstance(value, Sealed):
        return value.stored
    raise TypeError(f"{type(value).__name__} cannot be stored")


def opened(register: Register, data: Mapping[str, Value]) -> Data:
    """A content with plain values. KeyMissingError names a key that is not there; SealBrokenError for a value that was
    changed, or that belongs to another register."""
    made: Data = dict(data)
    for name, value in data.items():
        if type(value) is Sealed:
            if value.place.partition("/")[0] != register.name:
                raise secrets.SealBrokenError(f"a value of {value.place} stands in {register.name}/{name}")
            _check_field(register, name, value)
            made[name] = value.open()
    return made


def _check_field(register: Register, name: str, value: Sealed) -> None:
    sealed_for = value.place.partition("/")[2]
    one = register.by_name.get(name)
    if sealed_for != name and (one is None or sealed_for not in one.renamed_from):
        raise secrets.SealBrokenError(f"a value of {value.place} stands in {register.name}/{name}")


def content_of(version: RecordVersion, register: Register) -> Data:
    """What a version of a record says, under the names of `register` and with plain values: the one way to full values.

    Whoever calls it hands nothing on unmasked without the right, the purpose and the entry (`actions_unmask`).
    """
    from jiaoheng.bureau.ledgers.changes import carried

    return opened(register, carried(register, version.data))


def key_part(register: Register, name: str, value: Value | None) -> str | None:
    """What a protected key field gives to the record's key: the keyed hash. None for a field that is not protected."""
    one = register.by_name[name]
    if not one.is_sealed:
        return None
    if value is None:
        return ""
    return f"#{digest_of(register, one, value)}"


def digest_of(register: Register, one: Field, value: Value) -> str:
    """The keyed hash of a value of a field, from the sealed value itself where it has it."""
    if isinstance(value, Sealed):
        if value.digest:
            return value.digest
        value = value.open()
    return secrets.digest_of(_domain(register, one), value)


def with_value(register: Register, one: Field, value: Value, layout: Register | None = None) -> Q:
    """Versions that hold a whole protected value. `layout`: the newest version of the register, which lays out columns."""
    return with_values(register, one, [value], layout)


def with_values(register: Register, one: Field, values: Iterable[Value], layout: Register | None = None) -> Q:
    """Versions that hold one of several whole protected values; to be joined with the condition on the register."""
    digests = [digest_of(register, one, value) for value in values]
    slot = hash_slots(layout or register).get(one.name)
    if slot is not None:
        return Q(**{f"h{slot}__in": [secrets.digest_number(digest) for digest in digests]})
    return Q(**{f"data__{one.name}__h__in": digests})
