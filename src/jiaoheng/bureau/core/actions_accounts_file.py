"""Accounts from a workbook: preview, then all or nothing."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError

from jiaoheng.bureau.core import audit, clock, secrets
from jiaoheng.bureau.core.accounts_file import PersonRow, read_people
from jiaoheng.bureau.core.accounts_preview import NEW, ROLE, SAME, WRONG, Judged, judge
from jiaoheng.bureau.core.capabilities import ROLES
from jiaoheng.bureau.core.models import Account, Membership
from jiaoheng.bureau.core.passwords import slip_password
from jiaoheng.bureau.core.refusals import ConflictError, NotFoundError, RefusedError
from jiaoheng.bureau.core.slips import Slip
from jiaoheng.bureau.core.tree import names_at

_LIVES = 86_400  # seconds
_PLACE = "accounts/preview"
_AT_ONCE = 4  # threads that hash; argon2 lets go of the interpreter


@dataclass(frozen=True, slots=True)
class PeoplePreview:
    """What step two of the import shows."""

    id: str
    label: str
    rows: tuple[Judged, ...]
    problems: tuple[str, ...]  # of the file as a whole

    def count(self, state: str) -> int:
        """How many lines have a state."""
        return sum(one.state == state for one in self.rows)

    @property
    def counts(self) -> dict[str, int]:
        """Lines by state: new, role, same, wrong."""
        return {state: self.count(state) for state in (NEW, ROLE, SAME, WRONG)}

    @property
    def wrong(self) -> tuple[Judged, ...]:
        """The lines to mend."""
        return tuple(one for one in self.rows if one.state == WRONG)

    @property
    def ready(self) -> bool:
        """Whether there is something to do and nothing to mend."""
        return not self.problems and not self.wrong and self.count(SAME) < len(self.rows)


def preview_people(account: Account, path: Path, label: str) -> PeoplePreview:
    """Read and judge a workbook; its lines are laid aside for `confirm_people`. Nothing is written to the base."""
    read = read_people(path, label)
    made = uuid.uuid4().hex
    body = {
        "account": account.pk,
        "label": label,
        "rows": [asdict(row) for row in read.rows],
        "problems": [str(problem) for problem in read.problems],
    }
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _sweep(folder)
    descriptor = os.open(folder / f"{made}.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(secrets.seal_bytes(_PLACE, json.dumps(body, ensure_ascii=False).encode()))
    return load_preview(account, made)


def load_preview(account: Account, preview_id: str) -> PeoplePreview:
    """A preview of one's own, judged as the base stands now. Raises NotFoundError."""
    try:
        body = json.loads(secrets.unseal_bytes(_PLACE, (_folder() / f"{uuid.UUID(preview_id).hex}.json").read_bytes()))
    except (ValueError, FileNotFoundError):
        raise NotFoundError from None
    if body["account"] != account.pk:
        raise NotFoundError
    rows = [PersonRow(**row) for row in body["rows"]]
    return PeoplePreview(preview_id, body["label"], tuple(judge(account, rows)), tuple(body["problems"]))


def confirm_people(
    preview_id: str, *, acting_user: Account, progress: Callable[[int, int], None] | None = None
) -> list[Slip]:
    """Make the accounts of a preview; the slips are told this once.

    Raises RefusedError where something is wrong or nothing is to do, ConflictError where the base changed meanwhile.
    Hashing takes its time and happens before the base is locked.
    """
    preview = load_preview(acting_user, preview_id)
    _check(preview)
    new = [one for one in preview.rows if one.state == NEW]
    words = {one.username: slip_password() for one in new}
    hashed: dict[str, str] = {}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for done, (username, hash_) in enumerate(zip(words, pool.map(make_password, words.values()), strict=True), 1):
            hashed[username] = hash_
            if progress is not None:
                progress(done, len(words))
    try:
        do_add_people(preview, hashed, acting_user=acting_user)
    except IntegrityError:
        raise _changed() from None
    homes = names_at([one.home_id for one in new], clock.today())
    return [
        Slip(one.row.name, homes.get(one.home_id, ""), ROLES[one.role].title, one.username, words[one.username])
        for one in new
    ]


@audit.action
def do_add_people(preview: PeoplePreview, passwords: dict[str, str], *, acting_user: Account) -> None:
    """All accounts and roles of a preview at once; `passwords` are hashes by user name. Raises ConflictError."""
    rows = judge(acting_user, [one.row for one in preview.rows])
    if rows != list(preview.rows):
        raise _changed()
    now, today = clock.now(), clock.today()
    new = [one for one in rows if one.state == NEW]
    made = Account.objects.bulk_create(
        [
            Account(
                username=one.username,
                name=one.row.name,
                phone=one.row.phone,
                home_id=one.home_id,
                password=passwords[one.username],
                created_at=now,
            )
            for one in new
        ],
        batch_size=500,
    )
    ids = {account.username: account.pk for account in made}
    members = [
        Membership(account_id=one.account_id or ids[one.username], role=one.role, unit_id=one.unit_id, starts_on=today)
        for one in rows
        if one.state in (NEW, ROLE)
    ]
    Membership.objects.bulk_create(members, batch_size=500)
    _note(rows, ids, acting_user)


def _note(rows: Sequence[Judged], ids: dict[str, int], actor: Account) -> None:
    for one in rows:
        if one.state not in (NEW, ROLE):
            continue
        account_id = one.account_id or ids[one.username]
        given = f"{one.unit_name} {ROLES[one.role].title}"
        audit.note(
            "account.add" if one.state == NEW else "membership.add",
            actor=actor,
            about=("account", account_id, f"{one.row.name}（{one.username}）"),
            unit_id=one.home_id,
            changes=[{"field": "role", "title": "角色", "old": None, "new": given}],
        )


def _check(preview: PeoplePreview) -> None:
    if preview.problems:
        raise RefusedError("accounts-file", preview.problems[0])
    if preview.wrong:
        first = preview.wrong[0]
        raise RefusedError("accounts-wrong", f"有 {len(preview.wrong)} 行有误，没有建任何账号。{first.told}")
    if not preview.ready:
        raise RefusedError("accounts-same", f"{len(preview.rows)} 行都已有账号，没有要新建的，密码都没有变")


def _changed() -> ConflictError:
    return ConflictError("accounts-changed", "核对之后账号或单位有了变化，请重新上传核对；没有建任何账号")


def _sweep(folder: Path) -> None:
    """Names and phones do not lie about: a preview that nobody confirmed goes after a day."""
    limit = clock.now().timestamp() - _LIVES
    for path in folder.glob("*.json"):
        if path.stat().st_mtime < limit:
            path.unlink(missing_ok=True)


def _folder() -> Path:
    return Path(settings.FILES) / "account-previews"
