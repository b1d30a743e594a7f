"""Two ways, one of which is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args

from pydantic import Field, field_validator

from bpaz_lab.errors import ExpressionError, InputError
from bpaz_lab.graph.expression import parse
from bpaz_lab.graph.spec import Ports, PortSpec
from bpaz_lab.nodes.base import Node, outputs
from bpaz_lab.nodes.form import title_of
from bpaz_lab.nodes.script import in_script
from bpaz_lab.nodes.types import Form, Port, setting_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import ValidationInfo

Operator = Literal[
    "equals",
    "not equals",
    "contains",
    "starts with",
    "ends with",
    "greater than",
    "less than",
    "is empty",
    "is not empty",
    "is true",
]
Operand = str | bool | int | float

NUMERIC: Final = ("greater than", "less than")
TRUE_WORDS: Final = frozenset({"true", "yes", "on", "1"})
"""Texts that are true, as Python's configparser has them; any other text is not."""


class Condition(Node):
    """Sends a value one way or the other.

    The value leaves by *true* where the comparison holds, else by *false*; what only the other way
    feeds is skipped. Numbers are compared as numbers, also when they come as text. A text is true
    when it says true, yes, on or 1.

    ```python
    check = wf.add("Condition", operator="contains", operand="refund")
    wf.connect(ask["text"], check["value"])
    wf.connect(check["true"], refunds["prompt"])
    wf.connect(check["false"], other["prompt"])
    ```

    Where a comparison is not enough, write an *expression*; each name in it but `value` becomes an input:
    `wf.add("Condition", expression="length(value) > 20 and score < 0.5")`.
    """

    inline = True

    operator: Operator = Field("is not empty", description="How the value is compared.")
    operand: Annotated[Operand, Form(kind="text")] = Field(
        "", validate_default=True, description="What it is compared with: a text or a number."
    )
    ignore_case: bool = Field(False, description="Whether capital and small letters are the same.")
    expression: Annotated[str, Form(placeholder="length(value) > 20 and score < 0.5", advanced=True)] = Field(
        "", description="Instead of the comparison: an expression over `value` and other inputs."
    )

    @field_validator("operand")
    @classmethod
    def _fitting(cls, operand: Operand, info: ValidationInfo) -> Operand:
        if info.data.get("operator") in NUMERIC and _number(operand) is None:
            raise setting_fault(f"{operand!r} is no number", "Write a number, such as 0.5.")
        return operand

    @field_validator("expression")
    @classmethod
    def _readable(cls, expression: str) -> str:
        try:
            return parse(expression).text if expression else ""
        except ExpressionError as error:
            raise setting_fault(error.message, error.hint) from None

    @classmethod
    def ports(cls, settings: Mapping[str, Any]) -> Ports:
        """The value, and an input for every other name in the expression."""
        own = cls.shape().ports
        names = [name for name in _names(settings.get("expression")) if name != "value"]
        more = tuple(
            PortSpec(name=name, tag="any", title=title_of(name), help="In the expression.", required=True)
            for name in names
        )
        needs = ("value", *names)
        ways = tuple(port.model_copy(update={"needs": needs}) for port in own.outputs)
        return Ports(inputs=(*own.inputs, *more), outputs=ways)

    @outputs(main="true", true="any", false="any")
    def decide(
        self, /, value: Annotated[Any, Port("any", help="What is compared, and what goes on.")], **others: Any
    ) -> dict[str, Any]:
        """The value, by the way it takes.

        Raises:
            InputError: The value cannot be compared like this.
            ExpressionError: The expression does not fit the values.
        """
        if self.expression:
            holds = parse(self.expression).holds({"value": value, **others})
        else:
            holds = _holds(value, self.operator, self.operand, self.ignore_case)
        return {"true" if holds else "false": value}


def _names(expression: Any) -> tuple[str, ...]:
    try:
        return parse(expression).names if isinstance(expression, str) and expression else ()
    except ExpressionError:  # which the checks report
        return ()


def _holds(value: Any, operator: str, operand: Operand, ignore_case: bool) -> bool:
    """Whether a comparison holds."""
    if operator in NUMERIC:
        return _compared(value, operator, operand)
    if operator in ("is empty", "is not empty"):
        return _empty(value) == (operator == "is empty")
    if operator == "is true":
        return _true(value)
    if operator == "contains" and isinstance(value, list | tuple | set | frozenset | dict):
        return any(_equal(item, operand, ignore_case) for item in value)
    if operator in _TEXT:
        return _TEXT[operator](_folded(value, ignore_case), _folded(operand, ignore_case))
    return _equal(value, operand, ignore_case) == (operator == "equals")


def _compared(value: Any, operator: str, operand: Operand) -> bool:
    number, limit = _number(value), _number(operand)
    if number is None or limit is None:
        raise InputError(
            f"{value!r} is no number, so it is neither greater nor less"[:300],
            hint="Connect a number, or choose another operator.",
        )
    return number > limit if operator == "greater than" else number < limit


def _equal(value: Any, operand: Operand, ignore_case: bool) -> bool:
    one, other = _number(value), _number(operand)
    if one is not None and other is not None:
        return one == other
    return _folded(value, ignore_case) == _folded(operand, ignore_case)


def _folded(value: Any, ignore_case: bool) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.casefold() if ignore_case else text


_TEXT: Final[dict[str, Callable[[str, str], bool]]] = {
    "contains": lambda text, part: part in text,
    "starts with": lambda text, part: text.startswith(part),
    "ends with": lambda text, part: text.endswith(part),
}
OPERATORS: Final[tuple[str, ...]] = get_args(Operator)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not (isinstance(value, str) or hasattr(value, "__float__")):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _empty(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip()
    return value is None or (hasattr(value, "__len__") and len(value) == 0)


def _true(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().casefold() in TRUE_WORDS
    try:
        return bool(value)
    except ValueError as fault:
        raise InputError(
            f"a {type(value).__name__} is neither true nor false: {fault}",
            hint="Use 'is empty', or reduce it to one value before.",
        ) from None


@in_script(Condition, branches=True, expressions=("expression",))
def condition(
    value: Any,
    operator: Operator = "is not empty",
    operand: Operand = "",
    ignore_case: bool = False,
    expression: Callable[[dict[str, Any]], bool] | None = None,
    **others: Any,
) -> dict[str, Any]:
    """The value, by the way it takes."""
    if expression:
        holds = expression({"value": value, **others})
    else:
        holds = _holds(value, operator, operand, ignore_case)
    return {"true" if holds else "false": value}
