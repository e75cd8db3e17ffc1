"""Rules between the fields of a row: text → allow-listed tree → typed functions. Never `eval`.

Allowed: field names, numbers, texts, true, false, `+ - * /`, comparisons (also chained), `in [..]`, `not in [..]`, `and`,
`or`, `not`, brackets, `today`, `last(field)` and the functions of `rule_calls`. A text beside a date is read as a date.
"""

from __future__ import annotations

import ast
import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from jiaoheng.registers.checking import did_you_mean
from jiaoheng.registers.model import Data, Field
from jiaoheng.registers.rule_calls import CALLS
from jiaoheng.registers.rule_parts import (
    Kind,
    Part,
    Row,
    all_of,
    any_of,
    apply,
    arithmetic,
    comparison,
    constant,
    field_part,
    membership,
)

_LONGEST = 500  # characters; a rule that a person is to read is shorter
_SIGNS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,10})?")
_HOLE = re.compile(r"\{([^{}]*)\}")


class RuleError(Exception):
    """A rule that cannot be used: what is wrong and what to do, in Chinese."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(f"{message}{remedy}")
        self.message = message
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression: its text, kind, the fields of this row and of the last period that it reads."""

    text: str
    kind: Kind
    fields: tuple[str, ...]
    last_fields: tuple[str, ...]
    part: Part

    def value(self, data: Data, today: dt.date, last: Data | None = None) -> Any:
        """int, Decimal, str, date, bool or list; None where a value is missing."""
        return self.part.run(Row(data, today, last))

    def holds(self, data: Data, today: dt.date, last: Data | None = None) -> bool | None:
        """Whether a rule holds; None where it does not apply because a value is missing."""
        result = self.part.run(Row(data, today, last))
        return None if result is None else bool(result)


def parse(text: str, fields: Mapping[str, Field]) -> Expression:
    """An expression over fields. Raises RuleError."""
    if len(text) > _LONGEST:
        raise RuleError(f"规则有 {len(text)} 个字，最多 {_LONGEST} 个。", "请拆成几条规则。")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise RuleError(f"规则“{text}”读不懂。", "请检查括号和符号；符号用半角，等于写 ==，不等于写 !=。") from None
    parser = _Parser(text.strip(), fields)
    try:
        part = parser.part(tree.body)
    except RecursionError:
        raise RuleError(f"规则“{text}”的括号层次太多。", "请拆成几条规则。") from None
    return Expression(text, part.kind, tuple(dict.fromkeys(parser.used)), tuple(dict.fromkeys(parser.last)), part)


def parse_rule(text: str, fields: Mapping[str, Field]) -> Expression:
    """An expression that is true or false. Raises RuleError."""
    found = parse(text, fields)
    if found.kind is not Kind.TRUTH:
        raise RuleError(f"规则“{text}”算出来是{found.kind}，不是对错。", "请写成比较，如 boys + girls == total。")
    return found


class Message:
    """A sentence with holes: `{field}` or any allowed expression, so that it can say what a sum comes to."""

    def __init__(self, text: str, fields: Mapping[str, Field]) -> None:
        """Raises RuleError for a hole that cannot be read."""
        pieces = _HOLE.split(text)
        self._texts = pieces[0::2]
        self._holes = [parse(hole, fields) for hole in pieces[1::2]]
        if any("{" in piece or "}" in piece for piece in self._texts):
            raise RuleError(f"说明“{text}”里的花括号不成对。", "请写成 {字段名}。")

    def fill(
        self, data: Data, today: dt.date, last: Data | None = None, show: Callable[[str, Any], str] | None = None
    ) -> str:
        """The sentence for a row. `show(field, value)` prints a hole that is a single field; missing is —."""
        parts = [self._texts[0]]
        for hole, after in zip(self._holes, self._texts[1:], strict=True):
            value = hole.value(data, today, last)
            single = hole.text.strip() in hole.fields
            parts.append(show(hole.text.strip(), value) if single and show is not None else _plain(value))
            parts.append(after)
        return "".join(parts)


def _plain(value: Any) -> str:
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return "、".join(str(one) for one in value)
    if isinstance(value, Decimal):
        rounded = value.quantize(Decimal("0.01"), rounding="ROUND_HALF_UP") if value.is_finite() else value
        text = format(rounded, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)


class _Parser:
    def __init__(self, text: str, fields: Mapping[str, Field]) -> None:
        self.text = text
        self.fields = fields
        self.used: list[str] = []
        self.last: list[str] = []

    def part(self, node: ast.AST) -> Part:
        if isinstance(node, ast.BoolOp):
            parts = [self._truth(one) for one in node.values]
            return all_of(parts) if isinstance(node.op, ast.And) else any_of(parts)
        if isinstance(node, ast.UnaryOp):
            return self._unary(node)
        if isinstance(node, ast.BinOp) and type(node.op) in _SIGNS:
            return self._binary(node)
        if isinstance(node, ast.Compare):
            return self._compare(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Name):
            return self._name(node)
        if isinstance(node, ast.Constant):
            return self._constant(node)
        raise RuleError(
            f"规则里不能写“{self._source(node)}”。",
            "只能用字段名、数、文字、加减乘除、比较、and、or、not 和列出的函数。",
        )

    def _source(self, node: ast.AST) -> str:
        return ast.get_source_segment(self.text, node) or self.text

    def _truth(self, node: ast.AST) -> Part:
        part = self.part(node)
        if part.kind is not Kind.TRUTH:
            raise RuleError(f"“{self._source(node)}”是{part.kind}，不是对错。", "and、or、not 的两边要写成比较。")
        return part

    def _unary(self, node: ast.UnaryOp) -> Part:
        if isinstance(node.op, ast.Not):
            return apply(self._truth(node.operand), Kind.TRUTH, lambda value: not value)
        if isinstance(node.op, ast.USub):
            part = self.part(node.operand)
            if part.kind is Kind.NUMBER:
                if part.constant is not None:
                    return constant(Kind.NUMBER, -part.constant)
                return apply(part, Kind.NUMBER, lambda value: -value)
        raise RuleError(f"规则里不能写“{self._source(node)}”。", "负号只能放在数的前面。")

    def _binary(self, node: ast.BinOp) -> Part:
        sign = _SIGNS[type(node.op)]
        left, right = self.part(node.left), self.part(node.right)
        found = arithmetic(sign, left, right)
        if found is None:
            raise RuleError(
                f"“{self._source(node)}”是{left.kind} {sign} {right.kind}，不能这样算。", "请检查字段的类型。"
            )
        return found

    def _compare(self, node: ast.Compare) -> Part:
        parts: list[Part] = []
        left_node: ast.expr = node.left
        for sign, right_node in zip(node.ops, node.comparators, strict=True):
            if isinstance(sign, (ast.In, ast.NotIn)):
                parts.append(self._membership(left_node, right_node, isinstance(sign, ast.In)))
            elif type(sign) in _SIGNS:
                parts.append(self._one_comparison(left_node, right_node, _SIGNS[type(sign)]))
            else:
                raise RuleError(f"规则里不能写“{self._source(node)}”。", "空不空请写 blank(字段) 或 filled(字段)。")
            left_node = right_node
        return parts[0] if len(parts) == 1 else all_of(parts)

    def _one_comparison(self, left_node: ast.expr, right_node: ast.expr, sign: str) -> Part:
        left, right = self.part(left_node), self.part(right_node)
        if left.kind is Kind.DATE:
            right = self._as_date(right, right_node)
        elif right.kind is Kind.DATE:
            left = self._as_date(left, left_node)
        found = comparison(sign, left, right)
        if found is None:
            both_texts = f"“{self._source(left_node)} {sign} {self._source(right_node)}”"
            raise RuleError(
                f"{both_texts}是{left.kind}和{right.kind}，不能这样比较。", "请检查字段的类型；代码要加引号。"
            )
        return found

    def _as_date(self, part: Part, node: ast.expr) -> Part:
        if part.kind is not Kind.TEXT or part.constant is None:
            return part
        try:
            return constant(Kind.DATE, dt.date.fromisoformat(part.constant))
        except ValueError:
            raise RuleError(f"{self._source(node)} 不是日期。", "请写成 '2025-09-01' 的样子。") from None

    def _membership(self, left_node: ast.expr, right_node: ast.expr, inside: bool) -> Part:
        if not isinstance(right_node, (ast.List, ast.Tuple)) or not right_node.elts:
            raise RuleError(f"in 后面的“{self._source(right_node)}”不是列表。", "请写成 ['甲', '乙']。")
        left = self.part(left_node)
        members = [self.part(one) for one in right_node.elts]
        if left.kind is Kind.DATE:
            members = [self._as_date(one, node) for one, node in zip(members, right_node.elts, strict=True)]
        found = membership(left, members, inside) if all(one.constant is not None for one in members) else None
        if found is None:
            raise RuleError(
                f"列表“{self._source(right_node)}”和“{self._source(left_node)}”不是一类。",
                "代码要加引号，如 ['1', '2']。",
            )
        return found

    def _call(self, node: ast.Call) -> Part:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if node.keywords or not name:
            raise RuleError(f"规则里不能写“{self._source(node)}”。", "函数的参数直接写字段名。")
        if name == "last":
            return self._last(node)
        call = CALLS.get(name)
        if call is None:
            guess = did_you_mean(name, [*CALLS, "last"])
            raise RuleError(f"没有函数“{name}”。", guess or f"可用的有：{'、'.join([*CALLS, 'last'])}。")
        parts = [self.part(one) for one in node.args]
        least, most = len(call.takes) - call.optional, None if call.more else len(call.takes)
        if len(parts) < least or (most is not None and len(parts) > most):
            wanted_count = f"至少 {least}" if most is None else str(most) if least == most else f"{least} 至 {most}"
            message = f"“{self._source(node)}”的参数是 {len(parts)} 个，应为 {wanted_count} 个。"
            raise RuleError(message, "请改正。")
        for number, part in enumerate(parts):
            wanted = call.takes[min(number, len(call.takes) - 1)]
            if wanted is not None and part.kind is not wanted:
                raise RuleError(f"“{self._source(node)}”要的是{wanted}，给的是{part.kind}。", "请检查字段的类型。")
        return call.make(parts)

    def _last(self, node: ast.Call) -> Part:
        if len(node.args) != 1 or not isinstance(node.args[0], ast.Name):
            raise RuleError(f"“{self._source(node)}”里应是一个字段名。", "请写成 last(字段)。")
        one = self._field(node.args[0].id)
        self.last.append(one.name)
        return field_part(one, last=True)

    def _name(self, node: ast.Name) -> Part:
        if node.id in ("true", "false"):
            return constant(Kind.TRUTH, node.id == "true")
        if node.id == "today":
            return Part(Kind.DATE, lambda row: row.today)
        one = self._field(node.id)
        self.used.append(one.name)
        return field_part(one)

    def _field(self, name: str) -> Field:
        one = self.fields.get(name)
        if one is None:
            guess = did_you_mean(name, [*self.fields, "today", "true", "false"])
            raise RuleError(f"没有字段“{name}”。", guess or "请写字段的 name；文字要加引号。")
        return one

    def _constant(self, node: ast.Constant) -> Part:
        if isinstance(node.value, bool):
            return constant(Kind.TRUTH, node.value)
        if isinstance(node.value, str):
            return constant(Kind.TEXT, node.value)
        source = self._source(node)
        if not _NUMBER.fullmatch(source):
            raise RuleError(f"“{source}”不是可用的数。", "请写成 12 或 12.5 的样子。")
        return constant(Kind.NUMBER, int(source) if source.isdigit() else Decimal(source))
