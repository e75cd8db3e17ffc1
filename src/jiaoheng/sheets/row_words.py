"""The words that tell what a row is: 平均分, 满分, 折分, 单位：…, 校长签字：, 此行不录."""

from __future__ import annotations

import re
from collections.abc import Sequence

from jiaoheng.sheets.reading_model import RowClass
from jiaoheng.sheets.text import cell_text, fold
from jiaoheng.sheets.vocabulary import Vocabulary
from jiaoheng.sheets.workbook import Cell

# 90-100, ≥60, 前100名: bands of scores, the labels of small tables of figures
BAND = re.compile(
    r"[<>≤≥]=?\d+(?:\.\d+)?分?|\d+(?:\.\d+)?分?(?:[-~—至到]\d+(?:\.\d+)?分?|(?:分)?(?:以上|以下|段))|前\d+名?"
)
# what a title between two tables says, and a pupil's name does not
TITLE = re.compile(r"成绩|考试|年级|学年|学期|测试|检测|名单|[)）\d]班")
FIGURE = re.compile(r"-?\d+(?:\.\d+)?[%分人]?")
KEY_VALUE = re.compile(r"^([^:：]{1,8})[:：](.*)$")


_PAGE = re.compile(r"第\d+页|共\d+[页人]")


def texts_of(row: Sequence[Cell]) -> list[tuple[int, str]]:
    """Folded texts of the cells that are not blank, with their columns."""
    return [(index, fold(text)) for index, cell in enumerate(row) if (text := cell_text(cell)) is not None]


def unit_line(texts: list[tuple[int, str]], words: Vocabulary) -> bool:
    """单位：某校　日期：…: a line of keys that a sheet uses to tell about itself."""
    for _, text in texts:
        match = KEY_VALUE.match(text)
        if match and match[1] in words.unit_words:
            return True
    return len(texts) > 1 and texts[0][1].rstrip(":") in words.unit_words and texts[0][1].endswith(":")


def row_word(folded: str, words: Vocabulary) -> RowClass | None:
    """The kind of row that a label names, if it is such a word: 平均分, 满分, 折分 …"""
    text = folded.strip(":：*")
    bare = re.sub(r"[(\[][^()\[\]]*[)\]]", "", text)
    for word in (text, bare):
        if word in words.full_mark:
            return RowClass.FULL_MARK
        if word in words.weight:
            return RowClass.WEIGHT
        if word in words.footer_words or word in words.footer_maybe_name:
            return RowClass.FOOTER
    if text.startswith(words.footer_starts) or _of_group(text, words) or _PAGE.match(text):
        return RowClass.FOOTER
    return None


def _of_group(text: str, words: Vocabulary) -> bool:
    """九(1)班平均分, 全年级及格率, 语文平均分：83: a sure footer word at the end, or before a colon."""
    head = re.split("[:：]", text, maxsplit=1)[0]
    return len(head) > 3 and head.endswith(words.footer_endings)


def sample_word(text: str, words: Vocabulary) -> bool:
    """例, 示例1, （样例）: the first cell of a line that shows how to fill the form."""
    return text.strip("()[]:：0123456789") in words.sample_words
