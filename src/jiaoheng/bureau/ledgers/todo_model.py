"""What the home page 待办 shows; every word said, nothing left to count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jiaoheng.bureau.ledgers.rounds.deadlines import Light


@dataclass(frozen=True, slots=True)
class Owed:
    """One ledger that I have to hand in."""

    filing_id: int
    light: Light
    title: str
    sub: str  # 基础教育股 · 每学期; with the unit's name where I fill for several
    missing: str
    due: str
    action: str  # 开始填报, 继续填报, 去提交, 补报
    link: str


@dataclass(frozen=True, slots=True)
class CellSay:
    """A remark at a cell: where, and what is wrong with it."""

    place: str
    words: str
    record_id: int | None
    field: str


@dataclass(frozen=True, slots=True)
class Returned:
    """One ledger that came back to me, with the reason and the cells."""

    filing_id: int
    light: Light
    title: str
    sub: str  # 柳渡镇学区 陆秋实　昨天 16:05
    reason: str
    cells: Sequence[CellSay]
    due: str
    overdue: str  # 逾期 1 个工作日; "" while there is time
    action: str
    link: str


@dataclass(frozen=True, slots=True)
class ToApprove:
    """Ledgers of one round that wait for my decision."""

    round_id: int
    light: Light  # of the one that waits longest
    title: str
    sub: str
    count: int
    names: str
    action: str
    link: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """One ledger that I handed in and that waits for somebody else."""

    filing_id: int
    title: str
    where: str  # 待学区审核
    light: Light
    link: str


@dataclass(frozen=True, slots=True)
class Managed:
    """One round that I run (or whose units I look after): how far it is."""

    round_id: int
    title: str
    light: Light
    words: str  # 114 个单位，9 个逾期未交
    late: int
    link: str


@dataclass(frozen=True, slots=True)
class Changed:
    """One line of what changed since I last looked: a notice, also of a job that ended."""

    notice_id: int
    title: str
    when: str
    text: str
    link: str
    mood: str


@dataclass(frozen=True, slots=True)
class Running:
    """One job of mine that is under way or was broken off."""

    job_id: str
    title: str
    state: str
    words: str  # 1,200 / 5,000
    link: str


@dataclass(frozen=True, slots=True)
class Todo:
    """The home page of one person. `count`: what waits for him, beside the word 待办 in the navigation."""

    sentence: str
    owed: Sequence[Owed]
    returned: Sequence[Returned]
    approving: Sequence[ToApprove]
    waiting: Sequence[Waiting]
    waiting_words: str
    managed: Sequence[Managed]
    changed: Sequence[Changed]
    changed_since: str
    running: Sequence[Running]
    count: int
