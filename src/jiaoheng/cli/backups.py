"""`jiaoheng backup`, `restore`, `move`, `upgrade`. Django is loaded inside the commands."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import typer

File = typer.Argument(
    None,
    metavar="文件",
    help="备份文件，或放备份的文件夹；不写则放进 JIAOHENG_BACKUP_FOLDER，再默认数据文件夹下的 backups。",
)
Archive = typer.Argument(..., metavar="备份文件", help="要恢复的备份。", show_default=False)
Data = typer.Option(
    None, "--data", metavar="文件夹", help="数据文件夹，默认取环境变量 JIAOHENG_DATA，再默认 ./jiaoheng-data。"
)


def backup(
    file: Path = File,
    listing: bool = typer.Option(False, "--list", help="只列出这个文件夹（文件）里的备份。"),
    check: bool = typer.Option(False, "--verify", help="只核对这一份备份是否完整，不写任何数据。"),
    keep: int = typer.Option(
        0, "--keep", min=0, metavar="份数", help="备份好以后，这个文件夹里只留最新的几份，0 为全留。"
    ),
    new_key: bool = typer.Option(False, "--new-key", help="只做一把备份密钥。“文件”是放密钥的位置。"),
    data: Path = Data,
) -> None:
    """备份：整个系统装进一个加密的文件，备份时可以照常使用。"""
    if listing:
        _run(lambda: _list(file), data)
    elif check:
        _run(lambda: _verify(file), data)
    elif new_key:
        _run(lambda: _new_key(file), data)
    else:
        _run(lambda: _back_up(file, keep), data)


def restore(
    file: Path = Archive,
    without_data_keys: bool = typer.Option(
        False, "--without-data-keys", help="数据密钥确已遗失时也恢复；加密的证件号等将打不开。"
    ),
    data: Path = Data,
) -> None:
    """恢复：把一份备份装进空的数据文件夹（或空数据库）。"""
    _run(lambda: _restore(file, without_data_keys), data)


def move(
    database_url: str = typer.Argument(
        ..., metavar="DATABASE_URL", help="空的 PostgreSQL 数据库，如 postgres://用户@主机/库名。"
    ),
    data: Path = Data,
) -> None:
    """搬家：把 SQLite 里的全部数据搬进 PostgreSQL。"""
    _run(lambda: _move(database_url), data)


def upgrade(
    data: Path = Data,
    no_backup: bool = typer.Option(False, "--no-backup", help="升级前不备份（已另行备份时用）。"),
) -> None:
    """升级数据库到本程序的版本；升级前先备份。"""
    _run(lambda: _upgrade(no_backup), data)


def _run(work: Callable[[], int], data: Path | None) -> None:
    from jiaoheng.bureau.core.refusals import RefusedError
    from jiaoheng.bureau.setup import start_django
    from jiaoheng.cli.console import Refusal, guarded

    if data is not None:
        os.environ["JIAOHENG_DATA"] = str(data)

    def told() -> int:
        start_django()
        try:
            return work()
        except RefusedError as refused:
            raise Refusal(f"{refused}。") from refused

    raise typer.Exit(guarded(told))


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def _back_up(file: Path | None, keep: int) -> int:
    from jiaoheng.bureau.operations.backup import back_up
    from jiaoheng.cli.console import OK, counted_progress, say, tell

    with counted_progress() as progress:
        made = back_up(file, keep=keep, progress=progress)
    kept = made.contents
    say(f"已备份：{made.path}（{_megabytes(made.size)}，用时 {made.seconds:.1f} 秒，已核对）")
    say(f"内容：{len(kept.tables)} 张表 {kept.rows} 行，{len(kept.files)} 个文件 {_megabytes(kept.size)}")
    say(f"恢复时需要编号 {made.key} 的备份密钥，它不在备份里，请另处保存。")
    for name in kept.missing:
        tell(f"注意：附件 {name} 在磁盘上找不到，没有备份。")
    for name in kept.damaged:
        tell(f"注意：附件 {name} 与上传时不同，已按现状备份。")
    return OK


def _list(file: Path | None) -> int:
    from jiaoheng.bureau.core import clock
    from jiaoheng.bureau.operations.catalogue import listed
    from jiaoheng.bureau.operations.places import backups_folder
    from jiaoheng.cli.console import OK, say

    place = file or backups_folder()
    found = listed(place) if place.exists() else []
    if not found:
        say(f"“{place}”里没有备份。")
    for one in found:
        if one.made_at is None:
            say(f"{one.path.name}　{one.problem}")
        else:
            when = f"{clock.local(one.made_at):%Y-%m-%d %H:%M}"
            say(f"{one.path.name}　{when}　{_megabytes(one.size)}　版本 {one.version}　密钥 {one.key}")
    return OK


def _verify(file: Path | None) -> int:
    from jiaoheng.bureau.operations.archive import open_head_of, verify
    from jiaoheng.bureau.operations.catalogue import listed
    from jiaoheng.bureau.operations.keys import need_key
    from jiaoheng.bureau.operations.places import backups_folder
    from jiaoheng.cli.console import OK, Refusal, counted_progress, say

    place = file or backups_folder()
    if place.is_dir():
        newest = next((one.path for one in listed(place)), None)
        if newest is None:
            raise Refusal(f"“{place}”里没有备份，请给出备份文件。")
        place = newest
    key = need_key(f"核对“{place.name}”", str(open_head_of(place).get("key", "")))
    with counted_progress() as progress:
        archive = verify(place, key, progress)
    kept = archive.contents
    say(
        f"完整：{place.name}，{len(kept.tables)} 张表 {kept.rows} 行，{len(kept.files)} 个文件，版本 {archive.open_head['version']}"
    )
    return OK


def _new_key(file: Path | None) -> int:
    from jiaoheng.bureau.operations.keys import FILE_VARIABLE, key_path, make_key
    from jiaoheng.cli.console import OK, say

    made = make_key(file)
    say(f"已做好编号 {made.name} 的备份密钥：{file or key_path()}")
    say("没有它，备份就打不开。请复制到优盘或保险柜，不要和备份放在一起。")
    if file is not None and file.resolve() != key_path().resolve():
        say(f"使用它：设环境变量 {FILE_VARIABLE}={file}")
    return OK


def _restore(file: Path, without_data_keys: bool) -> int:
    from jiaoheng.bureau.core.audit_chain import verify
    from jiaoheng.bureau.operations.restore import restore as bring_back
    from jiaoheng.cli.console import FAULT, OK, counted_progress, say, tell

    with counted_progress() as progress:
        restored = bring_back(file, without_data_keys=without_data_keys, progress=progress)
    kept = restored.archive.contents
    say(f"已恢复：{len(kept.tables)} 张表 {kept.rows} 行，{len(kept.files)} 个文件，用时 {restored.seconds:.1f} 秒")
    if restored.upgraded:
        say(
            f"这份备份由较早的版本 {restored.archive.open_head['version']} 制作，已升级 {len(restored.upgraded)} 步到本版本。"
        )
    for name in kept.missing:
        tell(f"注意：附件 {name} 制作备份时就已缺失。")
    verdict = verify()
    say(f"操作记录{verdict.sentence}。")
    say("所有人需要重新登录。下一步：jiaoheng doctor")
    return OK if verdict.whole else FAULT


def _move(database_url: str) -> int:
    from jiaoheng.bureau.operations.moving import move as move_house
    from jiaoheng.cli.console import OK, counted_progress, say

    with counted_progress() as progress:
        moved = move_house(database_url, progress=progress)
    say(f"已搬家：{moved.tables} 张表 {moved.rows} 行，逐行核对一致，用时 {moved.seconds:.1f} 秒")
    say("附件仍在原来的数据文件夹。今后启动前设环境变量 DATABASE_URL；原来的 SQLite 文件保留备查，不再使用。")
    return OK


def _upgrade(no_backup: bool) -> int:
    from jiaoheng.bureau.operations.upgrading import upgrade as bring_up
    from jiaoheng.cli.console import OK, counted_progress, say

    with counted_progress() as progress:
        done = bring_up(backup_first=not no_backup, tell=say, progress=progress)
    say(f"已升级 {len(done)} 步。" if done else "数据库已是本程序的版本。")
    return OK
