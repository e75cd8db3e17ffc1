"""The table of the permission walk: each route with the kind of thing in its address and the rights it asks for.

A route of `web/urls.py` that is not here fails the walk: write its line when you add it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bureau.web.walk_stage import ACTORS
from jiaoheng.bureau.core.capabilities import ROLES, Can

ANY: tuple[Can, ...] = ()  # whoever may read the thing


@dataclass(frozen=True)
class Route:
    """`get` and `post`: rights of which one is enough, ANY, or None where the method does not exist."""

    kinds: tuple[str, ...] = ()  # kinds of the thing in the address; none: the page has no thing
    argument: str = ""
    get: tuple[Can, ...] | None = None
    post: tuple[Can, ...] | None = None
    sent: dict[str, Any] = field(default_factory=dict)  # what the post sends
    more: dict[str, Any] = field(default_factory=dict)  # further parts of the address
    open: bool = False  # opens without signing in
    writes: bool = False  # a get that notes something, and why that is right stands beside it
    roles: tuple[str, ...] = ()  # where a right is not enough: who else is refused too


COUNTY = ("leader", "department", "research", "inspector", "admin")  # read the whole county
DISTRICT = ("district", "township")  # of 东镇
SCHOOL = ("principal", "clerk")  # of 甲
OWN = "own"  # stands for the role's own unit in what is sent


def _record(get: tuple[Can, ...] | None, post: tuple[Can, ...] | None, **sent: Any) -> Route:
    return Route(("record", "row"), "record_id", get, post, sent)


def _filing(*post: Can, **sent: Any) -> Route:
    return Route(("filing",), "filing_id", None, post, sent)


def _import() -> Route:
    return Route(("import",), "import_id", None, ANY)


def _round(get: tuple[Can, ...] | None, post: tuple[Can, ...] | None, **sent: Any) -> Route:
    return Route(("round",), "round_id", get, post, sent)


def _register(get: tuple[Can, ...] | None, post: tuple[Can, ...] | None = None, **sent: Any) -> Route:
    return Route(("register",), "name", get, post, sent)


_APPROVE = (Can.APPROVE_DISTRICT, Can.APPROVE_COUNTY)
_REMIND = (Can.ROUNDS, Can.APPROVE_DISTRICT)

ROUTES: dict[str, Route] = {
    "healthz": Route(get=ANY, open=True),
    "readyz": Route(get=ANY, open=True),
    "oidc": Route(get=ANY, open=True),
    "oidc_back": Route(get=ANY, open=True),
    "second_factor": Route(get=ANY, post=ANY),
    "second_factor_new": Route(get=ANY, post=ANY, writes=True),  # keeps the secret it shows, not in force before a code
    "second_factor_change": Route(post=ANY),
    "tokens": Route(get=ANY, post=ANY),
    "token_revoke": Route(("token",), "token_id", None, ANY),
    "api_docs": Route(get=ANY, open=True),
    "audit-unmasked": Route(get=(Can.AUDIT,)),
    "operations": Route(get=(Can.AUDIT,), roles=("leader", "department", "admin")),
    "login": Route(get=ANY, post=ANY, open=True),
    "login-demo": Route(post=ANY, open=True),
    "logout": Route(post=ANY, open=True),
    "password": Route(get=ANY, post=ANY),
    "home": Route(get=ANY),
    "seen": Route(post=ANY),
    "search": Route(get=ANY),
    "me": Route(get=ANY, post=ANY),
    "file": Route(("photo", "workbook", "result"), "file_id", ANY),
    "switch": Route(("unit",), "unit_id", ANY),
    "exams": Route(get=ANY),
    "exam_file": Route(("exam",), "name", ANY, more={"below": "report.html"}),
    # registers
    "ledgers": Route(get=ANY),
    "ledger": _register(ANY),
    "ledger_about": _register(ANY),
    "ledger_totals": _register(ANY),
    "ledger_grid": _register((Can.FILL,), (Can.FILL,)),
    "ledger_export": _register(None, ANY),
    "ledger_template": _register((Can.FILL,)),
    "views": _register(None, ANY, name="常用"),
    "record_edit_many": _register(ANY, ANY),
    "record_new": _register((Can.FILL,), (Can.FILL,)),
    "import_new": _register((Can.FILL,), (Can.FILL,), unit=OWN),
    "register_make": Route(get=(Can.REGISTERS,), post=(Can.REGISTERS,)),
    "register_change": _register((Can.REGISTERS,), (Can.REGISTERS,)),
    "register_draft": Route(("register_draft",), "draft_id", (Can.REGISTERS,), (Can.REGISTERS,)),
    "codes": Route(get=ANY),
    "code_table": Route(("codes",), "table", ANY, (Can.REGISTERS,), {"act": "add", "code": "Z", "label": "新"}),
    # records
    "record": _record(ANY, None),
    "record_edit": _record((Can.FILL,), (Can.FILL,)),
    "record_restore": _record(None, (Can.FILL,), number="1", field="name", base="1"),
    "record_delete": _record(None, (Can.FILL,), base="1", reason="试"),
    "record_reveal": Route(
        ("record",), "record_id", None, (Can.UNMASK,), {"field": "id_number", "purpose": "核对学籍信息"}
    ),
    "draft_save": Route(post=(Can.FILL,)),
    "draft_drop": Route(("draft",), "draft_id", None, ANY),
    # imports and jobs are one's own
    "import": Route(("import",), "import_id", ANY),
    **{f"import_{what}": _import() for what in ("answer", "fix", "confirm", "undo", "cancel", "rerun", "marked")},
    "job": Route(("job",), "job_id", ANY, ANY),
    # rounds and filings
    "rounds": Route(get=ANY),
    "round_new": Route(get=(Can.ROUNDS,), post=(Can.ROUNDS,), sent={"register": "activities"}),
    "round": _round(ANY, None),
    "round_merge": _round(None, (Can.ROUNDS, Can.APPROVE_DISTRICT, Can.AUDIT)),
    "round_remind": _round(None, _REMIND, who="late"),
    "round_reminders": _round(ANY, None),
    "round_decide": _round(ANY, None, what="approve"),
    "round_unit": _round(None, None),
    "round_deadline": _round((Can.ROUNDS,), (Can.ROUNDS,), act="close", reason="试"),
    # the first look of one who decides is noted: from then on the sender cannot take his filing back
    "filing": Route(("filing",), "filing_id", ANY, writes=True),
    "filing_submit": Route(("filing",), "filing_id", None, (Can.FILL,), roles=SCHOOL),
    "filing_recall": Route(("filing",), "filing_id", None, (Can.FILL,), roles=SCHOOL),
    "filing_remark": _filing(Can.APPROVE_DISTRICT),
    "filing_return": _filing(Can.APPROVE_DISTRICT, reason="试"),  # it waits at the district
    "filing_approve": _filing(Can.APPROVE_DISTRICT),
    "filing_withdraw": _filing(*_APPROVE, reason="试"),
    "filing_extend": _filing(Can.ROUNDS, reason="试", until_date="2025-12-01", until_time="17:00"),
    # units, people, trail, calendar
    "units": Route(get=ANY),
    "unit": Route(("unit",), "unit_id", ANY),
    "unit_new": Route(get=(Can.UNITS,), post=(Can.UNITS,)),
    "unit_change": Route(("unit",), "unit_id", (Can.UNITS,), (Can.UNITS,), more={"what": "rename"}),
    "people": Route(get=(Can.ACCOUNTS,)),
    "person_new": Route(get=(Can.ACCOUNTS,), post=(Can.ACCOUNTS,)),
    "person": Route(("account",), "account_id", ANY, ANY, {"act": "unlock"}),
    "people_import": Route(get=(Can.ACCOUNTS,), post=(Can.ACCOUNTS,)),
    "people_slips": Route(get=ANY),
    "audit": Route(get=(Can.AUDIT,)),
    "calendar": Route(get=ANY),
}

_EAST = {"东", "甲", "乙", "甲101", "甲102"}
_OWN = {"甲", "甲101", "甲102"}


def may(role: str, rights: tuple[Can, ...], route: Route) -> bool:
    """Whether a role has one of the rights and is none of those that are refused all the same."""
    if route.roles and role not in route.roles:
        return False
    return not rights or any(one in ROLES[role].can for one in rights)


def reads(role: str, kind: str, side: str) -> bool:
    """What each role reads, written down here independently of the program."""
    if kind in ("import", "token", "job", "workbook", "result", "draft", "view", "slips"):
        return ACTORS[role] == f"{side}填报"
    if kind == "register_draft":
        return role == "admin"
    if kind == "register":
        return True
    if kind == "exam":
        return role in COUNTY
    if kind == "account":
        return side in _accounts(role)
    if kind == "unit":
        return side in _units(role)
    if kind == "book":
        return role in (*COUNTY, *DISTRICT, *SCHOOL, "class_teacher")
    if kind == "round":
        return role in COUNTY or (side == "县" and role in (*DISTRICT, *SCHOOL))
    if kind == "deed" and role == "teacher":
        return side == "甲"
    return side in _schools(role)


def _schools(role: str) -> set[str]:
    """Whose records, files and filings of a register of schools."""
    if role in COUNTY:
        return {"甲", "乙", "丙"}
    return {"甲", "乙"} if role in DISTRICT else {"甲"} if role in SCHOOL else set()


def _units(role: str) -> set[str]:
    if role in COUNTY:
        return {"县", "股", "东", "西", "丙", "直", *_EAST}
    return _EAST if role in DISTRICT else {"甲101"} if role == "class_teacher" else _OWN


def _accounts(role: str) -> set[str]:
    own = {"县"} if role == "leader" else {"甲"} if role == "clerk" else set()
    if Can.ACCOUNTS not in ROLES[role].can:
        return own
    return {"甲", "乙", "丙", "县"} if role in COUNTY else {"甲", "乙"} if role in DISTRICT else {"甲"}
