"""Index columns laid out anew when a new version of a schema moves its filterable fields."""

from __future__ import annotations

from django.db import connection

from jiaoheng.bureau.ledgers import sealing
from jiaoheng.bureau.ledgers.changes import carried
from jiaoheng.bureau.ledgers.models import RecordVersion, RegisterRow
from jiaoheng.bureau.ledgers.registry import newest_schema, schema_versions
from jiaoheng.bureau.ledgers.slots import slot_columns
from jiaoheng.registers.model import SLOTS, Register

_PART = 5_000


def reslot_if_moved(row: RegisterRow) -> int:
    """After loading a version: number of record versions whose index columns were written anew (0: none had to be).

    To be called inside the action that loads the version. Contents do not change, so it is no new version.
    """
    versions = schema_versions(row)
    if len(versions) < 2 or _layout(versions[-2], versions[-1]) == _layout(versions[-1], versions[-1]):
        return 0
    return reslot(row)


def _layout(old: Register, new: Register) -> dict[str, tuple[int, str]]:
    """Field (by its new name) → slot and how its values are turned into keys; hash columns behind them."""
    names = {before: one.name for one in new.fields for before in one.renamed_from}
    found = {names.get(name, name): (slot, str(old.by_name[name].type)) for name, slot in old.slots.items()}
    hashed = {names.get(name, name): (SLOTS + slot, "") for name, slot in sealing.hash_slots(old).items()}
    return found | hashed


def reslot(row: RegisterRow) -> int:
    """Write the index columns of every version of a register's records anew, by the newest schema."""
    schema = newest_schema(row)
    table = connection.ops.quote_name(RecordVersion._meta.db_table)
    columns_set = (*(f"s{slot}" for slot in range(SLOTS)), *(f"h{slot}" for slot in range(sealing.SLOTS)))
    names = ", ".join(f"{column} = %s" for column in columns_set)
    last = done = 0
    while True:
        rows = list(
            RecordVersion.objects.filter(register=row, pk__gt=last).order_by("pk").values_list("pk", "data")[:_PART]
        )
        if not rows:
            return done
        contents = [carried(schema, data) for _pk, data in rows]
        columns = [*slot_columns(schema, contents), *sealing.hash_columns(schema, contents)]
        values = [(*keys, pk) for keys, (pk, _data) in zip(zip(*columns, strict=True), rows, strict=True)]
        with connection.cursor() as cursor:
            cursor.executemany(f"UPDATE {table} SET {names} WHERE id = %s", values)  # noqa: S608 (names are ours)
        last, done = rows[-1][0], done + len(rows)
