"""`jiaoheng ledger …`: import, export and templates of registers from the command line, as one of the accounts."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from jiaoheng.bureau.core.models import Account, Period, Unit
    from jiaoheng.bureau.ledgers.imports.preview import Preview
    from jiaoheng.bureau.ledgers.models import ImportBatch, RegisterRow

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Files = typer.Argument(..., metavar="文件…", help="填好的工作簿，可以是几个，也可以是压缩包。", show_default=False)
Register = typer.Option(..., "--register", metavar="台账", help="台账的名称或标题。", show_default=False)
UnitCode = typer.Option(..., "--unit", metavar="代码", help="单位代码。", show_default=False)
PeriodCode = typer.Option("", "--period", metavar="期次", help="期次代码，如 2025、2025-09。", show_default=False)
Who = typer.Option(..., "--as", metavar="账号", help="以哪个账号办理，按他的权限。", show_default=False)
Answers = typer.Option(
    None, "--answers", metavar="回答.yaml", help="问题的回答，“问题: 回答”一行一个。", show_default=False
)
Yes = typer.Option(False, "--yes", help="没有回答的问题用默认回答，核对无误就写入；不加只核对。")
Out = typer.Option(..., "--out", metavar="文件", help="写到哪里。", show_default=False)
Marked = typer.Option(None, "--marked", metavar="文件", help="把标注错误的工作簿写到这里。", show_default=False)
Purpose = typer.Option("", "--purpose", metavar="用途", help="导出完整号码的用途；不写则脱敏。", show_default=False)


@app.command("import", help="核对并导入填好的工作簿：全部写入或一条也不写。")
def import_(
    files: list[Path] = Files,
    register: str = Register,
    unit: str = UnitCode,
    period: str = PeriodCode,
    account: str = Who,
    answers: Path = Answers,
    marked: Path = Marked,
    yes: bool = Yes,
) -> None:
    """0 done, 2 wrong cells or open questions."""
    _run(lambda: run_import(files, register, unit, period, account, answers, marked, yes))


@app.command("export", help="导出一张台账，可改后再导入。")
def export(
    register: str = Register,
    account: str = Who,
    out: Path = Out,
    unit: str = typer.Option("", "--unit", metavar="代码", help="只要这个单位及其下属。", show_default=False),
    period: str = PeriodCode,
    purpose: str = Purpose,
) -> None:
    """As xlsx or csv, by the ending of the file."""
    _run(lambda: run_export(register, account, out, unit, period, purpose))


@app.command("template", help="取一个单位填报用的模板，已有的记录在其中。")
def template(
    register: str = Register, unit: str = UnitCode, period: str = PeriodCode, account: str = Who, out: Path = Out
) -> None:
    """The workbook that comes back through `import`."""
    _run(lambda: run_template(register, unit, period, account, out))


def _run(work: Callable[[], int]) -> None:
    from jiaoheng.cli.console import Refusal, guarded

    def job() -> int:
        from jiaoheng.bureau.setup import start_django

        start_django()
        from jiaoheng.bureau.core.refusals import ForbiddenError, NotFoundError, RefusedError

        try:
            return work()
        except (RefusedError, ForbiddenError) as error:
            raise Refusal(str(error)) from error
        except NotFoundError as error:
            raise Refusal("没有这一项，或这个账号看不到") from error

    raise typer.Exit(guarded(job))


def run_import(
    files: list[Path],
    register: str,
    unit: str,
    period: str,
    username: str,
    answers: Path | None,
    marked: Path | None,
    yes: bool,
) -> int:
    """Read, tell, and with `yes` write."""
    from contextlib import ExitStack

    from jiaoheng.bureau.core import audit
    from jiaoheng.bureau.ledgers.imports.answering import defaults, do_answer_questions
    from jiaoheng.bureau.ledgers.imports.confirming import do_confirm_import
    from jiaoheng.bureau.ledgers.imports.starting import do_cancel_import, do_start_import, preview_of
    from jiaoheng.cli.console import BAD_INPUT, OK, Refusal, say

    missing = [str(one) for one in files if not one.is_file()]
    if missing:
        raise Refusal(f"找不到文件：{'、'.join(missing)}")
    account = _account(username)
    with audit.through("command"), ExitStack() as stack:
        uploads = [(stack.enter_context(one.open("rb")), one.name) for one in files]
        batch: ImportBatch = do_start_import(
            _register(register),
            _unit(unit),
            uploads,
            period=_period(period),
            answers=_answers(answers),
            at_once=True,
            acting_user=account,
        )
        shown = preview_of(batch)
        open_ = defaults(shown)
        if yes and open_:
            shown = do_answer_questions(batch, open_, at_once=True, acting_user=account) or shown
        _tell(shown)
        if marked is not None:
            _take_marked(batch, marked, account)
        if shown.blocked or not yes:
            do_cancel_import(batch, acting_user=account)
            say(shown.blocked or "以上是核对结果，没有写入。加 --yes 写入。")
            return OK if not shown.blocked or shown.counts["same"] == shown.counts["rows"] > 0 else BAD_INPUT
        do_confirm_import(batch, at_once=True, acting_user=account)
        say(batch.message)
    return OK


def _tell(shown: Preview) -> None:
    from jiaoheng.cli.console import say

    say(shown.sentence)
    for text in (*shown.notes, *shown.not_taken):
        say(text)
    for problem in shown.problems:
        say(str(problem))
    for question in shown.questions:
        default = f"（默认：{question.default}）" if question.default is not None else ""
        say(f"问：{question.text}{default}")
        say(f"    回答写作 {question.settings_key}")


def _take_marked(batch: ImportBatch, out: Path, account: Account) -> None:
    from jiaoheng.bureau.ledgers.imports.files import path_of
    from jiaoheng.bureau.ledgers.imports.marked import do_take_marked
    from jiaoheng.cli.console import say

    kept = do_take_marked(batch, acting_user=account)
    shutil.copyfile(path_of(kept), out)
    say(f"标注的工作簿：{out}")


def _answers(path: Path | None) -> dict[tuple[str, ...], str]:
    """Answers of a YAML file: `问题 › 的 › 键: 回答`, as `import` prints the keys."""
    from jiaoheng.cli.console import Refusal

    if path is None:
        return {}
    import yaml

    try:
        found: Any = yaml.safe_load(path.read_text(encoding="utf-8-sig")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Refusal(f"读不出 {path.name}：应是 UTF-8 的 YAML，“问题: 回答”一行一个") from error
    if not isinstance(found, dict):
        raise Refusal(f"{path.name} 应是“问题: 回答”，一行一个")
    return {tuple(part.strip() for part in str(key).split("›")): str(value) for key, value in found.items()}


def run_export(register: str, username: str, out: Path, unit: str, period: str, purpose: str) -> int:
    """Every record that the account reads, by unit and key."""
    from jiaoheng.bureau.core import audit
    from jiaoheng.bureau.ledgers.exports import do_export, everything
    from jiaoheng.bureau.ledgers.imports.files import path_of
    from jiaoheng.cli.console import OK, Refusal, say

    form = out.suffix.lower().removeprefix(".")
    if form not in ("xlsx", "csv"):
        raise Refusal(f"“{out.name}”应以 .xlsx 或 .csv 结尾")
    account, row = _account(username), _register(register)
    chosen = everything(account, row, _period(period), _unit(unit) if unit else None)
    with audit.through("command"):
        kept = do_export(row, chosen, form=form, purpose=purpose, acting_user=account)
    shutil.copyfile(path_of(kept), out)
    say(f"已导出 {len(chosen.rows):,} 行：{out}")
    return OK


def run_template(register: str, unit: str, period: str, username: str, out: Path) -> int:
    """The template of one unit and period."""
    from jiaoheng.bureau.ledgers.templates import make_template
    from jiaoheng.cli.console import OK, say

    make_template(out, _register(register), _unit(unit), period=_period(period), account=_account(username))
    say(f"模板：{out}")
    return OK


def _account(username: str) -> Account:
    from jiaoheng.bureau.core.models import Account
    from jiaoheng.cli.console import Refusal

    found = Account.objects.select_related("home").filter(username=username.strip().lower()).first()
    if found is None or not found.is_active:
        raise Refusal(f"没有账号“{username}”，或已停用")
    return found


def _register(name: str) -> RegisterRow:
    from jiaoheng.bureau.ledgers.models import RegisterRow
    from jiaoheng.cli.console import Refusal

    found = RegisterRow.objects.filter(name=name).first() or RegisterRow.objects.filter(title=name).first()
    if found is None:
        known = "、".join(RegisterRow.objects.order_by("name").values_list("name", flat=True)[:30])
        raise Refusal(f"没有台账“{name}”。已有：{known or '（还没有装入台账，先运行 jiaoheng pack load）'}")
    return found


def _unit(code: str) -> Unit:
    from jiaoheng.bureau.core.models import Unit
    from jiaoheng.cli.console import Refusal

    found = Unit.objects.filter(code=code).first()
    if found is None:
        raise Refusal(f"无此单位：“{code}”，请核对单位代码")
    return found


def _period(code: str) -> Period | None:
    from jiaoheng.bureau.core.models import Period
    from jiaoheng.cli.console import Refusal

    if not code:
        return None
    found = Period.objects.filter(code=code).first()
    if found is None:
        raise Refusal(f"没有期次“{code}”，应如 2025（学年）、2025-1（学期）、2025-09（月）")
    return found
