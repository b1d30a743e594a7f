"""Python that builds a workflow, read without being run.

The text is parsed, and of what it says only a small part is understood: literals and variables, what the
editing methods of a workflow take, ``>>``, ``with`` for bodies. Each line that is understood makes the same
call that it would make in a cell, so that both mean the same. Everything else is an error with its line;
nothing is imported, called or evaluated.
"""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from bpaz_lab.errors import BpazError, CodeError
from bpaz_lab.guard.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Callable

_MODULE: Final = "bpaz_lab"
_EDITS: Final = (
    "add",
    "arrange",
    "connect",
    "disconnect",
    "extract",
    "group",
    "inline",
    "move",
    "note",
    "remove",
)
_CHANGES: Final = ("rename", "set", "set_policy")
_SHOWN: Final = 80
_HINT: Final = "Write what builds the workflow and nothing else; docs/code.md says what is understood."


class Known(NamedTuple):
    """A value that is no JSON: what kind of thing it is, and the thing."""

    kind: str
    """``module``, ``Workflow``, ``credential``, ``scope`` (a workflow or a body), ``node`` or ``port``."""
    it: Any = None


def read(source: str, begin: Callable[[Any], Any]) -> Any:
    """The workflow that the text builds.

    Args:
        source: Python.
        begin: Makes the workflow: of its name, or of the document that ``from_dict`` is given.

    Raises:
        CodeError: A line says something else, or what it says cannot be done; it names the line.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        line = error.lineno or 1
        told = "".join(source.splitlines()[line - 1 : line]).strip()[:_SHOWN]
        raise CodeError(
            f"this is no Python: {error.msg}", line=line, column=error.offset or 1, source=told
        ) from None
    except ValueError as error:
        raise CodeError(f"this is no Python: {error}", hint=_HINT) from None
    except (RecursionError, MemoryError):
        raise _too_deep() from None
    reader = _Reader(source, begin)
    try:
        reader.statements(tree.body)
    except RecursionError:
        raise _too_deep() from None
    if reader.workflow is None:
        raise CodeError("no workflow is made here", hint='Begin with: wf = bz.Workflow("My workflow")')
    return reader.workflow


def _too_deep() -> CodeError:
    return CodeError("the code is nested too deeply", hint="Break it into several lines.")


class _Reader:
    def __init__(self, source: str, begin: Callable[[Any], Any]) -> None:
        self.source = source
        self.begin = begin
        self.workflow: Any = None
        self.names: dict[str, Any] = {}

    def statements(self, body: list[ast.stmt]) -> None:
        for each in body:
            self.statement(each)

    def statement(self, told: ast.stmt) -> None:  # noqa: C901, PLR0912 (a branch for each kind of statement)
        match told:
            case ast.Import(names=names):
                for alias in names:
                    self._import(told, alias.name, "module", alias.asname or alias.name)
            case ast.ImportFrom(module="__future__") | ast.Pass():
                pass
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self.names.pop(told.name, None)  # it stands for the node type that a cell made of it
            case ast.ImportFrom(module=module, names=names, level=0) if module == _MODULE:
                for alias in names:
                    if alias.name not in ("Workflow", "credential"):
                        self._refuse(told, f"{alias.name} is not needed to build a workflow")
                    self._import(told, _MODULE, alias.name, alias.asname or alias.name)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self.names[name] = self.value(value)
            case ast.Assign(targets=[ast.Attribute(value=owner, attr=attribute) as target], value=value):
                self._assign(target, self.value(owner), attribute, self.value(value))
            case ast.Expr(value=ast.Constant(value=str())):
                pass
            case ast.Expr(value=value):
                self.value(value)
            case ast.With(items=items, body=body):
                for item in items:
                    self._enter(item)
                self.statements(body)
            case _:
                self._refuse(told, "this does not just build a workflow")

    def _import(self, told: ast.stmt, module: str, kind: str, name: str) -> None:
        if module != _MODULE:
            self._refuse(told, f"{module} is not needed to build a workflow")
        self.names[name] = Known(kind)

    def _assign(self, target: ast.expr, owner: Any, attribute: str, value: Any) -> None:
        allowed = {("node", "title"), ("scope", "name")}
        if not isinstance(owner, Known) or (owner.kind, attribute) not in allowed:
            self._refuse(target, f"nothing is assigned to .{attribute} here")
        if not isinstance(value, str):
            self._refuse(target, f"a {attribute} is a text")
        self._do(target, setattr, (owner.it, attribute, value), {})

    def _enter(self, item: ast.withitem) -> None:
        body = self._body(item.context_expr, self.value(item.context_expr))
        match item.optional_vars:
            case None:
                pass
            case ast.Name(id=name):
                self.names[name] = body
            case other:
                self._refuse(other, "the body of a container gets a name")

    # ---- expressions -------------------------------------------------------------------------------

    def value(self, told: ast.expr) -> Any:  # noqa: C901, PLR0911 (a branch for each kind of expression)
        match told:
            case ast.Constant(value=str() | int() | float() | None as value):
                return value
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return [self._json(item) for item in items]
            case ast.Dict(keys=keys, values=values):
                return {
                    self._text(told, key): self._json(value) for key, value in zip(keys, values, strict=True)
                }
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return -number
            case ast.Name(id=name):
                if name not in self.names:
                    hint = closest(name, self.names) or _HINT
                    self._refuse(told, f"nothing is called {name!r} above", hint)
                return self.names[name]
            case ast.BinOp(left=left, op=ast.RShift(), right=right):
                return self._join(told, self.value(left), self.value(right))
            case ast.Subscript(value=owner, slice=index):
                return self._item(told, self.value(owner), self._text(told, index))
            case ast.Attribute(value=owner, attr=name):
                return self._attribute(told, self.value(owner), name)
            case ast.Call(func=function, args=positional, keywords=named):
                return self._call(told, function, positional, named)
            case ast.JoinedStr():
                return self._refuse(told, "an f-string is code that would be run", "Write the text.")
            case _:
                return self._refuse(told, "this is no literal, variable or edit of a workflow")

    def _json(self, told: ast.expr) -> Any:
        """A value of a list: JSON, or nodes, as ``group`` takes them."""
        value = self.value(told)
        if isinstance(value, Known) and value.kind != "node":
            self._refuse(told, "only literals stand in a list or a dict")
        return value.it if isinstance(value, Known) else value

    def _text(self, place: ast.expr, told: ast.expr | None) -> str:
        value = None if told is None else self.value(told)
        if not isinstance(value, str):
            self._refuse(told or place, "a key is a text")
        return value

    def _join(self, told: ast.expr, left: Any, right: Any) -> Any:
        for end in (left, right):
            if not isinstance(end, Known) or end.kind not in ("node", "port"):
                self._refuse(told, ">> joins nodes or ports")
        self._do(told, operator.rshift, (left.it, right.it), {})
        return right

    def _item(self, told: ast.expr, owner: Any, name: str) -> Known:
        kinds = {"scope": "node", "node": "port"}
        if not isinstance(owner, Known) or owner.kind not in kinds:
            self._refuse(told, "only a workflow and a node have something in brackets")
        return Known(kinds[owner.kind], self._do(told, operator.getitem, (owner.it, name), {}))

    def _attribute(self, told: ast.expr, owner: Any, name: str) -> Any:
        if isinstance(owner, Known):
            if owner.kind == "module" and name in ("Workflow", "credential"):
                return Known(name)
            if owner.kind == "node" and name == "body":
                return self._body(told, owner)
        return self._refuse(told, f".{name} is not read from code")

    def _body(self, told: ast.expr, node: Any) -> Known:
        if not isinstance(node, Known) or node.kind != "node":
            self._refuse(told, "only a container has a body")
        return Known("scope", self._do(told, getattr, (node.it, "body"), {}))

    # ---- calls -------------------------------------------------------------------------------------

    def _call(
        self, told: ast.Call, function: ast.expr, positional: list[ast.expr], named: list[ast.keyword]
    ) -> Any:
        owner, method = self._function(function)
        adds = owner.kind == "scope" and method == "add"
        types = self._type(positional[0]) if adds and positional else []
        arguments = [*types, *(self._argument(each) for each in positional[len(types) :])]
        options: dict[str, Any] = {}
        for each in named:
            if each.arg is None:
                self._refuse(told, "** is not understood", "Write the settings one by one.")
            options[each.arg] = self._argument(each.value)
        if owner.kind == "Workflow":
            return self._begin(told, method, arguments, options)
        if owner.kind == "credential":
            return self._credential(told, arguments, options)
        if owner.kind == "scope" and method in _EDITS:
            made = self._do(told, getattr(owner.it, method), arguments, options)
            return Known("node", made) if method in ("add", "extract") else made
        if owner.kind == "node" and method in _CHANGES:
            self._do(told, getattr(owner.it, method), arguments, options)
            return owner
        known = {"scope": _EDITS, "node": _CHANGES}.get(owner.kind, ())
        return self._refuse(told, f"{method}() does not build a workflow", closest(method, known) or _HINT)

    def _function(self, told: ast.expr) -> tuple[Known, str]:
        """What is called: the owner of the method and its name, which is empty for a bare name."""
        if isinstance(told, ast.Attribute):
            owner = self.value(told.value)
            if isinstance(owner, Known) and owner.kind == "module":
                return self._attribute(told, owner, told.attr), ""
            if isinstance(owner, Known):
                return owner, told.attr
        elif isinstance(told, ast.Name) and isinstance(known := self.names.get(told.id), Known):
            return known, ""
        return self._refuse(told, "nothing is called but what builds a workflow")

    def _type(self, told: ast.expr) -> list[Any]:
        """The type of a node: its name, or a function or class of that name."""
        return [told.id] if isinstance(told, ast.Name) and told.id not in self.names else []

    def _argument(self, told: ast.expr) -> Any:
        value = self.value(told)
        if isinstance(value, Known):
            if value.kind not in ("node", "port"):
                self._refuse(told, "this is neither a literal nor a node")
            return value.it
        return value

    def _begin(self, told: ast.Call, method: str, arguments: list[Any], options: dict[str, Any]) -> Known:
        if self.workflow is not None:
            self._refuse(told, "this is a second workflow", "Read one at a time.")
        values = [*arguments, *options.values()] or ["Untitled"]
        fits = len(values) == 1 and options.keys() <= ({"document"} if method else {"name"})
        if not fits or method not in ("", "from_dict") or not isinstance(values[0], dict if method else str):
            self._refuse(told, "a workflow begins with its name", 'Write: bz.Workflow("My workflow")')
        self.workflow = self._do(told, self.begin, values, {})
        return Known("scope", self.workflow)

    def _credential(self, told: ast.Call, arguments: list[Any], options: dict[str, Any]) -> dict[str, str]:
        if options or len(arguments) != 1 or not isinstance(arguments[0], str):
            self._refuse(told, "a credential has a name", 'Write: bz.credential("openai")')
        return {"$cred": arguments[0]}

    def _do(self, told: ast.AST, call: Callable[..., Any], arguments: Any, options: dict[str, Any]) -> Any:
        try:
            return call(*arguments, **options)
        except BpazError as error:
            where = f"{error.path}: " if error.path else ""
            self._refuse(told, f"{where}{error.message}", error.hint, error)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            self._refuse(told, f"the arguments do not fit: {error}", _HINT, error)

    def _refuse(self, told: Any, message: str, hint: str = _HINT, cause: Exception | None = None) -> NoReturn:
        source = ast.get_source_segment(self.source, told) or ""
        first = source.split("\n", 1)[0]
        shown = first if len(first) <= _SHOWN else f"{first[:_SHOWN]}…"
        raise CodeError(
            f"{message}: {shown}" if shown and cause is None else message,
            hint=hint,
            line=told.lineno,
            column=told.col_offset + 1,
            source=source,
        ) from cause
