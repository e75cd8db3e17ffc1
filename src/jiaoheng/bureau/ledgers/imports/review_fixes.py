"""What is wrong in the uploaded sheet, as the second step lists it: cells that belong together side by side, equal
mistakes as one, counted by kind and by column, a page at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.ledgers.imports.sheet_lines import Stored
from jiaoheng.sheets.places import Place, Problem

SIZE = 50  # entries of one page
_SHOWN = 6  # places that an entry of many cells names
_ALONE = ("key-", "value-repeated", "record-", "rule-", "unit-changed")  # one answer for all would be wrong again
# a problem's code begins with … → its kind: key in addresses, words
_KINDS = (
    ("value-missing", "missing", "必填的空着"),
    ("code-", "code", "不在可选范围"),
    ("rule-", "rule", "几项对不上"),
    ("key-", "twice", "重复"),
    ("value-repeated", "twice", "重复"),
    ("record-", "twice", "重复"),
    ("reference-", "reference", "别处查不到"),
    ("unit-", "unit", "单位不对"),
    ("date-", "date", "日期时间不对"),
    ("not-a-date", "date", "日期时间不对"),
    ("not-a-moment", "date", "日期时间不对"),
    ("not-a-time", "date", "日期时间不对"),
    ("not-a-year", "date", "日期时间不对"),
    ("not-a-month", "date", "日期时间不对"),
    ("not-", "number", "数不对"),
    ("number-", "number", "数不对"),
    ("too-", "number", "数不对"),
    ("below-minimum", "number", "数不对"),
    ("above-maximum", "number", "数不对"),
    ("formula-", "formula", "公式没有值"),
    ("error-value", "formula", "公式没有值"),
)
_OTHER = ("other", "写法不对")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader wants to see of the wrong cells: a kind, a column, one group cell by cell, a page."""

    kind: str = ""
    column: str = ""
    each: str = ""  # place key of the first cell of a group of equal mistakes
    number: object = 1


@dataclass(frozen=True, slots=True)
class Input:
    """One cell to be put right: `name` of its form field; `kept`: mended already and not judged yet."""

    name: str
    was: str
    label: str
    value: str
    unit: str
    numeric: bool
    choices: tuple[str, ...]
    kept: bool


@dataclass(frozen=True, slots=True)
class Fix:
    """One entry: where (`anchor` in the table), what is wrong, the inputs. `count` equal cells stand for more than one."""

    where: str  # 工作表“班额”
    cell: str  # F9, or E2、E5、E9 等
    title: str  # head of the column
    sentence: str
    anchor: str  # of its cell in the table below; "" where this page of the table does not have it
    inputs: tuple[Input, ...]  # none: it can be put right in the file only
    count: int
    each: str  # for the address that lists the cells of a group one by one


@dataclass(frozen=True, slots=True)
class Pick:
    """One filter: what to send, its words, how many cells."""

    value: str
    words: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class FixPage:
    """One page of the wrong cells."""

    fixes: tuple[Fix, ...]
    cells: int  # wrong ones in all
    kinds: tuple[Pick, ...]
    columns: tuple[Pick, ...]
    asked: Asked
    number: int
    pages: int
    words: str  # 第 1—50 项，共 130 项
    before: int
    after: int
    kept: int  # mended and not judged yet

    def __bool__(self) -> bool:
        return bool(self.cells)


@dataclass(slots=True)
class _Entry:
    """Problems that share cells. `keys`: place keys of the cells, the file's order."""

    keys: tuple[str, ...]
    problems: list[Problem]
    others: tuple[_Entry, ...] = ()

    @property
    def first(self) -> Place:
        return self.problems[0].place


def fix_page(
    problems: Iterable[Problem], lines: Stored, said: Mapping[str, str], anchors: frozenset[str], asked: Asked
) -> FixPage:
    """A page of the cells with an error (`problems`: of cells only). `said`: place key → text that was put there."""
    entries = _entries(problems, lines)
    kinds, columns = _picks(entries, lines, asked)
    shown = [one for one in entries if _fits(one, lines, asked)]
    merged = _merged(shown, lines)
    if asked.each:
        merged = [part for one in merged if one.keys[0] == asked.each for part in (one, *one.others)]
        merged = [_Entry(one.keys, one.problems) for one in merged]
    pages = max(1, -(-len(merged) // SIZE))
    text = str(asked.number)
    at = min(max(int(text), 1), pages) if text.isascii() and text.isdigit() and len(text) < 9 else 1
    first = (at - 1) * SIZE
    chosen = merged[first : first + SIZE]
    several = len({sheet[0] for sheet in lines.sheets}) > 1
    return FixPage(
        fixes=tuple(_fix(one, lines, said, anchors, several) for one in chosen),
        cells=len({problem.place.key for one in entries for problem in one.problems}),
        kinds=kinds,
        columns=columns,
        asked=asked,
        number=at,
        pages=pages,
        words=f"第 {first + 1}—{first + len(chosen)} 项，共 {len(merged):,} 项" if pages > 1 else "",
        before=at - 1,
        after=at + 1 if at < pages else 0,
        kept=sum(lines.raw[key][0] != text for key, text in said.items() if key in lines.raw and not lines.raw[key][4]),
    )


def spread(problems: Iterable[Problem], lines: Stored, same: Mapping[str, str]) -> dict[str, str]:
    """Place key of a group's first cell → text, as all cells of the group. RefusedError `cell-unknown`."""
    groups = {one.keys[0]: one for one in _merged(_entries(problems, lines), lines)}
    found = {}
    for key, text in same.items():
        group = groups.get(key)
        if group is None:
            raise RefusedError("cell-unknown", f"“{key.rpartition('|')[2]}”不在要改正的格子里，请刷新页面")
        found.update({each: text for one in (group, *group.others) for each in one.keys})
    return found


def kind_of(code: str) -> tuple[str, str]:
    """The kind of a problem: key in addresses, words."""
    return next(((key, words) for head, key, words in _KINDS if code.startswith(head)), _OTHER)


def _entries(problems: Iterable[Problem], lines: Stored) -> list[_Entry]:
    """Problems joined where they share a cell: of one cell, or of the cells of one row that a rule names."""
    rows: dict[tuple[str, str, int], list[Problem]] = {}
    for one in problems:
        rows.setdefault((one.place.file, one.place.sheet, one.place.row), []).append(one)
    made = []
    for row in sorted(rows):
        groups: list[tuple[set[str], list[Problem]]] = []
        for one in sorted(rows[row], key=lambda problem: problem.place.column):
            keys = set(lines.together.get(one.place.key, ())) if one.code.startswith("rule-") else set()
            keys.add(one.place.key)
            touching = [group for group in groups if group[0] & keys]
            groups = [group for group in groups if not group[0] & keys]
            groups.append(
                (keys.union(*(group[0] for group in touching)), [p for group in touching for p in group[1]] + [one])
            )
        groups.sort(key=lambda group: min(map(_order, group[0])))
        made += [_Entry(tuple(sorted(keys, key=_order)), found) for keys, found in groups]
    return made


def _order(key: str) -> tuple[int, str]:
    cell = key.rpartition("|")[2]
    return len(cell), cell


def _merged(entries: Sequence[_Entry], lines: Stored) -> list[_Entry]:
    """Equal mistakes as one entry at the place of the first: the same column, the same text, wrong in the same way."""
    groups: dict[object, list[_Entry]] = {}
    for number, one in enumerate(entries):
        sent = lines.raw.get(one.keys[0])
        codes = tuple(sorted(problem.code for problem in one.problems))
        alone = len(one.keys) > 1 or sent is None or sent[4] or any(code.startswith(_ALONE) for code in codes)
        groups.setdefault(number if alone or sent is None else (sent[3], sent[0], codes), []).append(one)
    return [_Entry(first.keys, first.problems, tuple(others)) for first, *others in groups.values()]


def _titles(one: _Entry, lines: Stored) -> set[str]:
    return {str(lines.raw[problem.place.key][3]) for problem in one.problems if problem.place.key in lines.raw}


def _fits(one: _Entry, lines: Stored, asked: Asked) -> bool:
    kinds = {kind_of(problem.code)[0] for problem in one.problems}
    return (not asked.kind or asked.kind in kinds) and (not asked.column or asked.column in _titles(one, lines))


def _picks(entries: Sequence[_Entry], lines: Stored, asked: Asked) -> tuple[tuple[Pick, ...], tuple[Pick, ...]]:
    """Cells by kind and by column, the most frequent first."""
    kinds: Counter[tuple[str, str]] = Counter()
    columns: Counter[str] = Counter()
    for one in entries:
        told = {(problem.place.key, kind_of(problem.code)) for problem in one.problems}
        kinds.update(kind for _, kind in told)
        columns.update(str(lines.raw[key][3]) for key in {key for key, _ in told} if key in lines.raw)
    return (
        tuple(Pick(key, words, count, key == asked.kind) for (key, words), count in kinds.most_common()),
        tuple(Pick(title, title, count, title == asked.column) for title, count in columns.most_common() if title),
    )


def _fix(one: _Entry, lines: Stored, said: Mapping[str, str], anchors: frozenset[str], several: bool) -> Fix:
    place, sent = one.first, lines.raw.get(one.first.key)
    where = " ".join(part for part in (place.file if several else "", f"工作表“{place.sheet}”") if part)
    told = dict.fromkeys("".join(_closed(part) for part in (each.message, each.remedy)) for each in one.problems)
    sheet = next((at for at, found in enumerate(lines.sheets) if found[:2] == [place.file, place.sheet]), 0)
    anchor = f"c{sheet}-{place.cell}"
    cells = dict.fromkeys([problem.place.cell for problem in one.problems])
    count = 1 + len(one.others)
    if count > 1:
        cells = dict.fromkeys([place.cell, *(each.first.cell for each in one.others[: _SHOWN - 1])])
    return Fix(
        where=where,
        cell="、".join(cells) + (" 等" if count > _SHOWN else ""),
        title=str(sent[3]) if sent is not None and len(one.keys) == 1 else "",
        sentence="".join(told),
        anchor=anchor if anchor in anchors and len(cells) == 1 else "",
        inputs=tuple(_input(key, lines, said, count, len(one.keys)) for key in one.keys if key in lines.raw),
        count=count,
        each=one.keys[0] if count > 1 else "",
    )


def _input(key: str, lines: Stored, said: Mapping[str, str], count: int, cells: int) -> Input:
    text, unit, numeric, title, secret = lines.raw[key]
    cell = key.rpartition("|")[2]
    label = f"{count} 格都改为" if count > 1 else f"{cell} {title}" if cells > 1 else f"{cell} 改为"
    value = "" if secret else said.get(key, text)
    return Input(
        name=f"same-{key}" if count > 1 else f"cell-{key}",
        was=f"was-{key}",
        label=label,
        value=value,
        unit=unit,
        numeric=numeric,
        choices=tuple(lines.choices.get(title, ())),
        kept=key in said and (secret or said[key] != text),
    )


def _closed(text: str) -> str:
    return text if not text or text.endswith(("。", "？")) else f"{text}。"
