"""What the code of a node is: for a function of a cell everything that its result can depend on.

Bytecode, constants, defaults, what it closes over and the globals that it refers to, followed through
other functions and classes of the same notebook. Line numbers and file names do not count, so that moving
a function changes nothing. Functions of installed packages count by name and the package's version.

Example:
    >>> def shout(text):
    ...     return text.upper()
    >>> sorted(code_of(shout).parts)
    ['shout']
"""

from __future__ import annotations

import ast
import dataclasses
import dis
import functools
import importlib.metadata
import inspect
import logging
import sys
import textwrap
import types
from dataclasses import dataclass, field
from enum import Enum
from functools import cache, partial
from itertools import count
from pathlib import Path
from site import getsitepackages, getusersitepackages
from typing import TYPE_CHECKING, Any, Final, get_args, get_origin

from bpaz_lab.engine.hashing import hashed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

INSTALLED: Final = (*getsitepackages(), getusersitepackages(), str(Path(inspect.__file__).parent))
"""Where code lies that changes only with its version."""
COSMETIC: Final = {
    "category",
    "label",
    "package",
    "model_config",
    "_abc_impl",
    "_member_names_",
    "_member_map_",
} | {
    "_value2member_map_",
    "_unhashable_values_",
    "_member_type_",
    "_value_repr_",
    "_new_member_",
    "_use_args_",
    "_fields",
    "_field_defaults",
    "_generate_next_value_",
    "_hashable_values_",
    "_missing_",
}
"""Attributes of classes that no result depends on, or that are only another form of what counts anyway."""


@dataclass(slots=True)
class Code:
    """The code that a result depends on.

    Attributes:
        parts: A digest of each function, class and value it is made of, by name.
        lines: The lines of each function that do something, with their numbers, where they are known: to
            say which one changed.
        why: Why it cannot be compared; empty where it can.
    """

    parts: dict[str, str] = field(default_factory=dict)
    lines: dict[str, tuple[tuple[int, str], ...]] = field(default_factory=dict)
    why: str = ""


def code_of(thing: Any) -> Code:
    """The code of a function, of a node class, or of a node class made of a function."""
    reader = _Reader()
    reader.add(getattr(thing, "__name__", type(thing).__name__), thing)
    return reader.found


def changed(before: Code, after: Code) -> str:
    """What is different, in words: which line of which function, or which value."""
    for name, digest in after.parts.items():
        if name not in before.parts:
            return f"it uses {name} now"
        if before.parts[name] != digest:
            one, other = before.lines.get(name), after.lines.get(name)
            if one is None or other is None:
                return f"{name} changed"
            for (_, old), (number, new) in zip(one, other, strict=False):
                if old != new:
                    return f"line {number} of {name} changed: {new.strip()[:60]}"
            if len(other) > len(one):
                number, new = other[len(one)]
                return f"line {number} of {name} is new: {new.strip()[:60]}"
            return f"{name} ends sooner" if len(one) > len(other) else f"{name} changed"
    gone = next((name for name in before.parts if name not in after.parts), "")
    return f"it uses {gone} no more" if gone else ""


class _Reader:
    """Follows code from one function or class to all that it refers to."""

    def __init__(self) -> None:
        self.found = Code()
        self._seen: dict[Any, Any] = {}
        """What was followed, by id, and by name where it is a value; held, so that no id is given away."""

    def add(self, name: str, thing: Any, names: Iterable[str] = ()) -> None:
        """Follows a thing; ``names`` are those that the code reads of a module."""
        if isinstance(thing, staticmethod | classmethod):
            thing = thing.__func__
        if isinstance(thing, types.ModuleType):
            self._module(name, thing, names)
        elif isinstance(thing, types.FunctionType):
            self._once(name, thing, self._function)
        elif isinstance(thing, type) and get_origin(thing) is None:
            self._once(name, thing, self._class)
        elif isinstance(thing, types.MethodType):
            self.add(name, thing.__func__)
            self.add(f"{name} (of)", thing.__self__)
        elif isinstance(thing, partial):
            self.add(name, thing.func)
            self._value(f"{name} (given)", [list(thing.args), thing.keywords])
        else:
            self._other(name, thing)

    def _other(self, name: str, thing: Any) -> None:
        if isinstance(thing, types.BuiltinFunctionType | types.MethodDescriptorType):
            self._put(name, f"built in {thing.__qualname__}")
            owner = getattr(thing, "__self__", None)
            if owner is not None and not isinstance(owner, types.ModuleType | type):
                self._value(f"{name} (of)", owner)
        elif isinstance(thing, logging.Logger):
            self._put(name, f"logger {thing.name}")
        elif (origin := get_origin(thing)) is not None:  # list[int], int | None
            self.add(name, origin)
            for each in get_args(thing):
                self.add(f"{name} (of)", each)
        elif isinstance(thing, functools._lru_cache_wrapper):
            self.add(name, thing.__wrapped__)
        else:
            self._value(name, thing)

    def _put(self, name: str, part: str) -> str:
        """Notes a part; one more of the same name gets a number."""
        free = name
        for number in count(2):
            if free not in self.found.parts:
                break
            free = f"{name} ({number})"
        self.found.parts[free] = part
        return free

    def _once(self, name: str, thing: Any, follow: Callable[[str, Any], None]) -> None:
        if id(thing) not in self._seen:
            self._seen[id(thing)] = thing
            follow(name, thing)

    def _module(self, name: str, module: types.ModuleType, names: Iterable[str]) -> None:
        """A package counts by its version, a module of one's own by what the code reads of it."""
        if _installed(module.__name__, getattr(module, "__file__", None) or ""):
            self.found.parts[name] = f"module {module.__name__} {version_of(module.__name__)}"
            return
        self.found.parts[name] = f"module {module.__name__}"
        for each in names:
            if each in vars(module):
                value = vars(module)[each]
                inner = names if value is not module else ()
                self.add(f"{name}.{each}", value, [other for other in inner if other != each])

    def _function(self, name: str, function: types.FunctionType) -> None:
        wrapped = vars(function).get("__wrapped__")
        if wrapped is not None:
            self.add(name, wrapped)
            name = f"{name} (decorated)"
        if _installed(function.__module__, function.__code__.co_filename):
            place = f"{function.__module__}.{function.__qualname__}"
            self._put(name, f"{place} {version_of(function.__module__)}")
            return
        code = function.__code__
        name = self._put(name, "")
        parts: list[Any] = [_bytecode(code, function.__doc__)]
        if function.__defaults__ or function.__kwdefaults__:
            parts += [self._digest(name, function.__defaults__), self._digest(name, function.__kwdefaults__)]
        self.found.parts[name] = hashed(parts).digest
        self.found.lines[name] = _lines(function)
        names = sorted(_attributes(code))
        for variable, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
            try:
                self.add(variable, cell.cell_contents, names)
            except ValueError:  # an empty cell: the function will say so itself
                continue
        used = _named(code)
        for variable in sorted(used["global"]):
            if variable in function.__globals__:
                self.add(variable, function.__globals__[variable], names)
        for module in sorted(used["import"]):
            if module in sys.modules:
                self.add(module, sys.modules[module], names)

    def _class(self, name: str, cls: type) -> None:
        if not is_own(cls):
            self._put(name, f"{cls.__module__}.{cls.__qualname__} {version_of(cls.__module__)}")
            return
        self._put(f"class {name}", str([base.__qualname__ for base in cls.__bases__]))
        for base in cls.__mro__[1:]:
            if is_own(base):
                self.add(base.__name__, base)
        for attribute, told in _defaults(cls).items():
            self.add(f"{name}.{attribute}", told)
        for attribute, value in vars(cls).items():
            self._attribute(f"{name}.{attribute}", attribute, value)

    def _attribute(self, name: str, attribute: str, value: Any) -> None:
        value = (
            getattr(value, "wrapped", value) if type(value).__name__ == "PydanticDescriptorProxy" else value
        )
        value = value.func if isinstance(value, functools.cached_property) else value
        if isinstance(value, property):
            for each in (value.fget, value.fset, value.fdel):
                self._attribute(name, attribute, each)
            return
        raw = value.__func__ if isinstance(value, staticmethod | classmethod) else value
        if isinstance(raw, types.FunctionType):
            if not _installed(raw.__module__, raw.__code__.co_filename) and not _generated(raw):
                self.add(raw.__qualname__.rpartition("<locals>.")[2], raw)
        elif not (attribute in COSMETIC or _dunder(attribute) or inspect.isdatadescriptor(raw)):
            self.add(name, raw.value if isinstance(raw, Enum) else raw)

    def _value(self, name: str, value: Any) -> None:
        if (name, id(value)) not in self._seen:
            self._seen[name, id(value)] = value
            name = self._put(name, "")
            self.found.parts[name] = self._digest(name, value)

    def _digest(self, name: str, value: Any) -> str:
        told = hashed(value)
        if not told.digest and not self.found.why:
            self.found.why = f"{name}: {told.why}"
        for cls in told.classes:
            if is_own(cls):
                self.add(cls.__name__, cls)
        return told.digest


def _defaults(cls: type) -> dict[str, Any]:
    """The defaults of a pydantic model's or a dataclass's fields, and of the former also the kind."""
    found: dict[str, Any] = {}
    for name, info in vars(cls).get("__pydantic_fields__", {}).items():
        default = None if info.is_required() else info.default
        found[name] = info.default_factory or [str(info.annotation), default]
    for name, info in vars(cls).get("__dataclass_fields__", {}).items():
        for told in (info.default, info.default_factory):
            if told is not dataclasses.MISSING:
                found[name] = told
    return found


def _generated(function: types.FunctionType) -> bool:
    """Whether a dataclass or a named tuple made the method of its fields."""
    return function.__code__.co_filename == "<string>" and _dunder(function.__name__)


def _dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _bytecode(code: types.CodeType, doc: str | None = None) -> list[Any]:
    """What a function does, without where it stands and what its docstring says."""
    constants = [
        _bytecode(each) if isinstance(each, types.CodeType) else hashed(each).digest or repr(each)
        for each in code.co_consts
        if doc is None or each != doc
    ]
    names = [list(each) for each in (code.co_names, code.co_varnames, code.co_freevars)]
    return [code.co_code, code.co_exceptiontable, constants, *names, code.co_flags]


def _named(code: types.CodeType) -> dict[str, set[str]]:
    """The globals and the modules that a function, and the functions in it, refer to."""
    found: dict[str, set[str]] = {"global": set(), "import": set()}
    for each in dis.get_instructions(code):
        kind = {"LOAD_GLOBAL": "global", "LOAD_NAME": "global", "IMPORT_NAME": "import"}.get(each.opname)
        if kind and isinstance(each.argval, str):
            found[kind].add(each.argval)
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            for kind, names in _named(each).items():
                found[kind] |= names
    return found


def _attributes(code: types.CodeType) -> set[str]:
    """The names that a function, and the functions in it, read of anything."""
    inner = [_attributes(each) for each in code.co_consts if isinstance(each, types.CodeType)]
    return set(code.co_names).union(*inner)


def _lines(function: types.FunctionType) -> tuple[tuple[int, str], ...]:
    """The lines from ``def`` on, without docstrings, comments and empty ones."""
    try:
        source = textwrap.dedent(inspect.getsource(function))
        (top,) = ast.parse(source).body
    except (OSError, TypeError, SyntaxError, ValueError):  # typed into a prompt, a lambda, or made by exec
        return ()
    if not isinstance(top, ast.FunctionDef | ast.AsyncFunctionDef):
        return ()
    first = top.body[0]
    doc = range(0)
    if ast.get_docstring(top) is not None:
        doc = range(first.lineno, (first.end_lineno or first.lineno) + 1)
    lines = enumerate(source.splitlines(), 1)
    return tuple(
        (number - top.lineno + 1, line.rstrip())
        for number, line in lines
        if number >= top.lineno and number not in doc and line.strip() and not line.strip().startswith("#")
    )


def is_own(cls: type) -> bool:
    """Whether a class is the user's own, so that its code may change at any time."""
    return not _installed(cls.__module__, _file(cls))


def _file(cls: type) -> str:
    return getattr(sys.modules.get(cls.__module__), "__file__", None) or ""


def _installed(module: str | None, file: str) -> bool:
    """Whether code belongs to a package that is installed, and changes only with its version."""
    package = (module or "").partition(".")[0]
    if package in ("bpaz_lab", "builtins") or any(file.startswith(folder) for folder in INSTALLED):
        return True
    return not file and package in sys.stdlib_module_names


@cache
def version_of(module: str) -> str:
    """The version of the package that a module belongs to; empty where nobody says it."""
    package = module.partition(".")[0]
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return str(getattr(sys.modules.get(package), "__version__", ""))
