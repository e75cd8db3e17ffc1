"""An uploaded file → judged rows → stored preview. The long part of an import: no transaction is open here."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jiaoheng.bureau.ledgers.imports import current, files
from jiaoheng.bureau.ledgers.imports.answers import FILES, LEFT_OUT, Said, correct
from jiaoheng.bureau.ledgers.imports.outside import with_outside
from jiaoheng.bureau.ledgers.imports.scope import Ground, ground_of
from jiaoheng.bureau.ledgers.imports.several import together
from jiaoheng.bureau.ledgers.models import ImportBatch, RegisterRow
from jiaoheng.bureau.ledgers.registry import schema_version
from jiaoheng.registers.judging import Judged, judge, resolve_units
from jiaoheng.registers.workbook_reading import understand
from jiaoheng.registers.workbook_reading_model import Filled, Known
from jiaoheng.sheets.limits import Limits
from jiaoheng.sheets.reading import read_file, read_files
from jiaoheng.sheets.workbook import SourceFile

Count = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Read:
    """A file understood and judged. `parts`: one for each workbook of an archive."""

    ground: Ground
    judged: Judged
    parts: Sequence[Filled]
    left_out: Sequence[str]
    said: Said
    basis: str
    basis_units: Sequence[int]
    rows_of: Counter[str]


def sources_of(batch: ImportBatch, count: Count) -> list[SourceFile]:
    """The workbooks of an import as sheets of cells."""
    with files.plain(batch.attachment) as path:
        return _sources_in(path, batch, count)


def _sources_in(path: Path, batch: ImportBatch, count: Count) -> list[SourceFile]:
    limits = Limits.from_environment()
    if not files.is_bundle(path):
        return [read_file(path, label=batch.attachment.name, limits=limits)]
    with tempfile.TemporaryDirectory(prefix="jiaoheng-") as folder:
        # named one by one: in a folder a file that is no table would only be noted
        paths = files.unpack(path, Path(folder), limits)
        return read_files(paths, limits=limits, progress=lambda done, total, _: count(done, total))


def known_of(register: RegisterRow, ground: Ground, said: Said) -> Known:
    """What helps to understand a file of a register: its versions, the other registers' titles, the units."""
    versions = tuple(schema_version(one) for one in register.versions.order_by("number"))
    titles = dict(RegisterRow.objects.values_list("name", "title"))
    return Known(versions, titles, ground.names, said.answers)


def read(batch: ImportBatch, count: Count) -> Read:
    """Read, understand and judge the file of an import against the records as they stand. Bad content never raises."""
    ground, said = ground_of(batch), Said.of(batch.answers)
    known = known_of(batch.register, ground, said)
    sources = sources_of(batch, count)
    parts = [understand(source, ground.schema, known) for source in sources]
    left_out = [one.file for one in parts if said.answers.get((FILES, one.file)) == LEFT_OUT]
    taken = [one for one in parts if one.file not in left_out] or parts
    rows_of = Counter({one.file: one.count for one in parts})
    filled = together(ground.schema, taken, batch.attachment.name)
    correct(filled, said.cells)
    count(0, filled.count)
    judged, basis, units = _judge(batch, ground, filled, said)
    judged = with_outside(judged, batch.register, ground, batch.owner)
    count(filled.count, filled.count)
    return Read(ground, judged, parts, left_out, said, basis, units, rows_of)


def _judge(batch: ImportBatch, ground: Ground, filled: Filled, said: Said) -> tuple[Judged, str, list[int]]:
    units, _ = resolve_units(filled, ground.scope)
    codes = {code for code in units if code is not None}
    unit_ids = [ground.ids[code] for code in sorted(codes)]
    basis = current.fingerprint(batch.register, ground.period, unit_ids)
    before = current.previous_data(batch.register, ground, codes)

    def once() -> Judged:
        standing = current.current_records(batch.register, ground, codes, filled)
        scope = ground.scope
        return judge(filled, at=ground.day, scope=scope, current=standing, previous=before, today=ground.day)

    judged = once()
    if said.seen and _remember(filled, judged, said):
        judged = once()
    return judged, basis, unit_ids


def _remember(filled: Filled, judged: Judged, said: Said) -> bool:
    """Rows without hidden ids are taken to be made from the version that an earlier preview showed."""
    changed = False
    for row in judged.differences.rows:
        record = row.record
        if record is not None and filled.versions[row.row] is None and said.seen.get(record.id, 0):
            filled.records[row.row], filled.versions[row.row] = record.id, said.seen[record.id]
            changed = True
    return changed
