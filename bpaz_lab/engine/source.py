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
import dis
import importlib.metadata
import inspect
import sys
import textwrap
import types
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from site import getsitepackages
from typing import Any, Final

from bpaz_lab.engine.hashing import hashed

INSTALLED: Final = (*getsitepackages(), str(Path(inspect.__file__).parent))
"""Where code lies that changes only with its version."""


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
    found = Code()
    _add(found, getattr(thing, "__name__", type(thing).__name__), thing, set())
    return found


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


def _add(found: Code, name: str, thing: Any, seen: set[int]) -> None:
    if id(thing) in seen:
        return
    seen.add(id(thing))
    thing = inspect.unwrap(thing) if callable(thing) else thing
    if isinstance(thing, staticmethod | classmethod | types.MethodType):
        thing = thing.__func__
    if isinstance(thing, partial):
        _add(found, name, thing.func, seen)
        _value(found, f"{name} (given)", [list(thing.args), thing.keywords])
    elif isinstance(thing, types.ModuleType):
        found.parts[name] = f"module {thing.__name__} {_version(thing.__name__)}"
    elif isinstance(thing, types.FunctionType):
        _function(found, name, thing, seen)
    elif isinstance(thing, type):
        _class(found, name, thing, seen)
    elif isinstance(thing, types.BuiltinFunctionType | types.MethodDescriptorType):
        found.parts[name] = f"built in {thing.__qualname__}"
    else:
        _value(found, name, thing)


def _function(found: Code, name: str, function: types.FunctionType, seen: set[int]) -> None:
    if _installed(function.__module__, function.__code__.co_filename):
        found.parts[name] = f"{function.__module__}.{function.__qualname__} {_version(function.__module__)}"
        return
    code = function.__code__
    parts: list[Any] = [_bytecode(code, function.__doc__)]
    if function.__defaults__ or function.__kwdefaults__:
        parts += [_digest(found, name, function.__defaults__), _digest(found, name, function.__kwdefaults__)]
    found.parts[name] = hashed(parts).digest
    found.lines[name] = _lines(function)
    for variable, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
        try:
            _add(found, f"{variable}", cell.cell_contents, seen)
        except ValueError:  # an empty cell: the function will say so itself
            continue
    for variable in sorted(_globals(code)):
        if variable in function.__globals__:
            _add(found, variable, function.__globals__[variable], seen)


def _class(found: Code, name: str, cls: type, seen: set[int]) -> None:
    if _installed(cls.__module__, _file(cls)):
        found.parts[name] = f"{cls.__module__}.{cls.__qualname__} {_version(cls.__module__)}"
        return
    found.parts[name] = f"class {[base.__qualname__ for base in cls.__bases__]}"
    for base in cls.__mro__[1:]:
        if not _installed(base.__module__, _file(base)):
            _add(found, base.__name__, base, seen)
    for value in vars(cls).values():
        raw = value.__func__ if isinstance(value, staticmethod | classmethod) else value
        raw = raw.fget if isinstance(raw, property) else raw
        if isinstance(raw, types.FunctionType) and not _installed(raw.__module__, raw.__code__.co_filename):
            _add(found, raw.__qualname__.rpartition("<locals>.")[2], raw, seen)


def _value(found: Code, name: str, value: Any) -> None:
    found.parts[name] = _digest(found, name, value)


def _digest(found: Code, name: str, value: Any) -> str:
    told = hashed(value)
    if not told.digest and not found.why:
        found.why = f"{name}: {told.why}"
    return told.digest


def _bytecode(code: types.CodeType, doc: str | None = None) -> list[Any]:
    """What a function does, without where it stands and what its docstring says."""
    constants = [
        _bytecode(each) if isinstance(each, types.CodeType) else hashed(each).digest or repr(each)
        for each in code.co_consts
        if doc is None or each != doc
    ]
    names = [list(each) for each in (code.co_names, code.co_varnames, code.co_freevars)]
    return [code.co_code, constants, *names, code.co_flags]


def _globals(code: types.CodeType) -> set[str]:
    """The globals that a function, and the functions in it, refer to."""
    found = {
        each.argval
        for each in dis.get_instructions(code)
        if each.opname in ("LOAD_GLOBAL", "LOAD_NAME") and isinstance(each.argval, str)
    }
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            found |= _globals(each)
    return found


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
    return package in ("bpaz_lab", "builtins") or any(file.startswith(folder) for folder in INSTALLED)


@cache
def _version(module: str) -> str:
    package = module.partition(".")[0]
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return str(getattr(sys.modules.get(package), "__version__", ""))
