"""The same again, until it is good enough."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from bpaz_lab.errors import ExpressionError, LoopLimit
from bpaz_lab.graph.address import path_of
from bpaz_lab.graph.expression import parse
from bpaz_lab.graph.spec import Ports, PortSpec
from bpaz_lab.nodes.base import outputs
from bpaz_lab.nodes.container import Container
from bpaz_lab.nodes.context import Context
from bpaz_lab.nodes.script import in_script
from bpaz_lab.nodes.types import Form, setting_fault

ROUND, ROUNDS = "round", "rounds"


class Loop(Container):
    """Runs its body again and again over named values, until a condition holds.

    The fields of Start are the *state*: the inputs of the Loop of the same names give its first values, and
    after each round the fields of End of the same names give the next ones; what End does not name stays as
    it is. The *condition* is an expression over the state and over what End gave, in which `round` counts
    the rounds from 1: `score >= 0.8`, `length(open) = 0 or round = 5`. With `until` it is asked after each
    round and ends the Loop when it holds; with `while` it is asked before each round and ends the Loop
    when it does not. A Loop that reaches its limit fails, or stops with what it has.

    ```python
    with wf.add("Loop", id="better", condition="score >= 0.8", limit=5) as body:
        start = body.add("Start", fields=[{"name": "draft"}])
        start >> body.add(improve) >> body.add("End", fields=["draft", "score"])
    ```
    """

    condition: Annotated[str, Form(placeholder="score >= 0.8")] = Field(
        "true", description="An expression over the state, and `round`."
    )
    mode: Literal["until", "while"] = Field(
        "until", description="Whether the condition ends the Loop, or keeps it going."
    )
    limit: int = Field(10, ge=1, le=10_000, description="How many rounds there are at most.")
    at_limit: Literal["fail", "stop"] = Field(
        "fail", description="Whether reaching the limit is an error, or the Loop gives what it has."
    )

    @field_validator("condition")
    @classmethod
    def _readable(cls, condition: str) -> str:
        try:
            parse(condition)
        except ExpressionError as error:
            raise setting_fault(error.message, error.hint) from None
        return condition

    @classmethod
    def container_ports(cls, settings: Mapping[str, Any], inside: Ports) -> Ports:  # noqa: ARG003 (as above)
        """The state as inputs; the state and what End gives besides as outputs, and the rounds."""
        inputs = tuple(port for port in inside.inputs if port.name != ROUND)
        needs = tuple(port.name for port in inputs)
        given = {port.name: port for port in (*inputs, *inside.outputs) if port.name != ROUNDS}
        results = [
            PortSpec(name=name, tag=port.tag, title=port.title, main=number == 0, needs=needs)
            for number, (name, port) in enumerate(given.items())
        ]
        about = "How many rounds it took."
        rounds = PortSpec(name=ROUNDS, tag="data", title="Rounds", help=about, needs=needs, main=not results)
        return Ports(inputs=inputs, outputs=(*results, rounds))

    @outputs()
    async def repeat(self, /, bpaz_context: Context, **inputs: Any) -> dict[str, Any]:
        """The state at the end.

        Raises:
            LoopLimit: The condition did not end it within the limit.
            ExpressionError: The condition does not fit the state.
        """
        context, body = bpaz_context, bpaz_context.body  # so that a value of the state may be called context
        assert body is not None
        condition, state, number = parse(self.condition), dict(inputs), 0
        while self.mode == "until" or condition.holds({**state, ROUND: number + 1}):
            if number == self.limit:
                if self.at_limit == "stop":
                    break
                raise LoopLimit(
                    f"the loop has not ended after {number} rounds: {self.mode} {self.condition}",
                    path=f"{path_of(context.node)}.settings.limit",
                    hint="Raise its limit, mend its condition, or let it stop there (at_limit).",
                )
            number += 1
            context.progress(number, self.limit)
            state |= await body({**state, ROUND: number}, str(number))
            if self.mode == "until" and condition.holds({**state, ROUND: number}):
                break
        return {**state, ROUNDS: number}


@in_script(Loop, branches=True, expressions=("condition",))
def loop(
    body: Callable[..., dict[str, Any]],
    condition: Callable[[dict[str, Any]], bool] = lambda _values: True,
    mode: Literal["until", "while"] = "until",
    limit: int = 10,
    at_limit: Literal["fail", "stop"] = "fail",
    **inputs: Any,
) -> dict[str, Any]:
    """The state when the condition ends it, and the number of rounds."""
    state, number = dict(inputs), 0
    while mode == "until" or condition({**state, "round": number + 1}):
        if number == limit:
            if at_limit == "stop":
                break
            raise LoopLimit(f"the loop has not ended after {number} rounds")
        number += 1
        state |= body(**{**state, "round": number})
        if mode == "until" and condition({**state, "round": number}):
            break
    return {**state, "rounds": number}
