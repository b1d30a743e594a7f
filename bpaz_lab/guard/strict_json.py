"""The one JSON reader and writer: strict at the edge, deterministic in files.

Reading refuses whatever two JSON parsers could understand differently (duplicate keys, NaN,
lone surrogates, integers that JavaScript would round) and whatever is too large to be meant.
Writing gives one text for one value: keys sorted as JavaScript sorts them (by UTF-16 code
units), numbers in the form of RFC 8785, so that Python and TypeScript write the same file.

Example:
    >>> loads('{"a": [1, 2.0]}')
    {'a': [1, 2.0]}
    >>> print(dumps({"b": 1.0, "a": [320, 80]}), end="")
    {
      "a": [320, 80],
      "b": 1
    }
    >>> compact({"b": 1.0, "a": [320, 80]})
    '{"a":[320,80],"b":1}'
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NoReturn

from bpaz_lab.errors import JsonError

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DEPTH: Final = 64
SAFE_INTEGER: Final = 2**53
LONGEST_INTEGER: Final = 310  # digits of the largest double, and its sign
LINE_WIDTH: Final = 120
SMALLEST_POINT, LARGEST_POINT = -6, 21  # ECMAScript writes an exponent outside of these


@dataclass(frozen=True)
class Limits:
    """How much JSON is accepted.

    Args:
        size: Bytes of the whole text in UTF-8; None for any.
        string: Bytes of one string or key in UTF-8; None for any.
        depth: Lists and objects inside one another.
    """

    size: int | None = 5 * 2**20
    string: int | None = 256 * 2**10
    depth: int = MAX_DEPTH


DEFAULT: Final = Limits()
"""For whatever comes over a wire."""

UNLIMITED: Final = Limits(size=None, string=None)
"""For the user's own kernel: any size, but still no deeper than a document can be."""


def loads(data: str | bytes, *, limits: Limits = DEFAULT) -> Any:
    """Read strict JSON.

    Args:
        data: The text, or its bytes in UTF-8 without a byte order mark.
        limits: How much is accepted.

    Returns:
        Dicts, lists, strings, numbers, booleans and None.

    Raises:
        JsonError: The text is not strict JSON or exceeds the limits; ``path`` says where, if known.
    """
    text = _decoded(data, limits)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as fault:
        raise JsonError(
            f"line {fault.lineno}, column {fault.colno}: {fault.msg}",
            hint="The text is not JSON from there on: look for a missing quote, comma or bracket.",
        ) from None
    except RecursionError:
        _too_deep("", limits.depth)
    _check(value, "", 1, limits)
    return value


def dumps(value: Any) -> str:
    """Write the deterministic text of a file: sorted keys, two spaces, a final newline.

    A list of scalars that fits a line (a position, an edge) stays on one line, so that moving a
    box or adding an edge is a one-line diff.

    Raises:
        JsonError: The value is not JSON (NaN, an object, a key that is no string, too deep).
    """
    return _written(value, "", 1, "\n") + "\n"


def compact(value: Any) -> str:
    """Write the same value on one line without spaces (RFC 8785), for messages and hashes.

    Raises:
        JsonError: The value is not JSON (NaN, an object, a key that is no string, too deep).
    """
    return _written(value, "", 1, None)


@dataclass(frozen=True)
class _Fault:
    """Stands in the parsed value where the parser met a fault, so that a walk finds its path."""

    message: str
    hint: str


_DOUBLE_HINT: Final = "Write it as a string: JSON numbers are doubles, and this one would change its value."


def _decoded(data: str | bytes, limits: Limits) -> str:
    try:
        raw = data.encode() if isinstance(data, str) else data
        text = data if isinstance(data, str) else data.decode()
    except (UnicodeDecodeError, UnicodeEncodeError) as fault:
        raise JsonError(
            f"the text is not UTF-8: {fault.reason} at position {fault.start}",
            hint="Save the text in UTF-8.",
        ) from None
    if limits.size is not None and len(raw) > limits.size:
        raise JsonError(
            f"the text has {len(raw):,} bytes, more than the {limits.size:,} accepted",
            hint="Keep large data in files and name them in the workflow.",
        )
    return text


def _object(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    twice = next(key for i, (key, _) in enumerate(pairs) if key in dict(pairs[:i]))
    return _Fault(f"the key {twice!r} stands twice in one object", "Keep one of the two.")


def _constant(name: str) -> _Fault:
    return _Fault(f"{name} is not JSON", "Use null or a string instead.")


def _float(text: str) -> float | _Fault:
    value = float(text)
    if math.isinf(value):
        return _Fault(f"the number {text[:40]} is larger than a double can hold", _DOUBLE_HINT)
    return value


def _integer(text: str) -> int | _Fault:
    if len(text) > LONGEST_INTEGER:
        return _Fault(f"a number of {len(text)} digits is larger than a double can hold", _DOUBLE_HINT)
    value = int(text)
    if abs(value) <= SAFE_INTEGER:
        return value
    double = _float(text)
    if isinstance(double, _Fault):
        return double
    # JavaScript writes 2**60 as 1152921504606847000: read what it wrote as what it meant.
    if int(double) == value or _number(double) == text:
        return int(double)
    return _Fault(f"the integer {text[:40]} is not exact as a double", _DOUBLE_HINT)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_integer
)


def _check(value: Any, path: str, depth: int, limits: Limits) -> None:
    if isinstance(value, str):
        _check_string(value, path, limits.string)
    elif isinstance(value, dict | list):
        if depth > limits.depth:
            _too_deep(path, limits.depth)
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(key, str):
                _check_string(key, path, limits.string)
            _check(item, _join(path, key), depth + 1, limits)
    elif isinstance(value, _Fault):
        raise JsonError(value.message, hint=value.hint, path=path)


def _check_string(text: str, path: str, cap: int | None) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise JsonError(
            "a string holds half of a surrogate pair", hint="Write whole characters.", path=path
        ) from None
    if cap is not None and size > cap:
        raise JsonError(
            f"a string has {size:,} bytes, more than the {cap:,} accepted",
            hint="Keep long texts in files and name them in the workflow.",
            path=path,
        )
    if "\0" in text:
        raise JsonError("a string holds a NUL character", hint="Remove it.", path=path)


def _too_deep(path: str, depth: int) -> NoReturn:
    raise JsonError(
        f"lists and objects are nested deeper than {depth}",
        hint="Flatten the value; a value that contains itself cannot be written.",
        path=path,
    ) from None


def _join(path: str, key: str | int) -> str:
    return f"{path}.{key}" if path else str(key)


def _written(value: Any, path: str, depth: int, newline: str | None) -> str:
    """The text of a value; ``newline`` is a line break with its indent, or None for one line."""
    scalar = _scalar(value, path)
    if scalar is not None:
        return scalar
    if depth > MAX_DEPTH:
        _too_deep(path, MAX_DEPTH)
    inner = None if newline is None else newline + "  "
    if isinstance(value, list | tuple):
        items = [_written(item, _join(path, i), depth + 1, inner) for i, item in enumerate(value)]
        if newline is not None and not any(isinstance(item, dict | list | tuple) for item in value):
            line = f"[{', '.join(items)}]"
            if len(line) <= LINE_WIDTH:
                return line
        return _joined("[", items, "]", newline)
    if isinstance(value, dict):
        colon = ":" if newline is None else ": "
        items = [
            _key(key, path) + colon + _written(value[key], _join(path, key), depth + 1, inner)
            for key in sorted(value, key=_utf16)
        ]
        return _joined("{", items, "}", newline)
    raise JsonError(
        f"a {type(value).__name__} is not JSON",
        hint="Use strings, numbers, booleans, null, lists and objects.",
        path=path,
    )


def _joined(start: str, items: list[str], end: str, newline: str | None) -> str:
    if newline is None or not items:
        return start + ",".join(items) + end
    return start + newline + "  " + f",{newline}  ".join(items) + newline + end


def _scalar(value: Any, path: str) -> str | None:
    if value is None or isinstance(value, bool):
        return _quote(value)
    if isinstance(value, str):
        _check_string(value, path, None)
        return _quote(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise JsonError(f"{value} is not JSON", hint="Use null or a string instead.", path=path)
    if isinstance(value, int | float):
        try:
            double = float(value)
        except OverflowError:
            double = math.inf
        if double == value:
            return _number(double)
        raise JsonError("an integer is not exact as a double", hint=_DOUBLE_HINT, path=path)
    return None


def _key(key: Any, path: str) -> str:
    if not isinstance(key, str):
        raise JsonError(f"the key {key!r} is not a string", hint="JSON objects have string keys.", path=path)
    _check_string(key, path, None)
    return _quote(key)


_quote: Callable[[Any], str] = json.JSONEncoder(ensure_ascii=False).encode


def _utf16(key: Any) -> bytes:
    return key.encode("utf-16-be", "surrogatepass") if isinstance(key, str) else b""


def _number(value: float) -> str:
    """A finite double as ECMAScript's ``Number::toString`` writes it (RFC 8785, section 3.2.2.3)."""
    if value == 0:
        return "0"
    # Python's repr gives the same shortest digits; only their layout differs.
    sign, numbers, exponent = Decimal(float.__repr__(value)).as_tuple()
    digits = "".join(map(str, numbers)).rstrip("0")
    point = len(numbers) + int(exponent)
    minus = "-" if sign else ""
    if not SMALLEST_POINT < point <= LARGEST_POINT:
        fraction = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{minus}{digits[0]}{fraction}e{point - 1:+d}"
    if point <= 0:
        return f"{minus}0.{'0' * -point}{digits}"
    if len(digits) <= point:
        return minus + digits.ljust(point, "0")
    return f"{minus}{digits[:point]}.{digits[point:]}"
