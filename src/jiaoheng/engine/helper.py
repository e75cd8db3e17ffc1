"""One helper process on another core: calls of functions go in, their results come back in the order of asking.

The helper is a fresh Python that imports what it needs, not a copy of this process, so threads, locks and buffers here
do not matter. It ends when this process closes it or dies. Calls travel as pickles between our own two processes; a
function must be importable by its name. What a helper did not answer (it was killed, it crashed) is done here.
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from fractions import Fraction
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any, Generic, ParamSpec, TypeVar, cast

import jiaoheng

_P = ParamSpec("_P")
_T = TypeVar("_T")
_LENGTH = struct.Struct(">Q")
_PACKAGE = str(Path(jiaoheng.__file__).resolve().parent.parent)
_Asked = tuple[bytes, Future[Any]]


class _DiedError(Exception):
    """The helper ended before it answered."""


class Answer(Generic[_T]):
    """The result of a call that was asked for."""

    def __init__(self, call: Callable[[], _T], future: Future[_T] | None) -> None:
        self._call, self._future = call, future

    def done(self) -> bool:
        """Whether `result` has not to wait for the helper."""
        return self._future is None or self._future.done()

    def when_done(self, follow: Callable[[_T], object]) -> None:
        """Have a good result of the helper handed on as soon as it is there, in another thread."""
        if self._future is not None:
            self._future.add_done_callback(lambda done: follow(done.result()) if done.exception() is None else None)

    def result(self) -> _T:
        """Wait for the result; raises what the call raised (OSErrors keep their number and file name).

        Where there is no helper, or none any more, the call is made here and now.
        """
        if self._future is not None:
            try:
                return self._future.result()
            except _DiedError:
                self._future = None
        future: Future[_T] = Future()
        try:
            future.set_result(self._call())
        except Exception as error:
            future.set_exception(error)
        self._future = future
        return future.result()


class Helper:
    """A helper process; use as a context manager. Where none can be started, calls are made when they are asked for."""

    def __init__(self, *, start: bool = True) -> None:
        """`start` False: no process, every call is made here."""
        self._asked: SimpleQueue[_Asked | None] = SimpleQueue()
        self._process = _started() if start and (os.cpu_count() or 1) > 1 else None
        if self._process is not None:
            threading.Thread(target=self._exchange, args=(self._process,), daemon=True, name="helper").start()

    @property
    def running(self) -> bool:
        """Whether calls are made beside this process."""
        return self._process is not None

    def __enter__(self) -> Helper:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(self, function: Callable[_P, _T], *args: _P.args, **options: _P.kwargs) -> Answer[_T]:
        """Ask for a call of a function without effects but the files it writes: it may have to be made once more."""
        call = partial(function, *args, **options)
        if self._process is None:
            return Answer(call, None)
        future: Future[_T] = Future()
        self._asked.put((_packed((function, args, options)), future))
        return Answer(call, future)

    def close(self) -> None:
        """End the helper at once, whatever it does; what was not answered fails."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            self._asked.put(None)

    def _exchange(self, process: subprocess.Popen[bytes]) -> None:
        """The thread that asks one question after another and hands out the answers."""
        stdin, stdout = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
        alive = True
        while (asked := self._asked.get()) is not None:
            call, future = asked
            try:
                if not alive:
                    raise EOFError
                _write(stdin, call)
                answer = _read(stdout)
            except (OSError, ValueError, EOFError):
                alive = False
                future.set_exception(_DiedError())
                continue
            try:
                good, value = pickle.loads(answer)  # noqa: S301 (our own code, over our own pipe)
            except Exception as error:  # no answer may stop this thread: somebody waits
                good, value = False, error
            future.set_result(value) if good else future.set_exception(value)
        for stream in (stdin, stdout):
            with contextlib.suppress(OSError):
                stream.close()


def _started() -> subprocess.Popen[bytes] | None:
    paths = [_PACKAGE, os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}
    try:
        return subprocess.Popen(
            # -P: a file named like a module in the current folder must not be imported
            [sys.executable, "-P", "-m", "jiaoheng.engine.helper"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError:
        return None


def _write(stream: IO[bytes], frame: bytes) -> None:
    stream.write(_LENGTH.pack(len(frame)))
    stream.write(frame)
    stream.flush()


def _read(stream: IO[bytes]) -> bytes:
    """The next frame; EOFError at the end of the stream."""
    head = stream.read(_LENGTH.size)
    size = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else -1
    frame = stream.read(max(0, size))
    if len(frame) != size:
        raise EOFError
    return frame


def _answered(call: bytes) -> bytes:
    """Make a call; the answer as a frame, whatever happens in it."""
    try:
        function, args, options = pickle.loads(call)  # noqa: S301 (our own code, over our own pipe)
        return _packed((True, function(*args, **options)))
    except BaseException as error:
        try:
            told = _packed((False, error))
            pickle.loads(told)  # noqa: S301 (exceptions may pickle and not come back)
        except Exception:
            told = _packed((False, RuntimeError(f"{type(error).__name__}: {error}")))
        return told


class _Packer(pickle.Pickler):
    """Fractions travel as two integers; by themselves they travel as text and are parsed again."""

    dispatch_table = {Fraction: lambda value: (Fraction, (value.numerator, value.denominator))}


def _packed(value: object) -> bytes:
    stream = io.BytesIO()
    _Packer(stream, protocol=5).dump(value)
    return stream.getvalue()


def main() -> None:
    """The helper's whole life: calls from stdin, answers to what was stdout, the end when the asker is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the asker too, who ends the helper
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get among the answers
    with contextlib.suppress(EOFError, OSError):
        while True:
            _write(answers, _answered(_read(sys.stdin.buffer)))


if __name__ == "__main__":
    main()
