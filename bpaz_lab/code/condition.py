"""An expression of the closed language as a Python function of a dict of values.

The operators stay what they are: the script gets their functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.code.pretty import quoted
from bpaz_lab.graph.expression import _numeral, _text, parse

if TYPE_CHECKING:
    from bpaz_lab.code.shake import Shaken

_OPERATIONS: Final = "bpaz_lab.graph.operations"
_OPERATORS: Final = {
    "equals": ("_equal", "{0}({1}, {2})"),
    "differs": ("_equal", "not {0}({1}, {2})"),
    "less": ("_less", "{0}({1}, {2})"),
    "at_most": ("_at_most", "{0}({1}, {2})"),
    "greater": ("_less", "{0}({2}, {1})"),
    "at_least": ("_at_most", "{0}({2}, {1})"),
    "within": ("_contains", "{0}({2}, {1})"),
    "outside": ("_contains", "not {0}({2}, {1})"),
    "contains": ("_contains", "{0}({1}, {2})"),
    "starts": ("_starts", "{0}({1}, {2})"),
    "ends": ("_ends", "{0}({1}, {2})"),
    "matches": ("_matches", "{0}({1}, {2})"),
    "empty": ("_empty", "{0}({1})"),
    "filled": ("_empty", "not {0}({1})"),
    "add": ("_add", "{0}({1}, {2})"),
    "subtract": ("_calculated", '{0}("subtracted", {1}, {2}, lambda: {1} - {2})'),
    "multiply": ("_calculated", '{0}("multiplied", {1}, {2}, lambda: {1} * {2})'),
    "divide": ("_calculated", '{0}("divided", {1}, {2}, lambda: {1} / {2})'),
    "remainder": ("_calculated", '{0}("divided", {1}, {2}, lambda: {1} % {2})'),
    "minus": ("_minus", "{0}({1})"),
    "item": ("_item", "{0}({1}, {2})"),
}
_FUNCTIONS: Final = {
    "length": ("_length", "{0}({1})"),
    "lower": ("_cased", "{0}(str.lower)({1})"),
    "upper": ("_cased", "{0}(str.upper)({1})"),
    "number": ("_to_number", "{0}({1})"),
    "text": ("_to_text", "{0}({1})"),
}
CALLED: Final = frozenset({"truth", *(name for name, _ in (*_OPERATORS.values(), *_FUNCTIONS.values()))})
"""The functions that a compiled expression may call."""


def compiled(text: str, shaken: Shaken) -> str:
    """The expression as a lambda over a dict of values; what it calls is taken along.

    Example:
        >>> from bpaz_lab.code.shake import Shaken
        >>> compiled('score < 0.5 and length(value) > 3', Shaken())
        'lambda values: truth(_less(values["score"], 0.5)) and truth(_less(3, _length(values["value"])))'
    """
    writer = _Writer(shaken)
    told = writer.written(parse(text)._tree)
    return f"lambda values: {told if told.startswith(writer.truth) else writer.truthful(told)}"


class _Writer:
    def __init__(self, shaken: Shaken) -> None:
        self.shaken = shaken
        self.truth = shaken.take(_OPERATIONS, "truth")

    def truthful(self, told: str) -> str:
        return f"{self.truth}({told})"

    def written(self, tree: Any) -> str:  # noqa: C901, PLR0911 (a branch for each kind of part)
        parts = tree.children
        match tree.data:
            case "number":
                return repr(_numeral(parts))
            case "text":
                return quoted(_text(parts[0]))
            case "true" | "false" | "none":
                return str(tree.data).capitalize()
            case "name":
                return f"values[{quoted(str(parts[0]))}]"
            case "list":
                return f"[{', '.join(map(self.written, parts))}]"
            case "and_" | "or_":
                return f" {str(tree.data).rstrip('_')} ".join(self._part(part) for part in parts)
            case "negated":
                return f"not {self.truthful(self.written(parts[0]))}"
            case "compared":
                return self._compared(parts)
            case "call":
                return self._operation(_FUNCTIONS[str(parts[0])], [self.written(part) for part in parts[1:]])
            case "member":
                return self._operation(_OPERATORS["item"], [self.written(parts[0]), quoted(str(parts[1]))])
            case operator:
                return self._operation(_OPERATORS[operator], [self.written(part) for part in parts])

    def _part(self, tree: Any) -> str:
        return self.truthful(self.written(tree))

    def _compared(self, parts: list[Any]) -> str:
        """``1 < x <= 3``: each neighbour with the next."""
        pairs = zip(parts[0::2], parts[1::2], parts[2::2], strict=False)
        told = [
            self._operation(_OPERATORS[operator.data], [self.written(left), self.written(right)])
            for left, operator, right in pairs
        ]
        return told[0] if len(told) == 1 else f"({' and '.join(told)})"

    def _operation(self, operator: tuple[str, str], parts: list[str]) -> str:
        name, form = operator
        told = form.format(self.shaken.take(_OPERATIONS, name), *parts)
        return f"({told})" if told.startswith("not ") else told
