"""At which migration a database stands, and whether this program knows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

Node = tuple[str, str]  # app, migration


@dataclass(frozen=True, slots=True)
class SchemaState:
    """`applied` in the database; `pending`: of the program, not yet applied; `unknown`: applied by a newer program."""

    applied: tuple[Node, ...]
    pending: tuple[Node, ...]
    unknown: tuple[Node, ...]

    @property
    def fresh(self) -> bool:
        """Whether the database has never been set up."""
        return not self.applied


def state_of(connection: Any) -> SchemaState:
    """Compare a database with the program."""
    recorder = MigrationRecorder(connection)
    applied = set(recorder.applied_migrations()) if recorder.has_table() else set()
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    pending = tuple((one.app_label, one.name) for one, _backwards in plan)
    return SchemaState(tuple(sorted(applied)), pending, unknown_of(applied))


def unknown_of(applied: Iterable[Node]) -> tuple[Node, ...]:
    """Migrations that this program does not have: a newer one made them."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    known = set(loader.disk_migrations)
    for one in loader.disk_migrations.values():
        known |= set(one.replaces)
    return tuple(sorted(set(applied) - known))


def last_of_each_app(applied: Iterable[Node]) -> list[Node]:
    """The newest applied migrations: none of the applied ones depends on any other's absence."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    nodes = {node for node in applied if node in loader.graph.nodes}
    return sorted(
        node for node in nodes if not any(child.key in nodes for child in loader.graph.node_map[node].children)
    ) or sorted(nodes)


def models_at(applied: Iterable[Node]) -> list[Any]:
    """The models as they were when just these migrations were applied, with their many-to-many tables."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    nodes = [node for node in applied if node in loader.graph.nodes]
    state = loader.project_state(nodes, at_end=True)
    found: dict[str, Any] = {}
    for model in state.apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            found.setdefault(model._meta.db_table, model)
    return [found[name] for name in sorted(found)]


def words_of(nodes: Iterable[Node]) -> str:
    """ledgers 0012_thing、core 0009_other."""
    return "、".join(f"{app} {name}" for app, name in nodes)
