"""What the machine believes: rounds, filings and records in plain Python, without the program and without a database."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

OWING = ("empty", "draft", "returned")
FILED = ("returned", "district", "county", "approved")
DISTRICT_OF = {"甲": "东", "乙": "东", "丙": "西", "直": None}
NEXT = {"district": "county", "county": "approved"}
# every change of state that there is, whatever the steps; anything else is a fault
GRAPH = {
    ("empty", "draft"), ("empty", "district"), ("empty", "county"), ("draft", "district"), ("draft", "county"),
    ("returned", "district"), ("returned", "county"), ("district", "county"), ("county", "approved"),
    ("district", "returned"), ("county", "returned"), ("approved", "returned"), ("district", "draft"),
    ("county", "draft"), ("county", "district"), ("approved", "county"),
}  # fmt: skip

Row = dict[str, object]


@dataclass
class Book:
    """A record: every version it ever had; a deleted one is marked in its last version."""

    pk: int
    unit: str
    period: str
    versions: list[tuple[Row, bool]]

    @property
    def now(self) -> Row:
        return self.versions[-1][0]

    @property
    def deleted(self) -> bool:
        return self.versions[-1][1]


@dataclass
class Collection:
    """A round."""

    pk: int
    period: str
    reference: dt.date
    opens: dt.datetime
    due: dt.datetime
    closed: bool = False


@dataclass
class Paper:
    """A filing. `sent`: content → what was sent; `passed`: levels that approved the present content, in order."""

    round: Collection
    unit: str
    state: str = "empty"
    content: int = 0
    sent: dict[int, dict[int, Row]] = field(default_factory=dict)
    passed: list[str] = field(default_factory=list)
    finals: list[int] = field(default_factory=list)  # contents whose county approval stands
    approved: int | None = None
    opened: bool = False
    handed_in: bool = False
    asked_back: bool = False  # whether the present content answers a return
    last: tuple[str, str, bool] = ("", "", False)  # last step: kind, who, zero report
    extended: dt.datetime | None = None
    dropped: bool = False
    version: int = 0

    @property
    def chain(self) -> list[str]:
        return ["district", "county"] if DISTRICT_OF[self.unit] else ["county"]


@dataclass
class Model:
    """Everything together."""

    books: dict[int, Book] = field(default_factory=dict)
    rounds: list[Collection] = field(default_factory=list)
    papers: list[Paper] = field(default_factory=list)
    ended: dict[str, tuple[str, dt.date]] = field(default_factory=dict)  # unit → (merged or closed, day)

    def rows(self, unit: str, period: str) -> dict[int, Row]:
        """The living records of a unit."""
        found = [one for one in self.books.values() if (one.unit, one.period) == (unit, period)]
        return {one.pk: dict(one.now) for one in found if not one.deleted}

    def has_name(self, unit: str, period: str, name: object, but: int | None = None) -> bool:
        return any(row["name"] == name and pk != but for pk, row in self.rows(unit, period).items())

    def paper_at(self, unit: str, period: str) -> Paper | None:
        """The filing of the newest round that asks the unit."""
        found = [one for one in self.papers if (one.unit, one.round.period) == (unit, period)]
        return max(found, key=lambda one: (one.round.opens, one.round.pk), default=None)

    def may_write(self, unit: str, period: str, at: dt.datetime) -> bool:
        """Whether the unit's own clerk may change its records now."""
        if unit in self.ended:
            return False
        paper = self.paper_at(unit, period)
        if paper is None:
            return True
        if paper.dropped or paper.state not in OWING:
            return False
        return paper.state == "returned" or self.is_open(paper, at)

    def is_open(self, paper: Paper, at: dt.datetime) -> bool:
        if at < paper.round.opens:
            return False
        if not paper.round.closed or paper.state == "returned":
            return True
        return paper.extended is not None and at <= paper.extended

    def begin(self, unit: str, period: str) -> None:
        """The unit works on its records: what was empty has begun."""
        for one in self.papers:
            if (one.unit, one.round.period, one.state) == (unit, period, "empty"):
                one.state = "draft"

    def plant(self, made: Collection) -> None:
        """A filing for every unit that exists on the reference date."""
        self.rounds.append(made)
        for unit in DISTRICT_OF:
            if unit in self.ended and self.ended[unit][1] <= made.reference:
                continue
            begun = bool(self.rows(unit, made.period))
            self.papers.append(Paper(made, unit, "draft" if begun else "empty"))

    def free(self, paper: Paper) -> bool:
        """Owes nothing any more: dropped, or merged away before it handed anything in."""
        how = self.ended.get(paper.unit, ("", None))[0]
        return paper.dropped or (how == "merged" and not paper.handed_in)

    def filer(self, paper: Paper) -> str | None:
        """Who hands in: the clerk; the district of a closed unit; nobody for a merged one."""
        how = self.ended.get(paper.unit, ("", None))[0]
        if paper.dropped or how == "merged":
            return None
        return f"{DISTRICT_OF[paper.unit]}学区" if how == "closed" else f"{paper.unit}填报"

    def approver(self, paper: Paper, level: str) -> str:
        return "股长" if level == "county" else f"{DISTRICT_OF[paper.unit]}学区"

    def send(self, paper: Paper, who: str, zero: bool) -> None:
        paper.content += 1
        paper.sent[paper.content] = self.rows(paper.unit, paper.round.period)
        paper.passed, paper.opened, paper.handed_in = [], False, True
        paper.asked_back = paper.state == "returned"
        paper.state, paper.last = paper.chain[0], ("submit", who, zero)
        paper.version += 1

    def approve(self, paper: Paper, who: str) -> None:
        paper.passed.append(paper.state)
        paper.state = NEXT[paper.state]
        paper.opened, paper.last = False, ("approve", who, False)
        paper.version += 1
        if paper.state == "approved":
            paper.approved = paper.content
            paper.finals.append(paper.content)

    def give_back(self, paper: Paper, who: str) -> None:
        paper.state, paper.opened = "returned", False
        paper.last = ("return", who, False)
        paper.version += 1

    def withdraw(self, paper: Paper, who: str) -> None:
        level = paper.passed.pop()
        if level == "county":
            paper.finals.remove(paper.content)
            paper.approved = max(paper.finals, default=None)
        paper.state, paper.opened, paper.last = level, True, ("withdraw", who, False)
        paper.version += 1

    def recall(self, paper: Paper, who: str) -> None:
        """Where it was before the submission that is taken back."""
        paper.sent.pop(paper.content)
        paper.state = "returned" if paper.asked_back else "draft"
        paper.handed_in = False
        paper.last = ("recall", who, False)
        paper.version += 1

    def end(self, unit: str, how: str, day: dt.date) -> None:
        self.ended[unit] = (how, day)
        for one in self.papers:
            if one.unit == unit and not one.dropped and one.round.reference >= day:
                one.dropped = True
                one.version += 1

    def rate(self, made: Collection) -> tuple[int, int]:
        """(filed, owed) of a round."""
        owed = [one for one in self.papers if one.round is made and not self.free(one)]
        return sum(one.state in FILED for one in owed), len(owed)
