"""Takes functions out of their modules, with whatever they use, into one file that stands alone.

Names are followed through the modules of bpaz_lab; what comes from elsewhere is imported. The source stays as
it was written, but for decorators of bpaz_lab and for a name that two modules use for different things.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import re
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bpaz_lab.graph.naming import unique

if TYPE_CHECKING:
    from collections.abc import Iterator

_OWN: Final = "bpaz_lab"
_BUILTINS: Final = frozenset(dir(builtins))
_DROPPED: Final = frozenset({"in_script"})
"""Decorators that mean nothing in a script."""
_FOR_TOOLS: Final = re.compile(r"\s+# (?:noqa|type: ignore).*$")
"""Comments that only this project's tools read."""


class Module(NamedTuple):
    """A module's source, and the statement that defines each of its names."""

    lines: list[str]
    statements: dict[str, ast.stmt]


class Shaken:
    """Collects names with what they need.

    Args:
        modules: Modules that are imported in any case.
    """

    def __init__(self, *modules: str) -> None:
        self.names: dict[tuple[str, str], str] = {}
        """What a name of a module is called here."""
        self._pieces: dict[ast.stmt, str] = {}
        self._imports: set[tuple[str, str]] = {(module, "") for module in modules}
        """Module and what is taken of it; empty for the module itself."""
        self._taken: set[str] = {*_BUILTINS, *modules}

    def take(self, module: str, name: str) -> str:
        """Takes a name of a module; returns what it is called here."""
        if (module, name) in self.names:
            return self.names[module, name]
        told = read(module)
        statement = told.statements.get(name)
        if statement is None:
            raise LookupError(f"{module} defines no {name}")
        if isinstance(statement, ast.Import | ast.ImportFrom):
            return self._imported(module, statement, name)
        own = self.reserve(name)
        self.names[module, name] = own
        renamed = {}
        for each in sorted(_used(statement)):
            if each in told.statements and each != name:
                renamed[each] = self.take(module, each)
        for each in sorted(_hinted(statement)):
            found = told.statements.get(each)
            if isinstance(found, ast.ImportFrom | ast.Import) and not _is_own(found):
                self._imported(module, found, each)
        if own != name:
            renamed[name] = own
        if statement not in self._pieces:
            self._pieces[statement] = _source(told, statement, {k: v for k, v in renamed.items() if k != v})
        return own

    def reserve(self, name: str) -> str:
        """A name like this one that nothing else has."""
        own = unique(name, self._taken)
        self._taken.add(own)
        return own

    def text(self) -> tuple[list[str], list[str]]:
        """The imports, and the definitions in an order that works."""
        told: list[str] = []
        for own in (True, False):
            found = {(home, name) for home, name in self._imports if _is_standard(home) == own}
            told += sorted(f"import {home}" for home, name in found if not name)
            for home in sorted({home for home, name in found if name}):
                names = ", ".join(sorted(name for other, name in found if other == home and name))
                told.append(f"from {home} import {names}")
            told += [""] if own and len(found) < len(self._imports) else []
        return told, list(self._pieces.values())

    def _imported(self, module: str, statement: ast.Import | ast.ImportFrom, name: str) -> str:
        alias = next(each for each in statement.names if (each.asname or each.name.partition(".")[0]) == name)
        if isinstance(statement, ast.ImportFrom) and _is_own(statement):
            assert statement.module is not None
            return self.take(statement.module, alias.name)
        self.names[module, name] = name
        self._taken.add(name)
        renamed = f" as {alias.asname}" if alias.asname else ""
        if isinstance(statement, ast.ImportFrom):
            self._imports.add((statement.module or "", f"{alias.name}{renamed}"))
        else:
            self._imports.add((f"{alias.name}{renamed}", ""))
        return name


@cache
def read(name: str) -> Module:
    """The statements of a module by the names that they define."""
    module = importlib.import_module(name)
    source = inspect.getsource(module)
    found: dict[str, ast.stmt] = {}
    for statement in _top(ast.parse(source).body):
        for each in _defined(statement):
            found.setdefault(each, statement)
    return Module(source.splitlines(), found)


def _top(statements: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in statements:
        if isinstance(statement, ast.If):  # if TYPE_CHECKING
            yield from _top(statement.body)
        else:
            yield statement


def _defined(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.Assign(targets=targets):
            yield from (
                part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)
            )
        case (
            ast.FunctionDef(name=name)
            | ast.AsyncFunctionDef(name=name)
            | ast.ClassDef(name=name)
            | ast.AnnAssign(target=ast.Name(id=name))
        ):
            yield name
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in names)


def _is_own(statement: ast.Import | ast.ImportFrom) -> bool:
    module = statement.module or "" if isinstance(statement, ast.ImportFrom) else statement.names[0].name
    return module.partition(".")[0] == _OWN


def _hints(statement: ast.stmt) -> Iterator[ast.expr]:
    for part in ast.walk(statement):
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and part.returns:
            yield part.returns
        elif isinstance(part, ast.arg | ast.AnnAssign) and part.annotation:
            yield part.annotation


def _hinted(statement: ast.stmt) -> set[str]:
    """The names in hints, which nobody evaluates."""
    return {part.id for hint in _hints(statement) for part in ast.walk(hint) if isinstance(part, ast.Name)}


def _free(statement: ast.stmt) -> Iterator[ast.Name]:
    """The names that a statement uses and does not define itself, but for those in hints."""
    hints = {id(part) for hint in _hints(statement) for part in ast.walk(hint)}
    dropped = {id(part) for each in _dropped(statement) for part in ast.walk(each)}
    own = {part.arg for part in ast.walk(statement) if isinstance(part, ast.arg)}
    names = [part for part in ast.walk(statement) if isinstance(part, ast.Name)]
    own |= {part.id for part in names if not isinstance(part.ctx, ast.Load)} - set(_defined(statement))
    for part in names:
        if part.id not in own and id(part) not in hints and id(part) not in dropped:
            yield part


def _used(statement: ast.stmt) -> set[str]:
    return {part.id for part in _free(statement)}


def _dropped(statement: ast.stmt) -> list[ast.expr]:
    decorators: list[Any] = getattr(statement, "decorator_list", [])
    return [
        each
        for each in decorators
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id in _DROPPED
    ]


def _source(module: Module, statement: ast.stmt, renamed: dict[str, str]) -> str:
    """The source of a statement, without the decorators that are dropped, and with the new names."""
    assert statement.end_lineno is not None
    gone = {
        line
        for each in _dropped(statement)
        for line in range(each.lineno, (each.end_lineno or each.lineno) + 1)
    }
    decorators: list[Any] = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(each.lineno for each in decorators)])
    lines = {
        number: module.lines[number - 1]
        for number in range(first, statement.end_lineno + 1)
        if number not in gone
    }
    places = [(part.lineno, part.col_offset, part.id) for part in _free(statement) if part.id in renamed]
    own = getattr(statement, "name", "")
    if own in renamed:
        head = lines[statement.lineno]
        lines[statement.lineno] = head.replace(own, renamed[own], 1)
    for number, column, name in sorted(places, reverse=True):
        before = lines[number].encode()[:column].decode()
        lines[number] = before + renamed[name] + lines[number][len(before) + len(name) :]
    text = "\n".join(_FOR_TOOLS.sub("", line) for line in lines.values())
    if isinstance(statement, ast.AnnAssign) and text.startswith(f"{_defined_name(statement)}: "):
        value = ast.get_source_segment("\n".join(module.lines), statement.value) if statement.value else ""
        hint = ast.unparse(statement.annotation)
        if hint.partition("[")[0] == "Final":
            text = text.replace(f": {hint} =", " =", 1) if value else text
    return text


def _defined_name(statement: ast.stmt) -> str:
    return next(_defined(statement), "")


def _is_standard(module: str) -> bool:
    return module.partition(" ")[0].partition(".")[0] in sys.stdlib_module_names
