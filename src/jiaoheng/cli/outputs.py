"""A folder of results that appears whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jiaoheng.cli.console import Refusal


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Gives an empty folder beside `out`; when the block ends well its contents are moved into `out`.

    Files of other origin that are already in `out` stay. A folder of the same name is replaced as a whole.
    On any exception nothing in `out` has changed. Raises Refusal where `out` is a file, OSError where the place
    cannot be written.
    """
    out = Path(os.path.abspath(out))
    if out.exists() and not out.is_dir():
        raise Refusal(f"“{out}”是一个文件，不能作为结果文件夹。请换一个位置（--out）。")
    existing = out
    while not existing.exists():
        existing = existing.parent
    if not os.access(existing, os.W_OK):
        raise PermissionError(13, "no permission", str(out))
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}-未完成-", dir=out.parent))
    try:
        yield work
        _move_in(work, out)
    except BaseException:
        for folder in made[1:]:  # parents that only we made; they are empty
            _remove_if_empty(folder, after=work)
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _remove_if_empty(folder: Path, after: Path) -> None:
    shutil.rmtree(after, ignore_errors=True)
    try:
        folder.rmdir()
    except OSError:
        return


def _move_in(work: Path, out: Path) -> None:
    if not out.exists():
        umask = os.umask(0)
        os.umask(umask)
        work.chmod(0o777 & ~umask)  # mkdtemp makes it private; a result folder is as any other
        os.replace(work, out)
        return
    for entry in sorted(work.iterdir()):
        target = out / entry.name
        if target.is_dir() and not target.is_symlink():
            old = Path(tempfile.mkdtemp(prefix=".旧-", dir=out))
            os.replace(target, old / entry.name)
            os.replace(entry, target)
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.replace(entry, target)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside `path`; moved onto it when the block ends well."""
    path = Path(os.path.abspath(path))
    if path.is_dir():
        raise Refusal(f"“{path}”是一个文件夹，请给出文件名，如 {path / '待确认.xlsx'}。")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
