"""Sections of docs/benchmarks.md, and what every table says of its machine."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Sequence
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"


def record(heading: str, lines: Sequence[str]) -> None:
    """Put the section into the page, leaving the others as they are."""
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Benchmarks\n"
    head, found, tail = text.partition(f"## {heading}\n")
    rest = tail[tail.index("\n## ") + 1 :] if found and "\n## " in tail else ""
    section = f"## {heading}\n\n" + "\n".join(lines) + "\n"
    PAGE.write_text(head.rstrip() + "\n\n" + section + ("\n" + rest if rest else ""), encoding="utf-8")


def machine(packages: Sequence[str]) -> str:
    """Cores, memory, system and versions in one sentence; how busy the machine was."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    return (
        f"Machine: {os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}; {versions}. Load over 15 minutes while it ran: {os.getloadavg()[2]:.1f}."
    )
