"""Every code of a Problem, Question or Finding in the source, with its severities, read from the syntax trees.

Starts from the three types and follows the argument that becomes their `code` back through helper functions, so that
a new helper or a new message cannot escape the list in docs/messages.md. The refusals of the bureau floor are followed
in the same way from `REFUSALS`.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from jiaoheng.sheets.cells import Oddity

ROOMS = frozenset({"exams", "sheets", "growth"})  # those that speak of files
MODELS = frozenset({"methods", "mixed", "crossed", "percentiles", "plain", "judging", "growth"})  # of value-added
OFFICE = frozenset(
    {
        "bureau",
        "core",
        "ledgers",
        "rounds",
        "imports",
        "api",
        "oneroster",
        "demo",
        "web",
        "views",
        "operations",
        "doctor",
    }
)  # those that refuse
SEVERITIES = frozenset({"error", "warning", "note"})


@dataclass(frozen=True)
class Maker:
    """A call that makes a message: where its code stands, and where (or what) its severity is."""

    position: int
    keyword: str = "code"
    severity_position: int | None = None
    severities: frozenset[str] = frozenset()
    optional: bool = False  # a call may leave the code to its default, which is followed where it stands


BASES = {
    "Problem": Maker(0, severity_position=1),
    "Finding": Maker(0, severity_position=1),
    "joined": Maker(0, severity_position=1),
    "Question": Maker(0, severities=frozenset({"question"})),
}
FITS = {
    "EffectsDataError": Maker(0, severities=frozenset({"error"})),
    "Warned": Maker(0, severities=frozenset({"warning"})),
}
REFUSALS = {
    "RefusedError": Maker(0),
    "ConflictError": Maker(0),
    "ApiProblem": Maker(1),
    "Window": Maker(2, optional=True),  # whether a record may be written now; raised where it may not
    "Outage": Maker(0),
}


class Codes(ast.NodeVisitor):
    """`found`: code → severities that the source shows; `unresolved`: (file, expression) that could not be followed."""

    def __init__(self, source: Path, bases: Mapping[str, Maker] = BASES, rooms: Collection[str] = ROOMS) -> None:
        self.bases, self.rooms = bases, rooms
        self.types = {name for name in bases if name[0].isupper()}
        self.trees = {
            path: ast.parse(path.read_text(encoding="utf-8"))
            for path in sorted(source.rglob("*.py"))
            if not path.name.startswith("sample_")  # the sample's faults are no messages
        }
        self.found: dict[str, set[str]] = defaultdict(set)
        self.unresolved: set[tuple[str, str]] = set()
        self.makers: dict[tuple[Path | None, str], set[Maker]] = defaultdict(set)
        for name, maker in bases.items():
            self.makers[None, name].add(maker)
        known = -1
        while known != sum(len(makers) for makers in self.makers.values()):
            known = sum(len(makers) for makers in self.makers.values())
            self.unresolved.clear()
            for path, tree in self.trees.items():
                self.path = path
                self.constants = {
                    target.id: node.value
                    for node in tree.body
                    if isinstance(node, ast.Assign)
                    for target in node.targets
                    if isinstance(target, ast.Name)
                }
                # a class of another room that happens to be called `Problem`
                self.strangers = {
                    node.name for node in tree.body if isinstance(node, ast.ClassDef) and path.parent.name not in rooms
                }
                self.functions: list[ast.FunctionDef] = []
                self.classes: list[str] = []
                self.visit(tree)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.classes.append(node.name)
        self.generic_visit(node)
        self.classes.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.functions.append(node)
        self.generic_visit(node)
        self.functions.pop()

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in self.strangers or (self.path.parent.name not in self.rooms and name not in self.types):
            return self.generic_visit(node)  # a function of another room that happens to be called `note`
        for maker in [*self.makers.get((None, name), ()), *self.makers.get((self.path, name), ())]:
            code = _argument(node, maker.position, maker.keyword)
            severities = maker.severities
            if maker.severity_position is not None:
                severities = _severities(_argument(node, maker.severity_position, "severity"))
            if code is None and maker.optional:
                continue
            if code is None:
                self.unresolved.add((self.path.name, ast.unparse(node)))
            else:
                self._follow(code, severities)
        return self.generic_visit(node)

    def visit_Yield(self, node: ast.Yield) -> None:
        """Rules between settings yield their faults as tuples that begin with the code."""
        returns = ast.unparse(self.functions[-1].returns or ast.Constant("")) if self.functions else ""
        if self.path.parent.name in self.rooms and returns == "Iterator[Fault]" and isinstance(node.value, ast.Tuple):
            self._follow(node.value.elts[0], frozenset({"error"}))
        self.generic_visit(node)

    def _follow(self, code: ast.expr, severities: frozenset[str]) -> None:
        if isinstance(code, ast.Constant):
            self.found[code.value] |= severities
        elif isinstance(code, ast.IfExp):
            self._follow(code.body, severities)
            self._follow(code.orelse, severities)
        elif isinstance(code, ast.Attribute) and code.attr == "code":
            pass  # an existing message is passed on
        elif ast.unparse(code) == "oddity.value":  # every oddity of a cell; its own severities stand in the calls
            for oddity in Oddity:
                self.found[oddity.value] |= set()
        elif ast.unparse(code).startswith("Oddity."):
            self.found[Oddity[ast.unparse(code).split(".")[1]].value] |= severities
        elif isinstance(code, ast.Name) and code.id in self.constants:
            self._follow(self.constants[code.id], severities)
        elif not (
            isinstance(code, ast.Name) and (self._parameter(code.id, severities) or self._local(code.id, severities))
        ):
            self.unresolved.add((self.path.name, ast.unparse(code)))

    def _parameter(self, name: str, severities: frozenset[str]) -> bool:
        """Whether `name` is a parameter of the function around; that function then makes messages itself."""
        for function in reversed(self.functions):
            arguments = function.args
            positional = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
            if name in positional or name in [one.arg for one in arguments.kwonlyargs]:
                bound = positional[:1] in (["self"], ["cls"])
                label = self.classes[-1] if function.name == "__init__" else function.name
                position = positional.index(name) - bound if name in positional else 99
                default = _default(arguments, name)
                if default is not None:
                    self._follow(default, severities)
                if label not in self.bases:
                    private = self.path if label.startswith("_") else None
                    maker = Maker(position, name, None, severities, optional=default is not None)
                    self.makers[private, label].add(maker)
                return True
        return False

    def _local(self, name: str, severities: frozenset[str]) -> bool:
        """Whether `name` is assigned in the function around; what is assigned is followed."""
        if not self.functions:
            return False
        values = [
            node.value
            for node in ast.walk(self.functions[-1])
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name) and target.id == name
        ]
        for value in values:
            self._follow(value, severities)
        return bool(values)


def _argument(call: ast.Call, position: int, keyword: str) -> ast.expr | None:
    named = next((one.value for one in call.keywords if one.arg == keyword), None)
    return named if named is not None or len(call.args) <= position else call.args[position]


def _default(arguments: ast.arguments, name: str) -> ast.expr | None:
    """The default of a parameter, None where a call must give it."""
    positional = [*arguments.posonlyargs, *arguments.args]
    given = dict(zip([one.arg for one in positional[::-1]], arguments.defaults[::-1], strict=False))
    given |= {one.arg: value for one, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value}
    return given.get(name)


def _severities(expression: ast.expr | None) -> frozenset[str]:
    """Severities that an expression names: `Severity.NOTE if … else Severity.WARNING`, "error"; none where unknown."""
    if expression is None:
        return frozenset()
    words = {node.attr.lower() for node in ast.walk(expression) if isinstance(node, ast.Attribute)}
    words |= {str(node.value) for node in ast.walk(expression) if isinstance(node, ast.Constant)}
    return SEVERITIES & words
