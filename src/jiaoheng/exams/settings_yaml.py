"""`exam.yaml` → a tree of entries with line numbers.

The file is untrusted: no tags, no aliases, bounded size and depth.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from jiaoheng.exams.settings_tree import Entry, SettingsError
from jiaoheng.sheets.places import Place, Problem, Severity

MOST_BYTES = 1 << 20  # a settings file is a few kilobytes; a megabyte is somebody else's file
_MOST_DEPTH = 12  # the model is four deep
_MOST_NODES = 200_000
# libyaml where it is there: the limits below are reached within a second instead of ten
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN_TAGS = re.compile(r"tag:yaml\.org,2002:(str|int|float|bool|null|timestamp|map|seq|value|merge)$")


def decode(data: bytes, file: str) -> str:
    """Text of a settings file: UTF-8 with or without BOM, UTF-16 with BOM, or GB18030 (Windows editors)."""
    encodings = ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _fault(file, 0, "文件的编码不是 UTF-8、UTF-16 或 GB18030", "请用记事本另存为 UTF-8 编码")


def tree(text: str, file: str) -> Entry:
    """The whole file as entries; every place is a line of `file`.

    Raises SettingsError for what no settings file may hold: broken YAML, aliases, tags, several documents,
    doubled keys, nesting deeper than the model could be.
    """
    _guard(text, file)
    try:
        node = yaml.compose(text, Loader=_LOADER)  # nodes only: nothing is constructed
    except yaml.YAMLError as error:
        raise _broken(error, text, file) from None
    whole = Place(file=file)
    if node is None:
        return Entry(whole, {})
    return _entry(node, file)


def _guard(text: str, file: str) -> None:
    """Look at the events before anything is built: an alias bomb is small as text and huge as a tree."""
    depth = nodes = 0
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            line = event.start_mark.line + 1 if event.start_mark else 0
            if isinstance(event, yaml.AliasEvent):
                raise _fault(file, line, f"用了引用“*{event.anchor}”", "设置文件不用引用，请把内容写出来")
            if isinstance(event, yaml.DocumentStartEvent) and event.explicit and nodes:
                raise _fault(file, line, "文件里有第二份文档（---）", "请把一次考试的设置写在一份文档里")
            if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                depth += 1
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                depth -= 1
            nodes += isinstance(event, yaml.NodeEvent)
            tag = getattr(event, "tag", None)
            if tag and not _PLAIN_TAGS.match(tag):
                raise _fault(file, line, f"用了类型标记“{tag}”", "设置文件不用类型标记，请删去")
            if depth > _MOST_DEPTH:
                raise _fault(file, line, f"层次超过 {_MOST_DEPTH} 层", "请检查缩进")
            if nodes > _MOST_NODES:
                raise _fault(file, line, f"内容超过 {_MOST_NODES} 项", "请检查是不是选错了文件")
    except yaml.YAMLError as error:
        raise _broken(error, text, file) from None
    except RecursionError:
        raise _fault(file, 0, "层次太多", "请检查缩进") from None


def _entry(node: Node, file: str) -> Entry:
    place = Place(file=file, row=node.start_mark.line + 1)
    if isinstance(node, ScalarNode):
        blank = node.tag == "tag:yaml.org,2002:null" or (node.style is None and not node.value.strip())
        return Entry(place, None if blank else str(node.value))
    if isinstance(node, SequenceNode):
        return Entry(place, [_entry(child, file) for child in node.value])
    assert isinstance(node, MappingNode)  # noqa: S101 (YAML has three kinds of node)
    items: dict[str, Entry] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode):
            raise _fault(file, line, "名称是一个列表或下级设置", "名称请写成文字")
        key = str(key_node.value)
        if key in items:
            raise _fault(file, line, f"“{key}”在这里写了两次", "请只留一处")
        child = _entry(value_node, file)
        items[key] = Entry(Place(file=file, row=line), child.value)  # the line of the name is where people look
    return Entry(place, items)


def _broken(error: yaml.YAMLError, text: str, file: str) -> SettingsError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = mark.line + 1 if mark else 0
    lines = text.splitlines()
    shown = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    before = lines[line - 2].strip() if 1 < line <= len(lines) + 1 else ""
    remedy = "名称后用半角冒号加一个空格，下级设置缩进两格"
    if "\t" in (lines[line - 1] if 0 < line <= len(lines) else ""):
        remedy = "这一行用了制表符，请改成空格"
    elif "：" in shown or "：" in before:
        remedy = "冒号请用半角“:”并在后面空一格"
    elif any(quote in shown for quote in "“”‘’"):
        remedy = "引号请用半角"
    what = f"这一行读不懂：{shown[:40]}" if shown else "文件读不懂"
    return _fault(file, line, what, remedy)


def _fault(file: str, line: int, message: str, remedy: str) -> SettingsError:
    return SettingsError([Problem("settings-yaml", Severity.ERROR, Place(file=file, row=line), message, remedy)])


def read(path: Path) -> Entry:
    """The tree of a file on disk; a file that cannot be read is a SettingsError too."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise _fault(str(path), 0, f"打不开（{reason}）", "请检查路径和权限") from None
    if len(data) > MOST_BYTES:
        raise _fault(path.name, 0, "文件超过 1 MB，不像考试设置", "请检查是不是选错了文件")
    return tree(decode(data, path.name), path.name)
