"""A set as an archive: manifest and tables, UTF-8 without BOM, CRLF; a table is in it exactly when it is not absent."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

from jiaoheng.registers.oneroster.model import MANIFEST, MANIFEST_VERSION, OTHERS, TABLES, VERSION, Mode, RosterSet

_MOMENT = (1980, 1, 1, 0, 0, 0)  # of the members: equal sets are equal files


def write_roster(target: Path, roster: RosterSet) -> None:
    """Write the archive; an existing file is replaced."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        _put(archive, MANIFEST, _text(["propertyName", "value"], manifest_rows(roster)))
        for name, columns in TABLES.items():
            if roster.modes.get(name, Mode.ABSENT) is Mode.ABSENT:
                continue
            heads = [one.name for one in columns]
            rows = [[row.get(head, "") for head in heads] for row in roster.rows.get(name, [])]
            _put(archive, f"{name}.csv", _text(heads, rows))


def manifest_rows(roster: RosterSet) -> list[list[str]]:
    """propertyName, value: every table of the standard with its mode."""
    rows = [["manifest.version", MANIFEST_VERSION], ["oneroster.version", VERSION]]
    names = sorted((*TABLES, *OTHERS), key=str.lower)
    rows += [[f"file.{name}", roster.modes.get(name, Mode.ABSENT).value] for name in names]
    rows.append(["source.systemName", roster.system or "Jiaoheng"])
    return rows


def _text(heads: list[str], rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(heads)
    writer.writerows(rows)
    return out.getvalue().encode("utf-8")


def _put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _MOMENT)
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, data)
