"""What the command line says about a call that it does not understand: in Chinese, with the place and the remedy."""

from __future__ import annotations

import re
import sys
from typing import Any

from typer.core import TyperGroup

from jiaoheng.cli.console import BAD_INPUT, FAULT, tell

_NAMED = re.compile(r"'([^']+)'|\(([^()]+)\)$")  # what click quotes: 'nope', or (y) at the end


class ChineseGroup(TyperGroup):
    """A group of commands whose usage errors are Chinese and end with code 2."""

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the command line; in standalone mode it ends the process as usual."""
        standalone = options.pop("standalone_mode", True)
        inner: dict[str, Any] = {**options, "standalone_mode": False}
        if not standalone:
            return super().main(*args, **inner)
        try:
            code = super().main(*args, **inner)
        except Exception as error:
            # by name: Typer carries its own copy of click since 0.20, and takes the installed one before
            kinds = {kind.__name__ for kind in type(error).__mro__}
            if "Abort" in kinds:
                tell("已中断，没有写出任何结果。")
                sys.exit(FAULT)
            if "NoArgsIsHelpError" in kinds:
                tell(str(getattr(error, "message", "")))
                sys.exit(BAD_INPUT)
            if "UsageError" not in kinds:
                raise
            tell(usage_message(error, kinds))
            sys.exit(BAD_INPUT)
        sys.exit(code if isinstance(code, int) else 0)


def usage_message(error: Any, kinds: set[str]) -> str:
    """The place, what is there, what is right, and where to read on."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "jiaoheng"
    return f"{command}：{_what(error, kinds)}。运行 {command} --help 查看用法。"


def _what(error: Any, kinds: set[str]) -> str:
    parameter = getattr(error, "param", None)
    if "NoSuchOption" in kinds:
        near = "、".join(getattr(error, "possibilities", None) or ())
        return f"没有选项“{error.option_name}”" + (f"，是不是 {near}" if near else "")
    if "MissingParameter" in kinds and parameter is not None:
        return f"缺少{_name(parameter)}。{(parameter.help or '').rstrip('。')}"
    if "BadParameter" in kinds and parameter is not None:
        return f"{_name(parameter)}的值不合要求，应为{_wanted(str(error.message))}"
    found = _NAMED.search(str(error.message))
    quoted = (found[1] or found[2]) if found else str(error.message)
    if "BadOptionUsage" in kinds:
        return f"选项“{error.option_name}”后面缺少它的值"
    if "command" in str(error.message):
        return f"没有命令“{quoted}”"
    return f"多出了不认识的“{quoted}”"


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"“{(parameter.metavar or parameter.name).removesuffix('...')}”"
    return f"选项“{parameter.opts[0]}”"


def _wanted(message: str) -> str:
    """What Typer says about a value, in Chinese; our options are whole numbers and paths."""
    bound = re.search(r"(greater|less) than or equal to (-?\d+)", message)
    if bound is not None:
        return f"不{'小' if bound[1] == 'greater' else '大'}于 {bound[2]} 的整数"
    return "整数" if "integer" in message else "可用的文件或文件夹路径"
