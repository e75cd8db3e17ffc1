"""Who gets a reminder: filler, head, district, county; where nobody is there, the next one up, and that is told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from jiaoheng.bureau.core.models import Account
from jiaoheng.bureau.core.tree import names_at
from jiaoheng.bureau.ledgers.models import Filing, Round
from jiaoheng.bureau.ledgers.rounds.owing import Hold, Holder
from jiaoheng.bureau.ledgers.rounds.people import Staff, county_people, staff_of


@dataclass(frozen=True, slots=True)
class Heard:
    """The receivers of one step for one filing, and what was missing on the way ("" where nothing was)."""

    accounts: Sequence[Account]
    gap: str = ""


@dataclass(frozen=True, slots=True)
class Directory:
    """The people around the filings of one round on a day."""

    staff: Staff
    county: Sequence[Account]
    names: Mapping[int, str]

    def hear(self, filing: Filing, holder: Holder, kinds: Iterable[str]) -> Heard:
        """The receivers of the kinds; a kind without an open account passes on upwards: unit → district → county."""
        found: dict[int, Account] = {}
        gaps: list[str] = []
        for kind in kinds:
            accounts, gap = self._of(filing, holder, kind)
            found.update({one.pk: one for one in accounts})
            gaps += [gap] if gap else []
        return Heard(list(found.values()), "；".join(dict.fromkeys(gaps)))

    def _of(self, filing: Filing, holder: Holder, kind: str) -> tuple[Sequence[Account], str]:
        if kind == "county":
            return self.county, "" if self.county else "局里无接收人"
        if kind == "district" or holder.hold is Hold.DISTRICT:
            return self._district(filing)
        level = filing.unit.level
        people = self.staff.fillers if kind == "filler" else self.staff.heads
        accounts = people(filing.unit_id, level)
        if accounts:
            return accounts, ""
        word = "填报人" if kind == "filler" else "负责人"
        higher, gap = self._district(filing)
        to = "局里" if gap or filing.district_id is None else "学区"
        return higher, f"{self._name(filing.unit_id)}无接收人（{word}），转{to}"

    def _district(self, filing: Filing) -> tuple[Sequence[Account], str]:
        """The district's people; 县直 has none above it but the county."""
        if filing.district_id is None:
            return self.county, "" if self.county else "局里无接收人"
        accounts = self.staff.heads(filing.district_id, "district")
        if accounts:
            return accounts, ""
        return self.county, f"{self._name(filing.district_id)}无接收人，转局里"

    def _name(self, unit_id: int | None) -> str:
        return self.names.get(unit_id or 0, "本单位")


def directory_of(round_: Round, filings: Sequence[Filing], day: dt.date) -> Directory:
    """Load the people around filings: three queries, however many."""
    ids = {one.unit_id for one in filings} | {one.district_id for one in filings if one.district_id is not None}
    return Directory(staff_of(ids, day), county_people(round_, day), names_at(ids, day))
