"""The figures of a load run as Markdown, and their place in docs/assurance.md."""

from __future__ import annotations

import os
import platform
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

PLACE = Path(__file__).resolve().parent.parent / "docs" / "assurance.md"
SECTION = "## Load"
UNMEASURED = "load (100 users on PostgreSQL, 30 on SQLite, ten minutes), "  # said as long as there was no section
SAYS = """Real sessions over real connections against `jiaoheng serve` with its worker, on a copy of the whole demonstration.
A person waits 2 to 8 seconds between two clicks; one click is one sample, with the redirects it is answered with, until
the last byte. Everybody signs in with an account of his own within the first minute; limits of requests are on. Writes go
into a ledger of the run's own when the server has acknowledged them; afterwards each must be in the base exactly once, and
nothing else. Client, server and database share the machine's cores."""
DOES_NOT = """Not shown: a network, browsers drawing the pages, more than one machine, files above the size that is read at
once, a day's length."""


def quantile(times: list[float], share: float) -> float:
    """The smallest time that this share of the samples does not exceed."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, max(0, -(-int(len(ordered) * share * 1000) // 1000) - 1))]


def table(samples: list[dict[str, Any]]) -> list[str]:
    """Kind of click: count, errors, middle, p95, largest, in milliseconds."""
    kinds: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in samples:
        kinds[one["kind"]].append(one)
    lines = ["| click | count | errors | p50, ms | p95, ms | max, ms |", "|---|---:|---:|---:|---:|---:|"]
    for kind, rows in [*sorted(kinds.items()), ("**all**", samples)]:
        times, wrong = [one["ms"] for one in rows], sum(bool(one["wrong"]) for one in rows)
        p50, p95 = quantile(times, 0.5), quantile(times, 0.95)
        lines.append(f"| {kind} | {len(rows)} | {wrong} | {p50:.0f} | {p95:.0f} | {max(times):.0f} |")
    return lines


def story(run: dict[str, Any]) -> list[str]:
    """The whole of one run: what was done, the table, what the base held afterwards."""
    writes = "、".join(f"{what} {count}" for what, count in sorted(run["checked"]["writes"].items())).replace(
        "、", ", "
    )
    cores = os.cpu_count()
    cpu = "; ".join(
        f"{name} {seconds:.0f} s ({seconds / run['seconds'] * 100:.0f} % of one core)"
        for name, seconds in run["cpu"].items()
    )
    wrong = Counter(re.sub(r"\d+", "N", one["wrong"]) for one in run["samples"] if one["wrong"])
    errors = ", ".join(f"{count} × {what}" for what, count in wrong.most_common(10)) or "0"
    losses = "; ".join(run["checked"]["wrong"][:10]) or "none lost, none doubled, none that nobody acknowledged"
    return [
        f"`{run['command']}`: {run['users']} people, {run['seconds'] / 60:.1f} minutes, {run['version']};"
        f" {platform.machine()}, {cores} cores, Python {platform.python_version()}, load of the machine at the end"
        f" {os.getloadavg()[1]:.1f}; {run['sizes']['records']:,} records.",
        "",
        f"{len(run['samples'])} clicks, errors: {errors}. Processor: {cpu}. Memory of the server at most"
        f" {run['memory'] / 1e6:.0f} MB.",
        "",
        *table(run["samples"]),
        "",
        f"Acknowledged writes: {writes}; {run['checked']['versions']} versions. Found in the base: {losses}. In doubt"
        f" (sent, never answered): {run['checked']['doubt']}. Answered with a sentence instead of done:"
        f" {len(run['refusals'])}. `jiaoheng audit verify`: {run['audit'][1].strip()} `jiaoheng doctor`: exit code"
        f" {run['doctor'][0]}.",
    ]


def record(run: dict[str, Any]) -> None:
    """Put the run into the section of docs/assurance.md, in the place of the last one on this kind of base."""
    text = PLACE.read_text(encoding="utf-8").replace(UNMEASURED, "")
    head, found, rest = text.partition(f"\n{SECTION}\n")
    inside, more, tail = rest.partition("\n## ")
    parts = dict(re.findall(r"^### (\w+)\n(.*?)(?=^### |\Z)", inside, re.DOTALL | re.MULTILINE)) if found else {}
    parts[run["base"]] = "\n" + "\n".join(story(run)) + "\n\n"
    body = "".join(f"### {name}\n{parts[name]}" for name in sorted(parts))
    section = f"\n{SECTION}\n\n{SAYS}\n\n{body}{DOES_NOT}\n"
    PLACE.write_text(f"{head.rstrip()}\n{section}" + (f"\n## {tail}" if more else ""), encoding="utf-8")
