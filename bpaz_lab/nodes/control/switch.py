"""Several ways, one of which is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from bpaz_lab.errors import ExpressionError
from bpaz_lab.graph.expression import parse
from bpaz_lab.graph.spec import Ports, PortSpec
from bpaz_lab.nodes.base import Node, outputs
from bpaz_lab.nodes.form import title_of
from bpaz_lab.nodes.script import in_script
from bpaz_lab.nodes.types import Identifier, setting_fault

VALUE, OTHERWISE = "value", "otherwise"


def _expression(told: str) -> str:
    try:
        parse(told)
    except ExpressionError as error:
        raise setting_fault(error.message, error.hint) from None
    return told


class Case(BaseModel):
    """One way: its name, and when it is taken."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Identifier
    when: Annotated[str, AfterValidator(_expression)]


def _distinct(cases: list[Case]) -> list[Case]:
    names = [case.name for case in cases]
    if twice := next((name for name in names if names.count(name) > 1 or name == OTHERWISE), ""):
        raise setting_fault(f"the name {twice!r} is taken", "Give each case a name of its own.")
    return cases


class Switch(Node):
    """Sends a value the way of the first case that holds, or `otherwise`.

    A case has a `name`, which is an output, and `when` it is taken: an expression over `value` and over any
    other name, each of which becomes an input: `value contains "refund"`, `score < 0.5`. What hangs on the
    ways that are not taken is skipped; **Merge** brings them together again.

    ```python
    route = wf.add("Switch", cases=[
        {"name": "refund", "when": "value contains 'refund'"},
        {"name": "urgent", "when": "score > 0.9"},
    ])
    wf.connect(route["refund"], refunds["prompt"])
    ```
    """

    inline = True

    cases: Annotated[list[Case], Field(min_length=1), AfterValidator(_distinct)] = Field(
        default=[Case(name="first", when="value is not empty")],
        description="The ways in order: a list of {name, when}.",
    )

    @classmethod
    def ports(cls, settings: Mapping[str, Any]) -> Ports:
        """The value and what the cases speak of; a way for each case."""
        cases = _readable(settings.get("cases"))
        others = dict.fromkeys(
            name for case in cases.values() for name in parse(case.when).names if name != VALUE
        )
        needs = (VALUE, *others)
        value = PortSpec(name=VALUE, tag="any", title="Value", help="What goes on.", required=True)
        inputs = tuple(
            PortSpec(name=name, tag="any", title=title_of(name), help="A case asks for it.", required=True)
            for name in others
        )
        ways = tuple(
            PortSpec(name=name, tag="any", title=title_of(name), help=case.when, needs=needs, main=not number)
            for number, (name, case) in enumerate(cases.items())
        )
        rest = PortSpec(
            name=OTHERWISE, tag="any", title="Otherwise", help="No case holds.", needs=needs, main=not ways
        )
        return Ports(inputs=(value, *inputs), outputs=(*ways, rest))

    @outputs()
    def choose(self, /, **inputs: Any) -> dict[str, Any]:
        """The value, by the way it takes.

        Raises:
            ExpressionError: A case does not fit the values.
        """
        for case in self.cases:
            if parse(case.when).holds(inputs):
                return {case.name: inputs[VALUE]}
        return {OTHERWISE: inputs[VALUE]}


def _readable(cases: Any) -> dict[str, Case]:
    """The cases as far as they make sense: the checks report the rest."""
    found: dict[str, Case] = {}
    for entry in cases if isinstance(cases, list) else ():
        try:
            case = entry if isinstance(entry, Case) else Case.model_validate(entry)
        except ValidationError:
            continue
        found.setdefault(case.name, case)
    return found


@in_script(Switch, branches=True, expressions=("when",))
def switch(value: Any, cases: Sequence[dict[str, Any]] = (), **others: Any) -> dict[str, Any]:
    """The value, by the way of the first case that holds."""
    for case in cases or [{"name": "first", "when": lambda values: bool(values["value"])}]:
        if case["when"]({"value": value, **others}):
            return {case["name"]: value}
    return {"otherwise": value}
