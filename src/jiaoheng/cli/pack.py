"""`jiaoheng pack …`: check a folder of registers and code tables, load it into the bureau's database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from jiaoheng.registers.loading import Pack
    from jiaoheng.registers.model import SchemaError

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Folder = typer.Argument(..., metavar="文件夹", help="装有 registers 和 codes 的文件夹。", show_default=False)
OwnOrShipped = typer.Argument(
    None, metavar="文件夹", help="装有 registers 和 codes 的文件夹；不写则装入随程序提供的台账。", show_default=False
)


@app.command("check", help="检查台账包：registers 和 codes 文件夹里的每个文件，列出所有错误的文件和行。")
def check(
    folder: Path = Folder,
) -> None:
    """All errors with file and line; knows no database."""
    from jiaoheng.cli.console import guarded

    raise typer.Exit(guarded(lambda: run_check(folder)))


@app.command("load", help="把台账包装入数据库；已装入的原样不动，新版本逐字段说明旧记录会怎样。")
def load(
    folder: Path = OwnOrShipped,
) -> None:
    """Idempotent; refused with the remedy where records would become unreadable."""
    from jiaoheng.cli.console import guarded

    raise typer.Exit(guarded(lambda: run_load(folder)))


def run_check(folder: Path) -> int:
    """Check a folder; 0, or 2 with every error on standard output."""
    from jiaoheng.cli.console import BAD_INPUT, OK, say
    from jiaoheng.registers.model import SchemaError

    try:
        pack = _read(folder)
    except SchemaError as error:
        _show(error)
        return BAD_INPUT
    for group in pack.registers.values():
        newest = group[-1]
        say(f"{newest.title}（{newest.name}）：第 {newest.version} 版，{len(newest.fields)} 个字段")
    say(f"没有错误：{len(pack.registers)} 张台账，{len(pack.tables)} 张代码表")
    return OK


def run_load(folder: Path | None) -> int:
    """Load a folder (None: the shipped packs) into the database of JIAOHENG_DATA or DATABASE_URL."""
    from jiaoheng.bureau.setup import start_django
    from jiaoheng.cli.console import BAD_INPUT, OK, say, tell
    from jiaoheng.registers.loading import load_shipped
    from jiaoheng.registers.model import SchemaError

    try:
        pack = load_shipped() if folder is None else _read(folder)
    except SchemaError as error:
        _show(error)
        return BAD_INPUT
    start_django()
    from jiaoheng.bureau.core.refusals import RefusedError
    from jiaoheng.bureau.ledgers.actions_registers import load_pack

    if not _has_tables():
        tell("数据库里还没有台账的表。请先运行一次 jiaoheng serve，再装入。")
        return BAD_INPUT
    try:
        done = load_pack(pack, acting_user=None, source="随程序提供" if folder is None else folder.name)
    except RefusedError as refused:
        for line in str(refused).splitlines():
            tell(f"{line}。")
        tell("没有装入任何内容。")
        return BAD_INPUT
    for line in done.sentences():
        say(line)
    return OK


def _has_tables() -> bool:
    """Whether the database was set up; a data folder that is not there yet is an empty one."""
    from django.conf import settings
    from django.db import connection

    from jiaoheng.bureau.ledgers.models import RegisterRow

    settings.DATA.mkdir(parents=True, exist_ok=True)
    return RegisterRow._meta.db_table in connection.introspection.table_names()


def _read(folder: Path) -> Pack:
    from jiaoheng.cli.console import Refusal
    from jiaoheng.registers.loading import load_folder, load_shipped

    if not folder.is_dir():
        raise Refusal(f"找不到文件夹“{folder}”。请给出装有 registers 和 codes 的文件夹。")
    return load_folder(folder, base=load_shipped())


def _show(error: SchemaError) -> None:
    from jiaoheng.cli.console import say, tell

    for one in error.errors:
        say(str(one))
    tell(f"共 {len(error.errors)} 处错误。")
