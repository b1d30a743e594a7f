"""The closed expression language of conditions, over named values.

``length(answer) > 20 and answer contains "refund" and not (score < 0.5)``. There are texts, numbers,
``true``, ``false``, ``none`` and lists; comparisons (``=``, ``!=``, ``<``, ``<=``, ``>``, ``>=``, ``in``,
``contains``, ``starts with``, ``ends with``, ``matches``, ``is empty``), ``and``, ``or``, ``not``,
arithmetic, ``a.b`` and ``a["b"]`` into dicts and lists, and a few functions. A dot never reaches an
attribute of a Python object, regular expressions are RE2's (linear time), and everything is bounded, so
that an expression from anybody can be evaluated.

Example:
    >>> told = parse('length(answer) > 3 and answer matches "^h"')
    >>> told.names
    ('answer',)
    >>> told.holds({"answer": "hello"})
    True
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.errors import ExpressionError
from bpaz_lab.graph.operations import FUNCTIONS, OPERATORS, native, truth
from bpaz_lab.guard.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Mapping

LENGTH: Final = 2_000
"""Characters of an expression."""
DEPTH: Final = 100
"""Operations in operations, which evaluation follows down."""
SHOWN: Final = 120
"""Characters of an expression that an error shows."""
FOREIGN: Final = {"&&": "and", "||": "or", "!": "not", "&": "and", "|": "or"}
"""Signs of other languages, and what is written instead."""


class Expression:
    """A parsed expression; it can be evaluated any number of times, by any thread.

    Attributes:
        text: The expression as it was written.
        names: The values that it needs, sorted.
    """

    def __init__(self, text: str, tree: Any) -> None:
        self.text = text
        self._tree = tree
        self.names = tuple(sorted({str(each.children[0]) for each in tree.find_data("name")}))

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """The value of the expression.

        Raises:
            ExpressionError: A name is not given, or values cannot be taken together like this.
        """
        try:
            return _value(self._tree, values)
        except ExpressionError as error:
            error.message = f"{_shown(self.text)}: {error.message}"
            error.args = (error.message,)
            raise

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether the value counts as true; raises as ``evaluate`` does."""
        return truth(self.evaluate(values))


@lru_cache(512)
def parse(text: str) -> Expression:
    """Reads an expression.

    Raises:
        ExpressionError: It is none; the message says where it breaks off.
    """
    from lark.exceptions import UnexpectedInput

    if len(text) > LENGTH:
        raise ExpressionError(
            f"an expression has at most {LENGTH:,} characters, not {len(text):,}",
            hint="Compute it in a node.",
        )
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise _breaks_off(text, error) from None
    if _depth(tree) > DEPTH:
        raise ExpressionError("the expression is nested too deep", hint="Compute it in a node.")
    for each in tree.iter_subtrees():
        if each.data in ("and_", "or_", "negated"):
            _asks(text, each.children)
    for each in tree.find_data("call"):
        name = str(each.children[0])
        if name not in FUNCTIONS:
            raise ExpressionError(
                f"{_shown(text)} calls {name!r}, which is no function",
                hint=closest(name, FUNCTIONS) or f"The functions are: {', '.join(FUNCTIONS)}.",
            )
    return Expression(text, tree)


@cache
def _parser() -> Any:
    from lark import Lark

    grammar = Path(__file__).with_suffix(".lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", maybe_placeholders=False)


def _value(tree: Any, values: Mapping[str, Any]) -> Any:
    parts = tree.children
    if leaf := _LEAVES.get(tree.data):
        return leaf(parts)
    if special := _SPECIAL.get(tree.data):
        return special(parts, values)
    return OPERATORS[tree.data](*(_value(part, values) for part in parts))


def _depth(tree: Any) -> int:
    depth, level = 0, [tree]
    while level:
        depth += 1
        level = [part for each in level for part in getattr(each, "children", ())]
    return depth


def _breaks_off(text: str, error: Any) -> ExpressionError:
    """The error of a text that is no expression: where it breaks off, and what may help."""
    ended = getattr(getattr(error, "token", None), "type", "") == "$END"
    at = len(text) if ended else max(0, error.pos_in_stream or 0)
    rest = text[at : at + 20]
    where = f"at character {at + 1}, {rest!r}" if rest.strip() else "at its end"
    told = next((told for told in FOREIGN if text.startswith(told, at)), "")
    hint = (
        f"Write {FOREIGN[told]!r} instead of {told!r}."
        if told
        else 'Write for instance: length(text) > 20 and text contains "refund".'
    )
    return ExpressionError(f"{_shown(text)} is no expression: it breaks off {where}", hint=hint)


def _asks(text: str, parts: list[Any]) -> None:
    """Refuses ``x = "a" or "b"``, which always holds: a text written out asks nothing."""
    for part in parts:
        if part.data in ("text", "number", "list"):
            raise ExpressionError(
                f"{_shown(text)} takes a text, number or list for a condition of its own",
                hint="Write x = 'a' or x = 'b', or x in ['a', 'b'].",
            )


def _shown(text: str) -> str:
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}...")


def _text(token: str) -> str:
    r"""The text in quotes; ``\n``, ``\t``, ``\\`` and escaped quotes mean what they mean in Python.

    Any other backslash stands for itself, so that patterns can be written plainly: ``"\bno\b"``.
    """
    return _ESCAPED.sub(lambda found: _ESCAPES[found.group(1)], token[1:-1])


_ESCAPES: Final = {"n": "\n", "t": "\t", "\\": "\\", "'": "'", '"': '"'}
_ESCAPED: Final = re.compile(r"""\\([nt\\'"])""")


def _compared(parts: list[Any], values: Mapping[str, Any]) -> bool:
    """``1 < x <= 3``: each neighbour with the next, as in mathematics."""
    left = _value(parts[0], values)
    for operator, part in zip(parts[1::2], parts[2::2], strict=True):
        right = _value(part, values)
        if not OPERATORS[operator.data](left, right):
            return False
        left = right
    return True


def _named(name: str, values: Mapping[str, Any]) -> Any:
    if name not in values:
        raise ExpressionError(
            f"there is no value {name!r}",
            hint=closest(name, values) or f"There is: {', '.join(values) or 'none'}.",
        )
    return native(values[name])


def _called(name: str, arguments: list[Any]) -> Any:
    if len(arguments) != 1:
        raise ExpressionError(f"{name}() takes one value, not {len(arguments)}", hint=f"Write {name}(x).")
    return FUNCTIONS[name](arguments[0])


def _numeral(parts: list[Any]) -> int | float:
    whole = not any(character in parts[0] for character in ".eE")
    return int(parts[0]) if whole else float(parts[0])


_LEAVES: Final[dict[str, Any]] = {
    "number": _numeral,
    "text": lambda parts: _text(parts[0]),
    "true": lambda _: True,
    "false": lambda _: False,
    "none": lambda _: None,
}
_SPECIAL: Final[dict[str, Any]] = {
    "and_": lambda parts, values: all(truth(_value(part, values)) for part in parts),
    "or_": lambda parts, values: any(truth(_value(part, values)) for part in parts),
    "negated": lambda parts, values: not truth(_value(parts[0], values)),
    "compared": _compared,
    "name": lambda parts, values: _named(str(parts[0]), values),
    "list": lambda parts, values: [_value(part, values) for part in parts],
    "call": lambda parts, values: _called(str(parts[0]), [_value(part, values) for part in parts[1:]]),
    "member": lambda parts, values: OPERATORS["item"](_value(parts[0], values), str(parts[1])),
}
