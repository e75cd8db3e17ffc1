"""Pack files as trees that know their lines: every complaint about a pack can name the line where it stands.

A pack may come from another bureau, so it is untrusted: no tags, no references, bounded size and depth. Scalars stay
text (`01` is a code and not the number one); whoever reads a key says what type it has.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from jiaoheng.registers.model import SchemaError, SchemaProblem

MOST_BYTES = 2 << 20  # the longest code table (divisions of the whole country) is under one megabyte
_MOST_DEPTH = 12  # a register is five deep
_MOST_NODES = 200_000
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN_TAGS = re.compile(r"tag:yaml\.org,2002:(str|int|float|bool|null|timestamp|map|seq|value)$")


@dataclass(frozen=True, slots=True)
class Spot:
    """A value with the 1-based line where it is named; None is an empty value."""

    line: int
    value: str | list[Spot] | dict[str, Spot] | None

    @property
    def map(self) -> dict[str, Spot]:
        """The entries of a mapping; empty for everything else."""
        return self.value if isinstance(self.value, dict) else {}


def read_file(path: Path, name: str) -> Spot:
    """The tree of one file, called `name` in messages. Raises SchemaError where it cannot be read as a pack."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise _fault(name, 0, f"打不开（{error.strerror or type(error).__name__}）。", "请检查路径和权限。") from None
    if len(data) > MOST_BYTES:
        raise _fault(name, 0, "文件超过 2 MB，不像台账定义。", "请检查是不是选错了文件。")
    return read_text(_decode(data, name), name)


def read_text(text: str, name: str) -> Spot:
    """The tree of a text. Raises SchemaError for broken YAML, references, tags, doubled keys, too much nesting."""
    try:
        _guard(text, name)
        node = yaml.compose(text, Loader=_LOADER)  # nodes only: nothing is constructed
    except yaml.YAMLError as error:
        raise _broken(error, text, name) from None
    except RecursionError:
        raise _fault(name, 0, "层次太多。", "请检查缩进。") from None
    if node is None:
        raise _fault(name, 1, "文件是空的。", "请写上台账或代码表的定义。")
    problems: list[SchemaProblem] = []
    spot = _spot(node, node.start_mark.line + 1, name, problems)
    if problems:
        raise SchemaError(problems)
    return spot


def from_plain(value: Any) -> Spot:
    """A tree from parsed JSON, so that stored schemas go through the same reader as files; every line is 0."""
    if isinstance(value, Mapping):
        return Spot(0, {str(key): from_plain(one) for key, one in value.items()})
    if isinstance(value, Sequence) and not isinstance(value, str):
        return Spot(0, [from_plain(one) for one in value])
    if value is None:
        return Spot(0, None)
    if isinstance(value, bool):
        return Spot(0, "true" if value else "false")
    if isinstance(value, (dt.date, Decimal)):
        return Spot(0, value.isoformat() if isinstance(value, dt.date) else str(value))
    return Spot(0, str(value))


def _decode(data: bytes, name: str) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _fault(name, 0, "文件的编码不是 UTF-8 或 GB18030。", "请用记事本另存为 UTF-8 编码。")


def _guard(text: str, name: str) -> None:
    """Look at the events before anything is built: a bomb of references is small as text and huge as a tree."""
    depth = nodes = 0
    for event in yaml.parse(text, Loader=_LOADER):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent):
            raise _fault(name, line, f"用了引用“*{event.anchor}”。", "台账定义不用引用，请把内容写出来。")
        if isinstance(event, yaml.DocumentStartEvent) and event.explicit and nodes:
            raise _fault(
                name, line, "文件里有第二份文档（---）。", "一个文件只写一张台账或一张代码表，请分成两个文件。"
            )
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            depth -= 1
        nodes += isinstance(event, yaml.NodeEvent)
        tag = getattr(event, "tag", None)
        if tag and not _PLAIN_TAGS.match(tag):
            raise _fault(name, line, f"用了类型标记“{tag}”。", "台账定义不用类型标记，请删去。")
        if depth > _MOST_DEPTH:
            raise _fault(name, line, f"层次超过 {_MOST_DEPTH} 层。", "请检查缩进。")
        if nodes > _MOST_NODES:
            raise _fault(name, line, f"内容超过 {_MOST_NODES} 项。", "请检查是不是选错了文件。")


def _spot(node: Node, line: int, name: str, problems: list[SchemaProblem]) -> Spot:
    if isinstance(node, ScalarNode):
        blank = node.tag == "tag:yaml.org,2002:null" or (node.style is None and not node.value.strip())
        return Spot(line, None if blank else str(node.value))
    if isinstance(node, SequenceNode):
        return Spot(line, [_spot(child, child.start_mark.line + 1, name, problems) for child in node.value])
    assert isinstance(node, MappingNode)  # noqa: S101 (YAML has three kinds of node)
    items: dict[str, Spot] = {}
    for key_node, value_node in node.value:
        at = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode):
            problems.append(SchemaProblem(name, at, "名称是一个列表或下级内容。", "名称请写成文字。"))
            continue
        key = str(key_node.value)
        if key in items:
            problems.append(
                SchemaProblem(name, at, f"“{key}”在这里写了两次，第一次在第 {items[key].line} 行。", "请只留一处。")
            )
            continue
        items[key] = _spot(value_node, at, name, problems)
    return Spot(line, items)


def _broken(error: yaml.YAMLError, text: str, name: str) -> SchemaError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = mark.line + 1 if mark else 0
    lines = text.splitlines()
    shown = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    before = lines[line - 2].strip() if 1 < line <= len(lines) + 1 else ""
    remedy = "名称后用半角冒号加一个空格，下级内容缩进两格。"
    if "\t" in (lines[line - 1] if 0 < line <= len(lines) else ""):
        remedy = "这一行用了制表符，请改成空格。"
    elif "：" in shown or "：" in before:
        remedy = "冒号请用半角“:”并在后面空一格。"
    elif any(quote in shown for quote in "“”‘’"):
        remedy = "引号请用半角。"
    what = f"这一行读不懂：{shown[:40]}。" if shown else "文件读不懂。"
    return _fault(name, line, what, remedy)


def _fault(name: str, line: int, message: str, remedy: str) -> SchemaError:
    return SchemaError([SchemaProblem(name, line, message, remedy)])
