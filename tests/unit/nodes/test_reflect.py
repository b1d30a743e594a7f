from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import pytest
from pydantic import Field

from bpaz_lab.errors import NodeTypeError
from bpaz_lab.nodes.base import Node, output, outputs
from bpaz_lab.nodes.context import Context  # noqa: TC001 (hints are read)
from bpaz_lab.nodes.types import Form, Model, Port, Text

if TYPE_CHECKING:
    from decimal import Decimal

pytestmark = pytest.mark.unit


class Many(Node):
    """Has every style of method."""

    @output("sync", "any")
    def one(self, value: Any) -> Any: ...

    @output("awaited", "any")
    async def two(self, value: Any, ctx: Context) -> Any: ...

    @output("drawn", "text")
    def three(self) -> Text:
        yield ""

    @output("streamed", "text")
    async def four(self) -> Text:
        yield ""

    @outputs(left="text", right="data", main="right")
    def five(self, **rest: Any) -> dict: ...


def test_methods_are_found_in_the_order_of_the_source():
    shape = Many.shape()
    assert [method.style for method in shape.methods] == [
        "sync",
        "async",
        "iterator",
        "async_iterator",
        "sync",
    ]
    assert [method.outputs for method in shape.methods] == [
        ("sync",),
        ("awaited",),
        ("drawn",),
        ("streamed",),
        ("left", "right"),
    ]
    assert [method.spread for method in shape.methods] == [False] * 4 + [True]
    assert shape.methods[1].context == "ctx"
    assert [port.name for port in shape.ports.outputs if port.main] == ["right"]


def test_a_class_is_read_once():
    assert Many.shape() is Many.shape()


class Defaults(Node):
    """Has parameters with defaults of every kind."""

    def run(
        self,
        text: Annotated[str, Port("text"), Form(kind="multiline")] = Field("a", description="The text."),
        count: int = 2,
        names: list[str] = ["x"],  # noqa: B006 (a default of the form)
        model: Model = None,
        anything: Any = 3,
    ) -> Text:
        return f"{text} {count} {names} {model} {anything}"


async def test_defaults_that_a_person_can_type_are_form_fields():
    assert [(field.name, field.kind) for field in Defaults.spec().fields] == [
        ("text", "multiline"),
        ("count", "integer"),
        ("names", "list"),
    ]
    assert not any(port.required for port in Defaults.spec().ports.inputs)
    assert Defaults.spec().ports.input("text").help == "The text."
    assert await Defaults().execute({}) == {"text": "a 2 ['x'] None 3"}


class Sub(Many):
    """Overrides one method and adds one."""

    @output("extra", "text")
    def six(self) -> Text: ...


def test_methods_are_inherited():
    assert {method.attribute for method in Sub.shape().methods} >= {"one", "five", "six"}


def test_hints_must_resolve():
    class Lazy(Node):
        """Its hint is imported for the type checker alone."""

        @output("x", "any")
        def run(self, value: Decimal) -> Any: ...

    with pytest.raises(NodeTypeError, match=r"hints of run\(\) cannot be resolved: name 'Decimal'"):
        Lazy.shape()


def test_hints_of_a_plain_run_must_resolve_too():
    class Lazy(Node):
        """Its hint is imported for the type checker alone."""

        def run(self) -> Decimal: ...

    with pytest.raises(NodeTypeError, match="Decimal") as caught:
        Lazy.shape()
    assert "TYPE_CHECKING" in caught.value.hint


def test_an_input_of_an_unknown_tag():
    class Odd(Node):
        """Its port carries colours."""

        def run(self, value: Annotated[Any, Port("colour")]) -> Text: ...

    with pytest.raises(NodeTypeError, match="input 'value' has the unknown tag 'colour'"):
        Odd.shape()


def test_positional_only_parameters_cannot_be_fed_by_name():
    class Old(Node):
        """Takes its input by position."""

        def run(self, value: Any, /) -> Text: ...

    with pytest.raises(NodeTypeError, match="may not have the parameter"):
        Old.shape()
