"""The meaning of one header cell: 语文, 数学(150分), 物赋, 总分班名次, 第3题, * 姓名 …"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal

from jiaoheng.sheets.reading_model import MILLI, Measure, Role
from jiaoheng.sheets.text import fold
from jiaoheng.sheets.vocabulary import Vocabulary

_EDGE = "*!#★☆●◆■:,;、。.\"'“”‘’`~·-_/|"
_BRACKETS = re.compile(r"[(\[【〔{<《]([^()\[\]【】〔〕{}<>《》]*)[)\]】〕}>》]")
_FULL = re.compile(r"(?:卷面)?(?:满分|总分|共|分值)?[:为是]?(\d{1,4}(?:\.\d{1,2})?)(?:分|')?(?:满分|制)?")
_TRAILING_FULL = re.compile(r"(.*?\D)[:\-/_]?(?:满分)?(\d{2,4}(?:\.\d)?)(分?)(?:制|满分)?")
_NUMERALS = "一二三四五六七八九十百"
_ITEM = re.compile(
    rf"(?:第|题|t|q|小题|试题|item)?[._-]?"
    rf"(\d{{1,3}}(?:[.\-_~、,](?:\d{{1,3}}|[a-z]))*[a-z]?|[{_NUMERALS}]{{1,3}}|[ivx]{{1,4}})"
    rf"((?:[(]\d{{1,2}}[)]|[①-⑳])*)(?:题|小题|空)?"
)
_ITEM_WORDS = re.compile(r"^(?:第|题|小题|试题|item|[tq](?=[._-]?\d))|(?:题|小题|空)$")
_GRADE = re.compile(rf"(?:(?:初|高|小)[{_NUMERALS}123]|[{_NUMERALS}1-9]年级|高中|初中)(?:上|下)?")
_REQUIRED = frozenset({"必填", "选填", "必录", "可选", "文本", "文本格式", "数字", "整数", "必填项", "可不填"})


@dataclass(frozen=True, slots=True)
class HeaderWord:
    """What a header cell says. `role` UNKNOWN: no word of the vocabulary."""

    text: str  # folded
    role: Role = Role.UNKNOWN
    subject: str | None = None
    measure: Measure | None = None
    item: str | None = None
    rank_scope: str | None = None
    total_of: str | None = None
    full: int | None = None  # thousandths, from 数学(150分)
    aggregate: bool = False
    bare: bool = False  # a number or numeral alone: an item only among others

    @property
    def known(self) -> bool:
        """A word of the vocabulary, not a bare number."""
        return (self.role is not Role.UNKNOWN or self.aggregate) and not self.bare


def header_word(text: str, words: Vocabulary) -> HeaderWord:
    """Read one header cell (already shown as text). Never fails: an unknown word has role UNKNOWN."""
    whole = fold(text)
    answer = words.columns.get(whole)
    if answer is not None:
        return answered_word(whole, answer, words)
    if whole.endswith((":", "：")):
        return HeaderWord(whole)
    item = _item(whole, words)
    if item is not None:
        return item
    inner = [part for part in _BRACKETS.findall(whole) if part]
    base = _BRACKETS.sub("", whole).strip(_EDGE)
    full, notes = _bracket_parts(inner)
    word = _base_word(base, notes, words)
    if word is None and (match := _TRAILING_FULL.fullmatch(base)):
        number = Decimal(match[2])
        if match[3] or number >= 20:
            word = _base_word(match[1].strip(_EDGE), notes, words)
            if word is not None and word.role in (Role.SCORE, Role.TOTAL):
                full = int(number * MILLI)
            else:
                word = None
    return HeaderWord(whole) if word is None else replace(word, text=whole, full=full)


def _bracket_parts(inner: list[str]) -> tuple[int | None, list[str]]:
    """Full mark in brackets, and the other words there."""
    full: int | None = None
    notes: list[str] = []
    for part in inner:
        match = _FULL.fullmatch(part)
        if match:
            full = int(Decimal(match[1]) * MILLI)
        elif part not in _REQUIRED:
            notes.append(part)
    return full, notes


def _base_word(base: str, notes: list[str], words: Vocabulary) -> HeaderWord | None:
    """The word without its brackets; words in brackets may say the measure, the scope or what a total leaves out."""
    if not base:
        return None
    note = notes[0] if notes else ""
    word = (
        _role(base, words)
        or _total(base, note, words)
        or _aggregate(base, words)
        or _rank(base, words)
        or _score(base, words)  # 分数 is a score; read by its ends it would be 分 of 数学
        or _subject(base, words)
        or _total_of(base, words)
    )
    if word is None and note:
        return _base_word(base + note, [], words)
    if word is None:
        return None
    kind = words.measures.get(note)
    if word.role is Role.SCORE and kind:
        return _measured(word, kind)
    if word.role is Role.RANK and word.rank_scope is None and note in words.rank_scopes:
        return replace(word, rank_scope=words.rank_scopes[note])
    return word


def _role(base: str, words: Vocabulary) -> HeaderWord | None:
    role = words.roles.get(base)
    if role is not None:
        return HeaderWord(base, role)
    return HeaderWord(base, Role.IGNORED) if base in words.ignored else None


def _total(base: str, note: str, words: Vocabulary) -> HeaderWord | None:
    if base not in words.total_words:
        return None
    partial = bool(note) and note not in words.measures and base + note not in words.total_words
    return HeaderWord(base, Role.TOTAL, total_of=f"{base}({note})" if partial else None)


def _total_of(base: str, words: Vocabulary) -> HeaderWord | None:
    """主三门总分, 语数英合计, 总分除物理: totals of something less than everything."""
    if base.endswith(words.total_endings) or base.startswith("总分"):
        return HeaderWord(base, Role.TOTAL, total_of=base)
    return None


def _aggregate(base: str, words: Vocabulary) -> HeaderWord | None:
    found = base in words.aggregate_words or base.endswith(words.aggregate_endings)
    return HeaderWord(base, aggregate=True) if found or base.startswith(words.aggregate_starts) else None


def _rank(base: str, words: Vocabulary) -> HeaderWord | None:
    for ending in words.rank_words:
        if not base.endswith(ending):
            continue
        front = base[: -len(ending)]
        if front in words.rank_scopes:
            return HeaderWord(base, Role.RANK, rank_scope=words.rank_scopes[front])
        if len(ending) == 1 and not front.endswith(tuple(scope for scope in words.rank_scopes if scope)):
            continue
        return _rank_of(base, front, words)
    return None


def _rank_of(base: str, front: str, words: Vocabulary) -> HeaderWord | None:
    """语文班, 班级语文, 总分年级: whose rank it is and among whom."""
    owners = (*words.total_words, *words.subject_aliases)
    for owner in sorted(owners, key=len, reverse=True):
        if front.startswith(owner):
            rest = front[len(owner) :]
        elif front.endswith(owner):
            rest = front[: -len(owner)]
        else:
            continue
        rest = _without_measure(rest.strip(_EDGE), words)
        if rest in words.rank_scopes:
            subject = None if owner in words.total_words else words.subjects[owner]
            return HeaderWord(base, Role.RANK, subject=subject, rank_scope=words.rank_scopes[rest])
    return None


def _without_measure(rest: str, words: Vocabulary) -> str:
    """赋级 → 级: which of a subject's numbers is ranked does not matter for the rank's scope."""
    fitting = [word for word, kind in words.measures.items() if kind in ("raw", "scaled") and rest.startswith(word)]
    return rest[len(max(fitting, key=len)) :].strip(_EDGE) if fitting else rest


def _subject(base: str, words: Vocabulary) -> HeaderWord | None:
    """A subject, with its modifier before or after it, and a grade or kind of exam before it."""
    found = _plain_subject(base, words)
    if found is not None:
        return found
    rest = _GRADE.sub("", base, count=1)
    for prefix in words.prefixes:
        rest = rest.removeprefix(prefix)
    return _plain_subject(rest.strip(_EDGE), words) if rest != base and rest else None


def _plain_subject(base: str, words: Vocabulary) -> HeaderWord | None:
    if base in words.subjects:
        return HeaderWord(base, Role.SCORE, subject=words.subjects[base])
    # the longest subject at either end whose rest is a modifier: 数学成绩, 赋分物理
    for size in range(len(base) - 1, 0, -1):
        for alias, rest in ((base[:size], base[size:]), (base[-size:], base[:-size])):
            kind = words.measures.get(rest.strip(_EDGE)) if alias in words.subjects else None
            if kind:
                return _measured(HeaderWord(base, Role.SCORE, subject=words.subjects[alias]), kind)
    return None


def _score(base: str, words: Vocabulary) -> HeaderWord | None:
    kind = words.score_words.get(base) or words.measures.get(base)
    return _measured(HeaderWord(base, Role.SCORE), kind) if kind else None


def _measured(word: HeaderWord, kind: str) -> HeaderWord:
    if kind == "ignored":
        return replace(word, role=Role.IGNORED)
    # `raw` is what a bare subject means too; said in words it settles a question
    return replace(word, measure=Measure(kind))


def _item(whole: str, words: Vocabulary) -> HeaderWord | None:
    """第3题, 3, 一(1), 选择题1, 12(2), 1-10: an item of a paper; a full mark may stand in last brackets: 3(5分)."""
    if whole in words.subjects or whole in words.roles:
        return None
    full: int | None = None
    body = whole.strip(_EDGE) or whole
    match = re.fullmatch(r"(.+?)[(](?:满分|共)?(\d{1,3}(?:\.\d)?)分[)]", body)
    if match:
        body, full = match[1], int(Decimal(match[2]) * MILLI)
    found = _ITEM.fullmatch(body)
    if found:
        bare = body == found[1]
        label = body if bare else _ITEM_WORDS.sub("", body).strip("._-")
        return HeaderWord(whole, Role.SCORE, measure=Measure.ITEM, item=label, full=full, bare=bare and full is None)
    if body in words.item_subtotals:
        return HeaderWord(whole, Role.SCORE, measure=Measure.ITEM, item=body, full=full, bare=True)
    for group in words.item_groups:
        if body.startswith((group, group.removesuffix("题"))):
            rest = body.removeprefix(group) if body.startswith(group) else body.removeprefix(group.removesuffix("题"))
            rest = rest.strip("._-")
            if rest == "" and body == group:
                return HeaderWord(whole, Role.SCORE, measure=Measure.ITEM, item=group, full=full, bare=True)
            if rest and _ITEM.fullmatch(re.sub(r"^[(](.*)[)]$", r"\1", rest)):
                return HeaderWord(whole, Role.SCORE, measure=Measure.ITEM, item=body, full=full)
    return None


_ANSWER_ROLES: dict[str, Role] = {
    "序号": Role.SERIAL, "学号": Role.PUPIL_ID, "考号": Role.EXAM_NO, "身份证号": Role.ID_CARD, "姓名": Role.NAME,
    "性别": Role.SEX, "学区": Role.DISTRICT, "学校": Role.SCHOOL, "年级": Role.GRADE, "班级": Role.CLASS,
    "科类": Role.TRACK, "选科组合": Role.COMBINATION, "状态": Role.STATUS, "学科": Role.SUBJECT, "成绩": Role.SCORE,
    "总分": Role.TOTAL, "名次": Role.RANK, "考试": Role.EXAM, "题号": Role.ITEM_NO, "分值": Role.ITEM_FULL,
    "题型": Role.ITEM_TYPE, "知识点": Role.KNOWLEDGE, "能力层次": Role.ABILITY, "备注": Role.REMARK,
    "忽略": Role.IGNORED, "不用": Role.IGNORED, "ignore": Role.IGNORED,
}  # fmt: skip
_ANSWER_MEASURES = {"原始分": Measure.RAW, "raw": Measure.RAW, "赋分": Measure.SCALED, "scaled": Measure.SCALED}


def answered_word(text: str, answer: str, words: Vocabulary) -> HeaderWord:
    """A column as the settings declare it: a role's Chinese name, a subject, 原始分/赋分, or 化学赋分."""
    wanted = answer.strip()
    if wanted in _ANSWER_MEASURES:
        return HeaderWord(fold(text), Role.SCORE, measure=_ANSWER_MEASURES[wanted])
    if wanted in _ANSWER_ROLES:
        return HeaderWord(fold(text), _ANSWER_ROLES[wanted])
    if wanted in set(Role):
        return HeaderWord(fold(text), Role(wanted))
    own = replace(words, columns={})
    word = header_word(wanted, own)
    if word.known:
        return replace(word, text=fold(text))
    # a subject of the bureau's own that no vocabulary knows
    return HeaderWord(fold(text), Role.SCORE, subject=wanted)
