"""Our side of the reading process: start it, ask it, watch it, replace it when a file has killed it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, cast

import psutil  # type: ignore[import-untyped]

import jiaoheng
from jiaoheng.sheets.limits import MB, Limits
from jiaoheng.sheets.raw_sheets import RefusalError
from jiaoheng.sheets.wire import WireError, read_frame

Frame = tuple[dict[str, Any], bytes]
_PACKAGE = str(Path(jiaoheng.__file__).resolve().parent.parent)
_LOOK = 0.1  # seconds between two looks at the memory, where the system does not bound it
_SYSTEM_BOUNDS_MEMORY = sys.platform.startswith("linux")
_SUSPECT = "文件可能已损坏或是恶意文件；请用 Excel 或 WPS 另存为 xlsx 后再交"
_SMALLER = "请删去多余的工作表和空行空列，或拆成几个文件再交"


class ReaderProcess:
    """One reading process, used for one file after another. Close it in the end; it leaves nothing behind."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._helper: ReaderProcess | None = None

    def helper(self) -> ReaderProcess:
        """A second process beside this one, ended with it."""
        if self._helper is None:
            self._helper = ReaderProcess()
        return self._helper

    def frames(self, path: Path, limits: Limits, want: str = "all") -> Iterator[Frame]:
        """All frames about one file, the last one of type "end"; `want` as in `open_file`.

        Raises RefusalError where the process died, ran too long, took too much memory or spoke nonsense.
        """
        process = self._started()
        request = {"path": os.path.abspath(path), "limits": asdict(limits), "want": want}
        watch = _Watch(process, limits)
        finished = False
        try:
            stdin, stdout = cast(BinaryIO, process.stdin), cast(BinaryIO, process.stdout)
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()
            while True:
                head, body = read_frame(stdout)
                if head.get("t") == "end":
                    finished = not head.get("spent")
                    yield head, body
                    return
                yield head, body
        except (WireError, OSError) as error:
            watch.stop()
            raise self._refusal(watch, limits) from error
        finally:
            watch.stop()
            if not finished:
                self._end()

    def stop(self) -> None:
        """End the process at once, from any thread; whoever reads its frames gets a RefusalError."""
        process = self._process
        if process is not None:
            with contextlib.suppress(OSError):
                process.kill()

    def kill(self) -> None:
        """End the process and its helper at once and wait for them, so that no zombie stays."""
        if self._helper is not None:
            self._helper.kill()
        self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        process.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end()
        paths = [_PACKAGE, os.environ.get("PYTHONPATH", "")]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}
        self._process = subprocess.Popen(
            # -P: a file named like a module in the current folder must not be imported
            [sys.executable, "-P", "-m", "jiaoheng.sheets.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        return self._process

    def _refusal(self, watch: _Watch, limits: Limits) -> RefusalError:
        """Why the process is no more."""
        process = self._process
        code = None
        if process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = process.wait(timeout=5)  # its pipe is closed, it is about to end
        if watch.reason == "time" or code == -getattr(signal, "SIGXCPU", 1_000):
            return RefusalError("file-too-slow", f"读取超过 {limits.seconds} 秒仍未完成，已停止", _SMALLER)
        if watch.reason == "memory" or code in (-getattr(signal, "SIGABRT", 1_000), 0xC0000409):
            told = f"读取它需要的内存超过上限 {limits.memory_bytes // MB} MB，已停止"
            return RefusalError("file-too-much-memory", told, _SMALLER)
        return RefusalError("file-crashed", f"解析程序读到这个文件时异常退出（代码 {code}）", _SUSPECT)


class _Watch:
    """Kills the process when its time is over, or its memory where the system itself does not bound it."""

    def __init__(self, process: subprocess.Popen[bytes], limits: Limits) -> None:
        self.reason = ""
        self._process = process
        self._end = time.monotonic() + limits.wall_seconds
        self._memory = limits.memory_bytes
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="reader-watch")
        self._thread.start()

    def stop(self) -> None:
        """End the watch."""
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            left = self._end - time.monotonic()
            if self._done.wait(max(0.0, left) if _SYSTEM_BOUNDS_MEMORY else min(_LOOK, max(0.0, left))):
                return
            if time.monotonic() >= self._end:
                self._kill("time")
                return
            if not _SYSTEM_BOUNDS_MEMORY and self._resident() > self._memory:
                self._kill("memory")
                return

    def _resident(self) -> int:
        try:
            return int(psutil.Process(self._process.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def _kill(self, reason: str) -> None:
        self.reason = reason
        with contextlib.suppress(OSError):
            self._process.kill()
