"""`jiaoheng serve`: the server of a bureau on one machine, with its worker, from one data folder."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import typer

from jiaoheng.cli.console import BAD_INPUT, FAULT

Data = typer.Option(None, help="数据文件夹，默认取环境变量 JIAOHENG_DATA，再默认 ./jiaoheng-data。")
_LOOK = 5.0  # seconds between two looks after the worker
_LEAVING = 3.0  # seconds that the processes of a killed server are given to let its port go
_GOES = 30  # seconds that the worker is given to finish what it does


def serve(
    port: int = typer.Option(8000, help="端口。"),
    host: str = typer.Option("127.0.0.1", help="监听地址；给局域网用时写本机地址或 0.0.0.0。"),
    data: Path = Data,
    worker: bool = typer.Option(True, help="同时启动后台作业（导入、催办）。"),
    server: str = typer.Option(
        "auto", metavar="auto|waitress|gunicorn", help="用哪种服务器；auto 为 Windows 用 waitress，其他用 gunicorn。"
    ),
    processes: int = typer.Option(0, min=0, max=64, help="gunicorn 的进程数，0 为自动。"),
) -> None:
    """启动教衡服务。"""
    if data is not None:
        os.environ["JIAOHENG_DATA"] = str(data)
    kind = _server_kind(server)
    _mind_demo(Path(os.environ.get("JIAOHENG_DATA", "jiaoheng-data")))
    _check_port(host, port)
    if host not in ("127.0.0.1", "localhost"):
        known = os.environ.get("JIAOHENG_HOSTS", "")
        own = host if host != "0.0.0.0" else "*"  # noqa: S104 (asked for by name)
        os.environ["JIAOHENG_HOSTS"] = f"{known},{own}" if known else own
    # a service manager ends the server with this signal: the worker must go with it, or it works on with old code
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    prepare()
    keeper = _Keeper() if worker else None
    typer.echo(f"教衡已启动：http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}　按 Ctrl+C 停止")  # noqa: S104 (asked for by name)
    try:
        if kind == "gunicorn":
            from jiaoheng.cli.gunicorn_server import run

            run(host, port, processes)
        else:
            _run_waitress(host, port)
    finally:
        if keeper is not None:
            keeper.end()


def _server_kind(asked: str) -> str:
    if asked not in ("auto", "waitress", "gunicorn"):
        typer.echo(f"没有叫“{asked}”的服务器，--server 可写 auto、waitress、gunicorn", err=True)
        raise typer.Exit(BAD_INPUT)
    if os.name == "nt":
        if asked == "gunicorn":
            typer.echo("Windows 上不能用 gunicorn，请去掉 --server 或写 waitress", err=True)
            raise typer.Exit(BAD_INPUT)
        return "waitress"
    return "gunicorn" if asked == "auto" else asked


def _run_waitress(host: str, port: int) -> None:
    import waitress
    from django.conf import settings

    from jiaoheng.bureau.wsgi import application

    waitress.serve(
        application,
        host=host,
        port=port,
        threads=8,
        ident=None,
        # heads of a proxy are read by our own rule (JIAOHENG_PROXIES); without a proxy nobody may send them
        clear_untrusted_proxy_headers=settings.PROXIES < 1,
        # a request reaches a thread only when it is whole: a slow sender holds a channel for two minutes, no thread
        channel_timeout=120,
        connection_limit=200,
        max_request_header_size=65_536,
        max_request_body_size=settings.MOST_BODY + (1 << 20),
    )


def _mind_demo(data: Path) -> None:
    """A folder that `jiaoheng demo build` made is served as a demo, and never in production: its password is known."""
    if not (data / "demo.json").is_file():
        return
    if os.environ.setdefault("JIAOHENG_ENV", "demo") != "demo":
        told = f"“{data}”是演示数据，账号密码人人知道，不能在 {os.environ['JIAOHENG_ENV']} 环境下启动。请换数据文件夹"
        typer.echo(f"{told}，或取消环境变量 JIAOHENG_ENV", err=True)
        raise typer.Exit(BAD_INPUT)


def prepare() -> None:
    """Bring the database to this version after a backup, repair what a crash left, lay the static files out."""
    from jiaoheng.bureau.setup import start_django

    start_django()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections

    from jiaoheng.bureau.core.refusals import RefusedError
    from jiaoheng.bureau.operations.tidying import tidy
    from jiaoheng.bureau.operations.upgrading import upgrade

    settings.DATA.mkdir(parents=True, exist_ok=True)
    try:
        upgrade(tell=typer.echo)
    except RefusedError as refused:
        typer.echo(f"没有启动：{refused}。", err=True)
        raise typer.Exit(BAD_INPUT) from None
    for done in tidy():
        typer.echo(f"{done}。")
    call_command("collectstatic", interactive=False, verbosity=0)
    connections.close_all()  # the server's processes are forked from this one and open their own


def _check_port(host: str, port: int) -> None:
    end = time.monotonic() + _LEAVING
    while (error := _cannot_bind(host, port)) is not None:
        if error.errno != errno.EADDRINUSE:
            typer.echo(f"不能在 {host}:{port} 上监听：{error.strerror}。请核对地址，或换一个大于 1024 的端口", err=True)
            raise typer.Exit(FAULT)
        if time.monotonic() > end:  # the orphans of a killed server let it go within a second or two
            typer.echo(f"端口 {port} 已被别的程序占用。请换一个：jiaoheng serve --port {port + 1}", err=True)
            raise typer.Exit(BAD_INPUT)
        time.sleep(0.2)


def _cannot_bind(host: str, port: int) -> OSError | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
    return None


class _Keeper:
    """The worker beside the server: started with it, started anew where it was killed, ended with it."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._child = self._start()
        threading.Thread(target=self._watch, name="keeper", daemon=True).start()

    def end(self) -> None:
        """Ask the worker to stop after what it does; a job that takes longer is taken back at the next start."""
        self._over.set()
        self._child.terminate()
        try:
            self._child.wait(timeout=_GOES)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "jiaoheng", "worker", "--beside", str(os.getpid())])

    def _watch(self) -> None:
        """Long pauses: a worker that cannot start at all must not be started without end."""
        while not self._over.wait(_LOOK):
            if self._child.poll() is not None:
                typer.echo("后台任务意外结束，已重新启动", err=True)
                self._child = self._start()
