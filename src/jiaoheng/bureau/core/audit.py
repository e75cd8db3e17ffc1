"""Every write leaves an entry in the chain, inside its own transaction.

A `do_*` function is decorated with `action`: it runs in one transaction, notes what it did with `note` (which derives
the changes itself), and the outermost action appends the notes to the chain just before it commits, so that the head
is locked for as short as possible. An action that notes nothing is a fault of ours and does not commit.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.db import transaction

from jiaoheng.bureau.core import clock, scope
from jiaoheng.bureau.core.deputies import acting_for, stands_in
from jiaoheng.bureau.core.durable import append_line
from jiaoheng.bureau.core.models import Account, AuditEntry, AuditHead, Membership
from jiaoheng.bureau.core.tree import holds, name_of, names_at

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

_door: ContextVar[str] = ContextVar("door", default="command")
_trail: ContextVar[list[Note] | None] = ContextVar("trail", default=None)
SYSTEM_NAME = "系统"
_MOST_BACK = dt.timedelta(days=1)
_ANCHOR_TAIL = 400  # bytes that hold the last line of the anchors
_TICK = dt.timedelta(microseconds=1)
_FEW = 3  # actors of one action whose names are asked one by one


@dataclass(slots=True)
class Note:
    """One entry to be: what was done to what, by whom, with old and new values as people read them."""

    action: str
    actor: Account | None
    object_type: str = ""
    object_id: str = ""
    object_name: str = ""
    unit_id: int | None = None
    changes: Sequence[Mapping[str, Any]] = field(default_factory=list)
    count: int = 1
    reason: str = ""
    digest: str = ""


@contextlib.contextmanager
def through(door: str) -> Iterator[None]:
    """Say by which door (page, file, api, command, worker) the actions of a block come."""
    token = _door.set(door)
    try:
        yield
    finally:
        _door.reset(token)


def door() -> str:
    """By which door the running action came."""
    return _door.get()


def action(function: Callable[P, R]) -> Callable[P, R]:
    """Make a `do_*` function one audited transaction. It must be called with `acting_user=` (None: the system)."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if "acting_user" not in kwargs:
            raise TypeError(f"{function.__name__} needs acting_user")
        if _trail.get() is not None:  # part of a larger action: its notes go into that one
            return function(*args, **kwargs)
        notes: list[Note] = []
        token = _trail.set(notes)
        try:
            with transaction.atomic(), clock.not_before(_newest_moment()):
                result = function(*args, **kwargs)
                if not notes:
                    raise AssertionError(f"{function.__name__} wrote without an audit note")
                _append(notes)
        finally:
            _trail.reset(token)
            scope.forget()  # it may have changed what somebody may do
        return result

    return run


def note(
    action: str,
    *,
    actor: Account | None,
    about: tuple[str, object, str] = ("", "", ""),
    unit_id: int | None = None,
    changes: Sequence[Mapping[str, Any]] = (),
    count: int = 1,
    reason: str = "",
    digest: str = "",
) -> None:
    """Note one thing that the running action did. `about`: object type, id, and name of that day.

    Outside an action (a look, a sign-in, an export) the entry is appended at once in a transaction of its own.
    """
    made = Note(action, actor, about[0], str(about[1]), about[2], unit_id, list(changes), count, reason, digest)
    trail = _trail.get()
    if trail is not None:
        trail.append(made)
        return
    with transaction.atomic(), clock.not_before(_newest_moment()):
        _append([made])


def differences(old: Mapping[str, Any], new: Mapping[str, Any], titles: Mapping[str, str]) -> list[dict[str, Any]]:
    """The changes between two states as entries hold them; fields that are the same are left out."""
    keys = [key for key in titles if old.get(key) != new.get(key)]
    return [{"field": key, "title": titles[key], "old": old.get(key), "new": new.get(key)} for key in keys]


def actor_words(actor: Account | None, unit_id: int | None = None) -> str:
    """王芳（东镇中心校）, as the person was called on this day; 李（代张） where only a stand-in's right carries it."""
    if actor is None:
        return SYSTEM_NAME
    away = acting_for(actor, unit_id)
    if away is not None:
        return f"{actor.name}（代{away.name}）"
    home = name_of(actor.home, clock.today())
    return f"{actor.name}（{home}）" if home else str(actor.name)


def words_of_many(actors: Iterable[Account]) -> dict[int, str]:
    """Account id → the name and place of people who stand in for nobody, in two queries; the others are not in it."""
    people = {one.pk: one for one in actors}
    today = clock.today()
    away = Membership.objects.filter(holds(today), deputy_of__isnull=False).values_list("account_id", flat=True)
    for pk in set(away):
        people.pop(pk, None)
    names = names_at([one.home_id for one in people.values()], today)
    found = {}
    for pk, one in people.items():
        home = names.get(one.home_id, "")
        found[pk] = f"{one.name}（{home}）" if home else str(one.name)
    return found


def hash_of(entry: AuditEntry, before: str) -> str:
    """SHA-256 over the entry's content and the hash before it."""
    body = [
        entry.number,
        entry.at.isoformat(),
        entry.action,
        entry.actor_id,
        entry.actor_name,
        entry.door,
        entry.object_type,
        entry.object_id,
        entry.object_name,
        entry.unit_id,
        entry.changes,
        entry.count,
        entry.reason,
        entry.digest,
        before,
    ]
    return hashlib.sha256(json.dumps(body, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _newest_moment() -> dt.datetime | None:
    """When the newest entry was written: where the system's clock was set back since, actions go on from there.

    A version, a submission or an entry would else stand before what it follows. A clock that was a day and more ahead
    holds nothing up: the doctor tells.
    """
    if clock.is_set():
        return None
    return _ahead(AuditEntry.objects.order_by("-number").values_list("at", flat=True).first())


def anchored_moment() -> dt.datetime | None:
    """As `_newest_moment`, told by the newest anchor without asking the database: for every request, readers too.

    What was closed before the clock was set back is closed after it.
    """
    if clock.is_set():
        return None
    try:
        with settings.ANCHOR.open("rb") as lines:
            lines.seek(-min(_ANCHOR_TAIL, lines.seek(0, os.SEEK_END)), os.SEEK_END)
            words = lines.read().splitlines()[-1].decode("ascii").split(" ")
        return _ahead(dt.datetime.fromisoformat(words[2]))
    except (OSError, ValueError, IndexError, TypeError):
        return None  # none yet, or cut off by a loss of power: an action asks the database


def _ahead(found: dt.datetime | None) -> dt.datetime | None:
    if found is None or not dt.timedelta(0) < found - clock.now() < _MOST_BACK:
        return None
    return found + _TICK


def _append(notes: Sequence[Note]) -> None:
    head = AuditHead.objects.select_for_update().filter(pk=1).first()
    if head is None:
        AuditHead.objects.get_or_create(pk=1)
        head = AuditHead.objects.select_for_update().get(pk=1)
    names: dict[tuple[int | None, int | None], str] = {}
    actors = {one.actor.pk: one.actor for one in notes if one.actor is not None}
    plain = words_of_many(actors.values()) if len(actors) > _FEW else {}
    for_others: dict[int | None, bool] = {}  # most people stand in for nobody: their name is the same at every unit
    made = []
    at, door = clock.now(), _door.get()
    number, before = head.number, head.hash
    for one in notes:
        actor_id = one.actor.pk if one.actor is not None else None
        if actor_id in plain:
            for_others[actor_id], names[actor_id, None] = False, plain[actor_id]
        elif actor_id not in for_others:
            for_others[actor_id] = one.actor is not None and stands_in(one.actor)
        who = (actor_id, one.unit_id if for_others[actor_id] else None)
        if who not in names:
            names[who] = actor_words(one.actor, who[1])
        number += 1
        entry = AuditEntry(
            number=number,
            at=at,
            action=one.action,
            actor_id=actor_id,
            actor_name=names[who],
            door=door,
            object_type=one.object_type,
            object_id=one.object_id,
            object_name=one.object_name[:200],
            unit_id=one.unit_id,
            changes=json.loads(json.dumps(list(one.changes), default=str)),
            count=one.count,
            reason=one.reason[:500],
            digest=one.digest,
        )
        before = entry.hash = hash_of(entry, before)
        made.append(entry)
    AuditEntry.objects.bulk_create(made)
    AuditHead.objects.filter(pk=1).update(number=number, hash=before)
    line = f"{number} {before} {at.isoformat()}"
    transaction.on_commit(lambda: _anchor(line))


def _anchor(line: str) -> None:
    """Keep the newest head outside the database, or a cut tail goes unseen.

    The commit stands already: an anchor that cannot be written (a full disk) is no refusal of it; the next one holds
    this entry too.
    """
    try:
        append_line(settings.ANCHOR, line)
    except OSError:
        logger.exception("the anchor of entry %s could not be written", line.partition(" ")[0])
