"""What an annotated workbook remembers in its very hidden sheet: where its sheets came from, what may be answered,
and what the settings beside the files declared: who only has the workbook has the whole exam.

Formats are remembered as two sample cells (the original and the tinted one): programs renumber formats when they
save, and renumber the samples with them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jiaoheng.sheets.places import Choice

QUESTION_SHEET = "待确认"
MEMORY_SHEET = "_教衡"
SIGNATURE = "教衡标注"
VERSION = "1"
HEADER = ("编号", "位置", "问题", "可选", "默认", "您的答复", "键")
ANSWER_COLUMN = 6  # 1-based; the key stands right of it
MAX_TEXT = 2_000  # characters of a remembered question
_PIECE = 4_000  # characters of the settings in one cell; a cell holds 32,767, and quoting may double them

Origin = tuple[str, str]  # file label, sheet name
Key = tuple[str, ...]


@dataclass(slots=True)
class Memory:
    """`origins`: sheet of this workbook → where it came from. `choices`: label and value of each possible answer."""

    question_sheet: str = QUESTION_SHEET
    origins: dict[str, Origin] = field(default_factory=dict)
    choices: dict[Key, list[Choice]] = field(default_factory=dict)
    questions: dict[Key, dict[str, Any]] = field(default_factory=dict)  # place, text, default, blocking
    settings: str = ""  # what was declared outside the sheets, as the text of an exam.yaml


def encode_key(key: Key) -> str:
    """The key path as a JSON list that survives any spreadsheet program."""
    return _quoted(list(key))


def decode_key(text: object) -> Key | None:
    """The key path of a cell of the key column; None where the cell is none."""
    if not isinstance(text, str) or not text.startswith("["):
        return None
    try:
        parts = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return tuple(parts) if parts and all(isinstance(part, str) for part in parts) else None


def spelled(choice: Choice) -> str:
    """A choice with its meaning: `缺考：应考而没有参加`; the word alone where it says everything."""
    return choice.value if choice.label in ("", choice.value) else f"{choice.value}：{choice.label}"


def labelled(choices: Sequence[Choice]) -> list[Choice]:
    """Choices with labels that differ from each other and fit a drop-down."""
    made: list[Choice] = []
    used: set[str] = set()
    for choice in choices:
        label = re.sub(r"\s+", " ", choice.label or choice.value).strip()[:200]
        if label.casefold() in used:
            label = f"{label}（{choice.value}）"
        used.add(label.casefold())
        made.append(Choice(choice.value, label))
    return made


def memory_rows(memory: Memory) -> tuple[list[list[str]], dict[Key, tuple[int, int]]]:
    """Rows of the hidden sheet, and for each question the first and last row (1-based) of its choices: labels in C, values in D."""
    rows = [[SIGNATURE, VERSION, memory.question_sheet]]
    rows += [["工作表", name, file, sheet] for name, (file, sheet) in memory.origins.items()]
    pieces = range(0, len(memory.settings), _PIECE)
    rows += [["设置", _quoted(memory.settings[start : start + _PIECE])] for start in pieces]
    for key, facts in memory.questions.items():
        rows.append(["问题", encode_key(key), _quoted(facts)])
    spans: dict[Key, tuple[int, int]] = {}
    for key, choices in memory.choices.items():
        first = len(rows) + 1
        rows += [["选项", encode_key(key), choice.label, choice.value] for choice in choices]
        spans[key] = (first, len(rows))
    return rows, spans


def is_memory(rows: Sequence[Sequence[object]]) -> bool:
    """Whether these are the rows of a hidden sheet that we wrote."""
    return bool(rows) and bool(rows[0]) and rows[0][0] == SIGNATURE


def parse_memory(rows: Iterable[Sequence[object]]) -> Memory:
    """The memory from the rows of the hidden sheet; what cannot be understood is left out."""
    memory = Memory()
    for row in rows:
        cells = ["" if cell is None else _text(cell) for cell in row] + [""] * 4
        kind, key = cells[0], decode_key(cells[1])
        if kind == SIGNATURE and cells[2]:
            memory.question_sheet = cells[2]
        elif kind == "工作表" and cells[1]:
            memory.origins[cells[1]] = (cells[2], cells[3])
        elif kind == "选项" and key:
            memory.choices.setdefault(key, []).append(Choice(cells[3], cells[2]))
        elif kind == "问题" and key:
            memory.questions[key] = _facts(cells[2])
        elif kind == "设置":
            memory.settings += _unquoted(cells[1])
    return memory


def match_origins(memory: Mapping[str, Origin], names: Sequence[str]) -> dict[str, Origin]:
    """Origin of each sheet by its present name. One renamed sheet is recognised: it is the only one left over."""
    found = {name: memory[name] for name in names if name in memory}
    missing = [name for name in memory if name not in found]
    strange = [name for name in names if name not in found]
    if len(missing) == 1 and len(strange) == 1:
        found[strange[0]] = memory[missing[0]]
    return found


def _text(cell: object) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False).replace("_x", "\\u005fx")


def _unquoted(text: str) -> str:
    try:
        piece = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    return piece if isinstance(piece, str) else ""


def _facts(text: str) -> dict[str, Any]:
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}
