"""Expressions written as Black would write them, in lines of 88 characters.

Only what generated code needs: names, calls and JSON. Every text is a safe literal, whatever is in it: what
cannot be seen (control characters, characters that change the direction of writing) is escaped.

Example:
    >>> call = Call("wf.add", [("", literal("TextInput")), ("text", literal('say "hi"'))])
    >>> print(statement("hello = ", call))
    hello = wf.add("TextInput", text='say "hi"')
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH: Final = 88
INDENT: Final = "    "
_QUOTES: Final = re.compile(r"\\.|\"", re.DOTALL)
_LONG_TEXT: Final = 2
"""Line breaks from which on a text is written over several lines."""
_WHOLE: Final = 1e15
"""The size from which on Python writes floats with an exponent."""


class Text(NamedTuple):
    """A text."""

    value: str


class Items(NamedTuple):
    """A list, a tuple or a dict: brackets, and for each item what stands before it."""

    brackets: str
    items: Sequence[tuple[str, Expression]]


class Call(NamedTuple):
    """A call: the function, and for each argument its name (empty for one by position)."""

    function: str
    arguments: Sequence[tuple[str, Expression]]


Expression = str | Text | Items | Call
"""A plain ``str`` is code as it stands: a name, a number."""


def literal(value: Any) -> Expression:
    """A JSON value; a reference to a credential is a call of ``bz.credential``."""
    if isinstance(value, str):
        return Text(value)
    if isinstance(value, dict):
        if value.keys() == {"$cred"} and isinstance(value["$cred"], str):
            return Call("bz.credential", [("", Text(value["$cred"]))])
        return Items("{}", [(f"{quoted(key)}: ", literal(item)) for key, item in value.items()])
    if isinstance(value, list | tuple):
        return Items("[]", [("", literal(item)) for item in value])
    return number(value) if isinstance(value, float) else repr(value)


def number(value: float) -> str:
    """A number, which JSON gives no kind: a whole one has no point."""
    return repr(int(value)) if value == int(value) and abs(value) < _WHOLE else repr(value)


def quoted(text: str) -> str:
    """A text as a literal in one line, in double quotes where that needs no more escapes."""
    inner = repr('"' + text)[2:-1]  # the quotation mark makes repr take single quotes
    if text.count('"') > text.count("'"):
        return f"'{inner}'"
    return '"' + _QUOTES.sub(lambda found: {"\\'": "'", '"': '\\"'}.get(found[0], found[0]), inner) + '"'


def statement(before: str, expression: Expression, *, indent: str = "", after: str = "") -> str:
    """A statement: what stands before the expression, and what after it."""
    start = indent + before
    place = _Place(indent, len(start), len(after), named=before.endswith("= "))
    return start + _written(expression, place) + after


def chain(names: Sequence[str], indent: str = "") -> str:
    """Names joined by ``>>``."""
    line = indent + " >> ".join(names)
    if len(line) <= WIDTH:
        return line
    return f"{indent}(\n{indent}{INDENT}" + f"\n{indent}{INDENT}>> ".join(names) + f"\n{indent})"


def flat(expression: Expression) -> str:
    """The expression in one line, however long."""
    if isinstance(expression, str):
        return expression
    if isinstance(expression, Text):
        return quoted(expression.value)
    if isinstance(expression, Items):
        start, end, items = expression.brackets[0], expression.brackets[1], expression.items
        return start + ", ".join(before + flat(item) for before, item in items) + end
    return f"{expression.function}({_arguments(expression)})"


def _arguments(call: Call) -> str:
    return ", ".join(_named(name) + flat(item) for name, item in call.arguments)


def _named(name: str) -> str:
    return f"{name}=" if name else ""


class _Place(NamedTuple):
    """Where an expression starts."""

    indent: str
    column: int
    tail: int
    """How many characters follow it in its last line."""
    named: bool
    """It stands behind an equals sign or a colon, so that it may get parentheses of its own."""
    deep: bool = False
    """It stands in a list or dict, where no text is written over the margin."""


def _written(expression: Expression, place: _Place) -> str:
    line = flat(expression)
    if isinstance(expression, str):
        return line
    if isinstance(expression, Text):
        if place.named and not place.deep and _is_long(expression.value):
            return f'"""\\\n{expression.value}"""'
        return line if _fits(line, place) else _pieces(expression.value, line, place)
    if _fits(line, place) and not _holds_long(expression):
        return line
    return _items(expression, place) if isinstance(expression, Items) else _call(expression, place)


def _fits(line: str, place: _Place) -> bool:
    return place.column + len(line) + place.tail <= WIDTH


def _items(expression: Items, place: _Place) -> str:
    start, end, inner = expression.brackets[0], expression.brackets[1], place.indent + INDENT
    rows = [
        before + _written(item, _Place(inner, len(inner + before), 1, named=True, deep=True))
        for before, item in expression.items
    ]
    return f"{start}\n" + "".join(f"{inner}{row},\n" for row in rows) + place.indent + end


def _call(expression: Call, place: _Place) -> str:
    inner, together = place.indent + INDENT, _arguments(expression)
    if len(inner + together) <= WIDTH and not _holds_long(expression):
        return f"{expression.function}(\n{inner}{together}\n{place.indent})"
    rows = [
        _named(name)
        + _written(item, _Place(inner, len(inner + _named(name)), 1, named=bool(name), deep=place.deep))
        for name, item in expression.arguments
    ]
    return f"{expression.function}(\n" + "".join(f"{inner}{row},\n" for row in rows) + f"{place.indent})"


def _is_long(text: str) -> bool:
    """Whether a text reads best over several lines, and can stand there exactly as it is."""
    lines = text.split("\n")
    return (
        len(lines) > _LONG_TEXT
        and all(line.isprintable() and line == line.rstrip() for line in lines)
        and "\\" not in text
        and '"""' not in text
        and not text.endswith('"')
    )


def _holds_long(expression: Expression) -> bool:
    return isinstance(expression, Call) and any(
        bool(name) and isinstance(item, Text) and _is_long(item.value) for name, item in expression.arguments
    )


def _pieces(text: str, line: str, place: _Place) -> str:
    """A text that is too long for its line, cut at line breaks and spaces."""
    inner = place.indent + INDENT if place.named else place.indent
    parts = [quoted(piece) for piece in _cut(text, max(20, WIDTH - len(inner) - 3))]
    if not parts or (len(parts) == 1 and not place.named):
        return line
    joined = f"\n{inner}".join(parts)
    return f"(\n{inner}{joined}\n{place.indent})" if place.named else joined


def _cut(text: str, room: int) -> Iterator[str]:
    start = 0
    while start < len(text):
        ends = text.find("\n", start, start + room)
        end = ends + 1 if ends >= 0 else min(start + room, len(text))
        while (long := len(quoted(text[start:end])) - 2) > room and end > start + 1:
            end = start + max(1, (end - start) * room // long)
        if end < len(text) and text[end - 1] != "\n" and (space := text.rfind(" ", start, end)) > start:
            end = space + 1
        yield text[start:end]
        start = end
