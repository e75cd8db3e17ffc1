"""What is wrong on purpose in a messy sample, with its place: the list that `truth.json` gives to tests."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from jiaoheng.sheets.places import column_letters


@dataclass(frozen=True, slots=True)
class Fault:
    """One injected fault. `expected`: read (understood silently), note, warning, question or error."""

    kind: str
    file: str
    sheet: str
    cell: str  # `E17`, a row number, or empty for the whole sheet
    now: str  # what stands there
    right: str  # what it means
    expected: str


@dataclass(slots=True)
class FaultBook:
    """Collects faults, and the absences that a school wrote as blanks (they read as MISSING)."""

    faults: list[Fault] = field(default_factory=list)
    blanks: dict[str, set[int]] = field(default_factory=dict)  # subject → pupils

    def note(
        self, kind: str, file: str, sheet: str, now: str, right: str, expected: str, *, row: int = -1, column: int = -1
    ) -> None:
        """Record a fault at a 0-based position."""
        if row >= 0 and column >= 0:
            cell = f"{column_letters(column + 1)}{row + 1}"
        else:
            cell = str(row + 1) if row >= 0 else ""
        self.faults.append(Fault(kind, file, sheet, cell, now, right, expected))

    def as_json(self) -> list[dict[str, str]]:
        """The list for truth.json, in a stable order."""
        ordered = sorted(self.faults, key=lambda fault: (fault.file, fault.sheet, fault.kind, fault.cell))
        return [asdict(fault) for fault in ordered]
