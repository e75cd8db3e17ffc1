"""Run bandit over the program in one process for each core, and ask for a reason beside everything it finds.

A finding stands only where its own line says `# noqa: S608 (why)`: ruff's S rules have bandit's numbers, so that one
remark answers both. Tests that are left out altogether stand with their reasons in pyproject.toml, [tool.bandit].
usage: python scripts/security_lint.py [PATH...]
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
_REASON = re.compile(r"#\s*noqa:\s*([A-Z0-9, ]+?)\s*(?:\(|-\s)\s*\S")


def explained(line: str, test: str) -> bool:
    """Whether a line names the ruff rule of a bandit test (B608: S608) and says why."""
    found = _REASON.search(line)
    return found is not None and f"S{test[1:]}" in {one.strip() for one in found[1].split(",")}


def parts(files: Sequence[Path], count: int) -> list[list[str]]:
    """The files in so many heaps of about the same size."""
    heaps: list[list[str]] = [[] for _ in range(count)]
    sizes = [0] * count
    for path in sorted(files, key=lambda one: -one.stat().st_size):
        least = sizes.index(min(sizes))
        heaps[least].append(str(path))
        sizes[least] += path.stat().st_size
    return [heap for heap in heaps if heap]


def main(paths: Sequence[str]) -> int:
    """Print findings without a reason; 1 where there is one or bandit could not read a file."""
    wanted = [Path(one) for one in paths] or [ROOT / "src", ROOT / "scripts"]
    files = [path for one in wanted for path in ([one] if one.is_file() else one.rglob("*.py"))]
    command = [sys.executable, "-m", "bandit", "-q", "-f", "json", "-c", str(ROOT / "pyproject.toml")]
    running = [
        subprocess.Popen([*command, *heap], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for heap in parts(files, os.cpu_count() or 1)
    ]
    open_ones = answered = 0
    for one in running:
        out, error = one.communicate()
        if one.returncode not in (0, 1):
            print(error, file=sys.stderr)
            return 1
        report = json.loads(out)
        for fault in report["errors"]:
            print(f"{fault['filename']}: {fault['reason']}")
            open_ones += 1
        for found in report["results"]:
            lines = Path(found["filename"]).read_text(encoding="utf-8").splitlines()
            span = range(found["line_number"], max([found["line_number"], *found["line_range"]]) + 1)
            if any(explained(lines[number - 1], found["test_id"]) for number in span):
                answered += 1
                continue
            open_ones += 1
            where = f"{found['filename']}:{found['line_number']}"
            print(f"{where}: {found['test_id']} {found['issue_text']} Mend it, or say why beside it.")
    print(f"bandit: {len(files)} files, {answered} findings with their reason beside them, {open_ones} without.")
    return 1 if open_ones else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
