"""What the operators and functions of the expression language do; see ``expression.py``.

Unlike kinds are never silently different: comparing a text with a number is an error that says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.errors import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE: Final = 256 * 1024
"""Characters or items that an operator may make: as many as a text of a document has."""
LIMIT: Final = 10**300
"""The greatest number, above which arithmetic stops."""


def describe(value: Any) -> str:
    """A value's kind in the words of the language."""
    if value is None:
        return "none"
    for kind, name in ((bool, "true or false"), (str, "a text"), (int | float, "a number"), (dict, "a dict")):
        if isinstance(value, kind):
            return name
    return "a list" if isinstance(value, list | tuple) else f"a {type(value).__name__}"


def native(value: Any) -> Any:
    """A number or truth value of NumPy as Python's own, which neither overflows nor wraps around."""
    scalar = type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0
    return value.item() if scalar else value


def truth(value: Any) -> bool:
    """Whether a value counts as true: it is neither false, none, 0 nor empty."""
    if isinstance(value, bool | int | float | str | list | tuple | dict | set | frozenset) or value is None:
        return bool(value)
    raise ExpressionError(
        f"{describe(value)} is neither true nor false", hint="Compare it, or ask whether it 'is empty'."
    )


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cannot(what: str, one: Any, other: Any) -> ExpressionError:
    hint = "number(x) makes a number of a text, text(x) a text of a number."
    return ExpressionError(f"{describe(one)} and {describe(other)} cannot be {what}", hint=hint)


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str | list | tuple | dict)


def _equal(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    alike = (
        (_number(one) and _number(other))
        or (isinstance(one, list | tuple) and isinstance(other, list | tuple))
        or (_plain(one) and type(one) is type(other))
    )
    if not alike:
        raise _cannot("compared", one, other)
    try:
        return bool(list(one) == list(other) if isinstance(one, list | tuple) else one == other)
    except (ValueError, TypeError, RecursionError):
        raise _cannot("compared", one, other) from None


def _ordered(one: Any, other: Any) -> None:
    if not ((_number(one) and _number(other)) or (isinstance(one, str) and isinstance(other, str))):
        raise _cannot("ordered", one, other)


def _less(one: Any, other: Any) -> bool:
    _ordered(one, other)
    return bool(one < other)


def _at_most(one: Any, other: Any) -> bool:
    _ordered(one, other)
    return bool(one <= other)


def _contains(whole: Any, part: Any) -> bool:
    if isinstance(whole, str):
        if not isinstance(part, str):
            raise _cannot("searched in one another", whole, part)
        return part in whole
    if isinstance(whole, dict):
        return isinstance(part, str) and part in whole
    if isinstance(whole, list | tuple | set | frozenset):
        return any(_same(native(each), part) for each in whole)
    raise ExpressionError(
        f"{describe(whole)} holds nothing to search", hint="Search a text, a list or a dict."
    )


def _same(one: Any, other: Any) -> bool:
    try:
        return _equal(one, other)
    except ExpressionError:
        return False


def _texts(what: str, one: Any, other: Any) -> None:
    if not (isinstance(one, str) and isinstance(other, str)):
        raise ExpressionError(
            f"{what!r} compares texts, not {describe(one)} and {describe(other)}",
            hint="text(x) makes a text of a number.",
        )


def _starts(one: Any, other: Any) -> bool:
    _texts("starts with", one, other)
    return bool(one.startswith(other))


def _ends(one: Any, other: Any) -> bool:
    _texts("ends with", one, other)
    return bool(one.endswith(other))


def _matches(text: Any, pattern: Any) -> bool:
    _texts("matches", text, pattern)
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(pattern, options).search(text) is not None
    except re2.error as error:
        told = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else error.args[0]
        raise ExpressionError(
            f"{pattern[:100]!r} is no regular expression: {told}",
            hint="It is RE2's syntax, which has no look-around and no back references.",
        ) from None
    except UnicodeEncodeError:
        raise ExpressionError(
            "'matches' got half a character, which no text has", hint="Clean the text first."
        ) from None


def _empty(value: Any) -> bool:
    if isinstance(value, int | float):  # NaN is what a table has where nothing is
        return value != value  # noqa: PLR0124 (as above)
    if value is None:
        return True
    if isinstance(value, str):
        return not value.strip()
    return _length(value) == 0


def _length(value: Any) -> int:
    try:
        return len(value)
    except TypeError:
        raise ExpressionError(
            f"{describe(value)} has no length", hint="Texts, lists, dicts and tables have one."
        ) from None


def _item(whole: Any, key: Any) -> Any:
    if isinstance(whole, dict) and isinstance(key, str | int):
        return native(whole.get(key))
    if isinstance(whole, list | tuple) and isinstance(key, int) and not isinstance(key, bool):
        return native(whole[key]) if -len(whole) <= key < len(whole) else None
    raise ExpressionError(
        f"{describe(whole)} has no part {key!r}", hint="Dicts have parts by name, lists by number from 0."
    )


def _add(one: Any, other: Any) -> Any:
    both_texts = isinstance(one, str) and isinstance(other, str)
    both_lists = isinstance(one, list) and isinstance(other, list)
    if both_texts or both_lists:
        if len(one) + len(other) > SIZE:
            raise ExpressionError(f"the result has more than {SIZE:,} parts", hint="Compute it in a node.")
        return one + other
    return _calculated("added", one, other, lambda: one + other)


def _calculated(what: str, one: Any, other: Any, calculate: Callable[[], Any]) -> Any:
    if not (_number(one) and _number(other)):
        raise _cannot(what, one, other)
    try:
        result = calculate() if abs(one) < LIMIT and abs(other) < LIMIT else float("inf")
    except ZeroDivisionError:
        raise ExpressionError("a number cannot be divided by 0", hint="Ask first whether it is 0.") from None
    except OverflowError:
        result = float("inf")
    if not abs(result) < LIMIT:
        raise ExpressionError("the result is no number that can be worked with", hint="Compute it in a node.")
    return result


def _minus(value: Any) -> Any:
    return _calculated("subtracted", 0, value, lambda: -value)


def _to_number(value: Any) -> int | float:
    try:
        number = value if _number(value) else float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not abs(number) < LIMIT:
        raise ExpressionError(f"{describe(value)} is no number: {str(value)[:40]!r}", hint="Give a number.")
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _to_text(value: Any) -> str:
    if isinstance(value, str) or (_number(value) and (isinstance(value, float) or abs(value) < LIMIT)):
        return str(value)
    raise ExpressionError(f"{describe(value)} does not become a text here", hint="Compute it in a node.")


def _cased(way: Callable[[str], str]) -> Callable[[Any], str]:
    def cased(value: Any) -> str:
        if not isinstance(value, str):
            raise ExpressionError(f"{describe(value)} has no capital letters", hint="Give a text.")
        return way(value)

    return cased


OPERATORS: Final[dict[str, Callable[..., Any]]] = {
    "equals": _equal,
    "differs": lambda one, other: not _equal(one, other),
    "less": _less,
    "at_most": _at_most,
    "greater": lambda one, other: _less(other, one),
    "at_least": lambda one, other: _at_most(other, one),
    "within": lambda part, whole: _contains(whole, part),
    "outside": lambda part, whole: not _contains(whole, part),
    "contains": _contains,
    "starts": _starts,
    "ends": _ends,
    "matches": _matches,
    "empty": _empty,
    "filled": lambda value: not _empty(value),
    "add": _add,
    "subtract": lambda one, other: _calculated("subtracted", one, other, lambda: one - other),
    "multiply": lambda one, other: _calculated("multiplied", one, other, lambda: one * other),
    "divide": lambda one, other: _calculated("divided", one, other, lambda: one / other),
    "remainder": lambda one, other: _calculated("divided", one, other, lambda: one % other),
    "minus": _minus,
    "item": _item,
}
FUNCTIONS: Final[dict[str, Callable[[Any], Any]]] = {
    "length": _length,
    "lower": _cased(str.lower),
    "upper": _cased(str.upper),
    "number": _to_number,
    "text": _to_text,
}
