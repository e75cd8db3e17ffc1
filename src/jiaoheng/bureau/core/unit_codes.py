"""Codes of units: the 10-digit 学校标识码 of schools (standards §7), our own codes for the rest; none is given twice."""

from __future__ import annotations

import re

from jiaoheng.bureau.core import clock
from jiaoheng.bureau.core.models import Unit
from jiaoheng.bureau.core.refusals import RefusedError
from jiaoheng.bureau.core.tree import name_of

# AA: kind of institution by the first two digits
AA = {
    "11": "幼儿园",
    "21": "小学",
    "22": "成人小学",
    "31": "普通初中",
    "34": "普通高中、完全中学",
    "36": "中等职业学校",
    "37": "专门学校",
    "41": "高等学校",
    "51": "特殊教育学校",
}
_SCHOOL = re.compile(r"[0-9]{10}")
_OWN = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,31}")


def code_fault(level: str, code: str, kind: str = "") -> str | None:
    """What is wrong with a code for a unit of this level and kind, as a sentence; None where nothing is."""
    if level != Unit.Level.SCHOOL:
        if _OWN.fullmatch(code):
            return None
        return f"代码“{code}”应为 1 至 32 位数字、字母或连字符，请改正"
    if not _SCHOOL.fullmatch(code):
        return f"学校标识码“{code}”应为 10 位数字，现为 {len(code)} 位，请按教育部发的标识码填写"
    if code[:2] not in AA:
        known = "、".join(f"{prefix} {title}" for prefix, title in AA.items())
        return f"学校标识码“{code}”前两位 {code[:2]} 不是学校类别，应为：{known}"
    if kind and kind[:2] in AA and kind[:2] != code[:2]:
        right = AA[kind[:2]]
        return f"学校标识码“{code}”前两位 {code[:2]} 是{AA[code[:2]]}，所选类别应以 {kind[:2]}（{right}）开头，请核对"
    return None


def check_new_code(level: str, code: str, kind: str = "") -> None:
    """Refuse a code that is wrong, or that any unit has or ever had: an ended unit's code is not given again."""
    fault = code_fault(level, code, kind)
    if fault:
        raise RefusedError("code-wrong", fault, places={"code": fault})
    holder = Unit.objects.filter(code=code).first()
    if holder is not None:
        today = clock.today()
        name = name_of(holder, today)
        ended = f"（{holder.ends_on:%Y-%m-%d} 撤并）" if holder.ends_on and holder.ends_on <= today else ""
        said = f"代码 {code} 属于{name}{ended}，代码不重复使用，请另给代码"
        raise RefusedError("code-taken", said, places={"code": said})
