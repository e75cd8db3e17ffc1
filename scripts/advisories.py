"""Compare the pins of requirements/*.txt with the dated list of known faults beside them. Needs no network.

usage: python scripts/advisories.py [FOLDER]   ends with 1 and names pin, range and advisory where one falls into a range
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)")


@dataclass(frozen=True, slots=True)
class Pin:
    """One pinned version and the lock file it stands in."""

    name: str
    version: Version
    place: str


@dataclass(frozen=True, slots=True)
class Advisory:
    """One known fault: ids, the ranges that have it (any of them), and in a few words what it is."""

    name: str
    ids: tuple[str, ...]
    affected: tuple[SpecifierSet, ...]
    what: str

    def hits(self, pin: Pin) -> bool:
        """Whether a pin is one of the affected versions, pre-releases included."""
        return pin.name == self.name and any(one.contains(pin.version, prereleases=True) for one in self.affected)


def pins_in(folder: Path) -> Iterator[Pin]:
    """Every pin of the lock files, in file order."""
    for path in sorted(folder.glob("*.txt")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            found = _PIN.match(line)
            if found:
                yield Pin(canonicalize_name(found[1]), Version(found[2]), f"{path.name}:{number}")


def advisories_in(path: Path) -> tuple[dict[str, str], list[Advisory]]:
    """(dates of the list, its advisories). ValueError where an entry has no id or no range."""
    body = yaml.safe_load(path.read_text(encoding="utf-8"))
    made = []
    for name, entries in body["advisories"].items():
        for one in entries:
            ranges = tuple(SpecifierSet(part.strip()) for part in one["affected"].split("||"))
            if not one["ids"] or not all(str(part) for part in ranges):
                raise ValueError(f"{name}: an advisory needs ids and ranges")
            made.append(Advisory(canonicalize_name(name), tuple(one["ids"]), ranges, one["what"]))
    return {"dated": str(body["dated"]), "checked": str(body["checked"])}, made


def main(folder: Path) -> int:
    """Print what was compared and every hit; 1 where there is one, or where there was nothing to compare."""
    dates, known = advisories_in(folder / "advisories.yaml")
    pins = list(pins_in(folder))
    hits = [(pin, one) for pin in pins for one in known if one.hits(pin)]
    for pin, one in hits:
        ranges = " or ".join(str(part) for part in one.affected)
        print(f"{pin.place}: {pin.name} {pin.version} is in {ranges}: {', '.join(one.ids)} ({one.what})")
    ids, libraries = sum(len(one.ids) for one in known), len({one.name for one in known})
    print(
        f"{len(pins)} pins, {len({pin.name for pin in pins})} libraries; {ids} advisories of {libraries} libraries, "
        f"the newest of {dates['dated']}: {len(hits)} hits. Later faults are not in the list; pip-audit knows them."
    )
    return 1 if hits or not pins else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent / "requirements"))
