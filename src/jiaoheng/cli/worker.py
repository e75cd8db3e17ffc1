"""`jiaoheng worker`: the process that reads and writes large imports and keeps the schedule."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from types import FrameType

import typer

Data = typer.Option(None, help="数据文件夹，默认取环境变量 JIAOHENG_DATA，再默认 ./jiaoheng-data。")


def worker(
    data: Path = Data,
    once: bool = typer.Option(False, help="做完排队的任务就退出。"),
    beside: int = typer.Option(0, hidden=True, help="服务的进程号：它没了，后台任务做完手头的就退出。"),
) -> None:
    """运行后台任务：大文件导入、催办、清理。可同时运行几个。"""
    if data is not None:
        os.environ["JIAOHENG_DATA"] = str(data)
    from jiaoheng.bureau.setup import start_django

    start_django()
    from jiaoheng.bureau.core.worker import Worker

    made = Worker()
    if once:
        made.look_around()
        while made.work_off_one():
            pass
        return
    stop = threading.Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, ask)
    if beside:
        threading.Thread(target=_mind, args=(beside, stop), name="parent", daemon=True).start()
    typer.echo(f"后台任务已启动（{made.name}）　按 Ctrl+C 停止")
    made.run(stop)


def _mind(server: int, stop: threading.Event) -> None:
    """A server that was killed ends nothing: its worker would go on beside the one of the next start, with old code."""
    import psutil  # type: ignore[import-untyped]

    try:
        born = psutil.Process(server).create_time()
        while not stop.wait(1.0):
            if psutil.Process(server).create_time() != born:  # its number was given to another process
                break
    except psutil.NoSuchProcess:
        pass
    stop.set()
