"""What the board of a round shows, every figure counted and every word said; pages only lay it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jiaoheng.bureau.ledgers.rounds.deadlines import Light
from jiaoheng.bureau.ledgers.rounds.owing import Outside


@dataclass(frozen=True, slots=True)
class Place:
    """One group of states on the board: key in addresses, words, tone of its light, class of its cell in the strip."""

    key: str
    words: str
    tone: str
    cell: str


PLACES = (
    Place("late", "逾期未交", "late", "k-late"),
    Place("empty", "未开始", "soon", "k-open"),
    Place("draft", "填报中", "soon", "k-open"),
    Place("back", "退回待改", "back", "k-back"),
    Place("district", "待学区审核", "wait", "k-dist"),
    Place("county", "待局审定", "fill", "k-bur"),
    Place("done", "已审定", "done", "k-done"),
)
PLACE = {one.key: one for one in PLACES}


@dataclass(frozen=True, slots=True)
class Tally:
    """One line of the tallies; `share` in percent of the largest count, for the bar."""

    key: str
    words: str
    tone: str
    cell: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class Town:
    """One district's strip: the cells of its units, worst first, and the light that is worst."""

    unit_id: int | None
    name: str
    cells: Sequence[str]
    label: str  # what a screen reader says
    light: Light
    ready: int  # wait for the county
    seen: Sequence[str]  # of these: filing and version as shown here, 12.3


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One unit. Empty texts are shown as — with a reason."""

    filing_id: int
    version: int
    unit_id: int
    name: str
    district_id: int | None
    district: str
    place: str
    state: str
    light: Light
    filled: int
    owed: int | None
    measure: str
    submitted: str
    district_step: str
    county_step: str
    touched: str
    filler: str
    reminded: str
    reminded_today: bool
    holder: str  # 2025-10-20 起由东镇学区办理; "" where it stands with the unit
    timing: str  # 按时, 延期内, 逾期; "" before the first submission
    extended: str  # 延到 10 月 12 日; "" without an extension
    no_receiver: bool
    chosen: bool  # ticked at first sight: all late ones
    order: Mapping[str, str] = field(default_factory=dict)  # sort keys by column


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one place with its head."""

    key: str
    head: str  # 逾期未交 9 所
    words: str  # 截止 11 月 20 日，到今天 3 个工作日
    rows: Sequence[BoardRow]
    count: int  # all of the place, also those a filter hides


@dataclass(frozen=True, slots=True)
class Board:
    """The whole page for one reader."""

    round_id: int
    title: str
    light: Light
    sentence: str  # 114 所学校，9 所还没交。截止…
    due: str
    first_due: str  # the date as first announced, where it was moved
    owed: int
    filed: int
    rate: str  # 50.0 %, — where nobody owes
    tallies: Sequence[Tally]
    towns: Sequence[Town]
    groups: Sequence[Group]
    open_count: int  # not yet done
    outside: Sequence[Outside]
    pending: str  # 1 校有未审修改
    remind_count: int  # late and not reminded today
    remind_words: str  # beside the button 催办
    measure: str
    counted: str  # how its units are counted: 所
    may_manage: bool
    may_approve: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """What a reader asked to see. show: open (not yet done), all, or a place's key. sort: a column of `BoardRow.order`."""

    show: str = "open"
    district_id: int | None = None
    text: str = ""
    sort: str = ""
    descending: bool = False
