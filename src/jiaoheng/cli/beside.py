"""Work that goes on beside the main work on another core, where the system can fork; else it is done first.

Only for work that writes files and gives nothing back: the child is a copy of this process and ends with it.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_CAN_FORK = sys.platform.startswith("linux") and (os.cpu_count() or 1) > 1


@contextmanager
def beside(work: Callable[[], None]) -> Iterator[None]:
    """Run `work` in a child process during the block; its exception is raised at the end of the block.

    Where the block itself fails the child is ended. OSErrors keep their number and file name.
    """
    if not _CAN_FORK:
        work()
        yield
        return
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        _child(work, receiving, sending)
    os.close(sending)
    try:
        yield
    except BaseException:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(receiving)
        raise
    with os.fdopen(receiving, "rb") as stream:
        told = stream.read()
    _, status = os.waitpid(child, 0)
    if told:
        raise pickle.loads(told)  # noqa: S301 (from our own copy, over our own pipe)
    if status != 0:
        raise MemoryError("the child process was ended by the system")


def _child(work: Callable[[], None], receiving: int, sending: int) -> None:
    """The child's whole life; it never returns into the parent's code."""
    code = 0
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted too and ends the child
        os.close(receiving)
        work()
    except BaseException as error:
        code = 1
        with suppress(BaseException):
            try:
                told = pickle.dumps(error)
            except Exception:  # an exception that cannot travel
                told = pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))
            os.write(sending, told)
    finally:
        os._exit(code)
