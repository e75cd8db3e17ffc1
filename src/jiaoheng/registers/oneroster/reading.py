"""An archive as a set; what the manifest says and what is in the archive must agree. Everything wrong is told at once."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

from jiaoheng.registers.oneroster.model import (
    MANIFEST,
    MANIFEST_VERSION,
    OTHERS,
    TABLES,
    VERSION,
    Mode,
    RosterError,
    RosterProblem,
    RosterSet,
    Row,
)

MOST_BYTES = 200_000_000  # of one table, unpacked
MOST_ROWS = 2_000_000
_MOST_MEMBERS = 60


def read_roster(path: Path) -> RosterSet:
    """The set of an archive. Raises RosterError with every problem of manifest, files and heads."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(archive)
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError):
        told = RosterProblem(path.name, 0, "不是可以打开的 zip 压缩包", "请重新导出后再试")
        raise RosterError([told]) from None


def _read(archive: zipfile.ZipFile) -> RosterSet:
    members = {one.filename: one for one in archive.infolist() if not one.is_dir()}
    if len(members) > _MOST_MEMBERS:
        raise RosterError([RosterProblem(MANIFEST, 0, f"压缩包里有 {len(members)} 个文件，多于 {_MOST_MEMBERS} 个")])
    if MANIFEST not in members:
        raise RosterError([RosterProblem(MANIFEST, 0, "压缩包里没有 manifest.csv", "请按 OneRoster 1.2 导出")])
    problems: list[RosterProblem] = []
    modes, system = _manifest(_lines(archive, members[MANIFEST], problems), problems)
    for name in sorted(members):
        table = name.removesuffix(".csv")
        if name != MANIFEST and modes.get(table, Mode.ABSENT) is Mode.ABSENT:
            told = f"在压缩包里，manifest.csv 没有写 file.{table} 为 bulk 或 delta"
            problems.append(RosterProblem(name, 0, told, "请改正 manifest.csv，或删去这个文件"))
    rows: dict[str, list[Row]] = {}
    lines: dict[str, list[int]] = {}
    for table, mode in modes.items():
        if mode is Mode.ABSENT:
            continue
        file = f"{table}.csv"
        if file not in members:
            told = f"manifest.csv 写 file.{table} 为 {mode.value}，压缩包里没有这个文件"
            problems.append(RosterProblem(file, 0, told, "请补上文件，或把它改为 absent"))
        elif table in TABLES:
            rows[table], lines[table] = _table(table, _lines(archive, members[file], problems), problems)
    if problems:
        raise RosterError(problems)
    return RosterSet({name: mode for name, mode in modes.items() if name in TABLES}, rows, lines, system)


Lines = list[tuple[int, list[str]]]


def _lines(archive: zipfile.ZipFile, member: zipfile.ZipInfo, problems: list[RosterProblem]) -> Lines:
    if member.file_size > MOST_BYTES:
        problems.append(RosterProblem(member.filename, 0, f"解开后超过 {MOST_BYTES // 1_000_000} MB"))
        return []
    with archive.open(member) as file:
        raw = file.read(MOST_BYTES + 1)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        problems.append(RosterProblem(member.filename, line, "不是 UTF-8 编码", "请另存为 UTF-8 后再试"))
        return []
    text = text.removeprefix("\ufeff")  # a spreadsheet has put it there; nothing of the content depends on it
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    found: Lines = []
    start = 1
    try:
        for cells in reader:
            if any(cells):
                found.append((start, cells))
            start = reader.line_num + 1
            if len(found) > MOST_ROWS:
                problems.append(RosterProblem(member.filename, 0, f"超过 {MOST_ROWS:,} 行"))
                return []
    except csv.Error:
        problems.append(RosterProblem(member.filename, start, "这一行的引号不成对或有断行", "请改正后再试"))
        return []
    return found


def _manifest(lines: Lines, problems: list[RosterProblem]) -> tuple[dict[str, Mode], str]:
    modes: dict[str, Mode] = {}
    system = ""
    wanted = {"manifest.version": MANIFEST_VERSION, "oneroster.version": VERSION}
    if not lines or lines[0][1][:2] != ["propertyName", "value"]:
        problems.append(RosterProblem(MANIFEST, 1, "第一行应是 propertyName,value"))
        return {}, ""
    for number, cells in lines[1:]:
        name, value = (*cells, "", "")[:2]
        table = name.removeprefix("file.")
        if name in wanted:
            if value != wanted[name]:
                problems.append(RosterProblem(MANIFEST, number, f"{name} 是“{value}”，应为 {wanted[name]}"))
            del wanted[name]
        elif name.startswith("file."):
            if table not in TABLES and table not in OTHERS:
                problems.append(RosterProblem(MANIFEST, number, f"OneRoster 1.2 没有“{name}”", "请删去这一行"))
            elif value not in set(Mode):
                problems.append(RosterProblem(MANIFEST, number, f"{name} 是“{value}”，应为 bulk、delta 或 absent"))
            elif table in modes:
                problems.append(RosterProblem(MANIFEST, number, f"{name} 写了两次", "请只留一个"))
            else:
                modes[table] = Mode(value)
        elif name == "source.systemName":
            system = value
    problems += [RosterProblem(MANIFEST, 0, f"没有 {name}", f"请补上 {name},{value}") for name, value in wanted.items()]
    return modes, system


def _table(table: str, lines: Lines, problems: list[RosterProblem]) -> tuple[list[Row], list[int]]:
    file, columns = f"{table}.csv", TABLES[table]
    if not lines:
        problems.append(RosterProblem(file, 1, "没有列名行"))
        return [], []
    heads = [head.strip() for head in lines[0][1]]
    known = {one.name for one in columns}
    missing = [one.name for one in columns if one.needed and one.name not in heads]
    if missing:
        problems.append(RosterProblem(file, 1, f"缺少列 {'、'.join(missing)}", "请补上"))
    double = {head for head in heads if heads.count(head) > 1}
    strange = [head for head in heads if head not in known and not head.startswith("metadata.")]
    for words, names in (("列名重复：", sorted(double)), ("没有这样的列：", strange)):
        if names:
            problems.append(RosterProblem(file, 1, words + "、".join(name[:40] for name in names), "请改正列名"))
    rows, numbers = [], []
    for number, cells in lines[1:]:
        if len(cells) != len(heads):
            problems.append(
                RosterProblem(file, number, f"有 {len(cells)} 格，列名有 {len(heads)} 个", "请补齐或删去多的")
            )
            continue
        rows.append({head: cell.strip() for head, cell in zip(heads, cells, strict=True) if head in known})
        numbers.append(number)
    return rows, numbers
