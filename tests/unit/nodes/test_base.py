from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator  # noqa: TC003 (hints are read)
from typing import Annotated, Any

import pytest
from pydantic import Field, ValidationError

from bpaz_lab.errors import DocumentError, InputError, LiteralSecret, NodeTypeError, SettingError
from bpaz_lab.nodes.base import Node, output, outputs
from bpaz_lab.nodes.context import Context, Services
from bpaz_lab.nodes.types import Credential, Documents, Form, Many, Model, Port, Text, credential

pytestmark = pytest.mark.unit


class Shout(Node):
    """Writes a text in capitals.

    As loud as you like.
    """

    mark: str = Field("!", description="What the text ends with.")

    def run(self, text: Text, times: Annotated[int, Field(ge=1)] = 1) -> Text:
        return text.upper() + self.mark * times


class Both(Node):
    """A model and what it says."""

    @output("model", "model")
    def build(self) -> Model:
        return "model"

    @output("text", main=True)
    async def ask(self, prompt: Text, context: Context) -> Text:
        context.emit("streamed")
        return f"asked {prompt}"


class Split(Node):
    """Sends a value one way."""

    @outputs(main="high", high="data", low="data")
    def decide(self, value: int) -> dict[str, Any]:
        return {"high" if value > 3 else "low": value}


class Sink(Node):
    """Takes and gives nothing."""

    def run(self, value: Any) -> None:
        self.taken.append(value)

    taken: list = []  # noqa: RUF012 (a field)


async def test_run_makes_a_node_of_its_parameters_and_its_return_hint():
    spec = Shout.spec()
    assert [(port.name, port.tag, port.required) for port in spec.ports.inputs] == [
        ("text", "text", True),
        ("times", "data", False),
    ]
    assert [(port.name, port.main, port.needs) for port in spec.ports.outputs] == [
        ("text", True, ("text", "times"))
    ]
    assert [(field.name, field.port) for field in spec.fields] == [("mark", False), ("times", True)]
    assert spec.fields[1].minimum == 1
    assert (spec.title, spec.summary) == ("Shout", "Writes a text in capitals.")
    assert spec.help.endswith("As loud as you like.")
    assert spec.category == "custom"


async def test_a_setting_stands_in_for_an_input_that_nothing_feeds():
    node = Shout.of({"mark": "?", "times": 2})
    assert await node.execute({"text": "hi"}) == {"text": "HI??"}
    assert await node.execute({"text": "hi", "times": 3}) == {"text": "HI???"}
    assert node.settings() == {"mark": "?", "times": 2}


async def test_a_node_made_by_its_class_has_the_defaults_too():
    assert await Shout().execute({"text": "hi"}) == {"text": "HI!"}
    assert Shout().settings() == {"mark": "!", "times": 1}


def test_all_settings_that_do_not_fit_are_told_at_once():
    with pytest.raises(DocumentError) as caught:
        Shout.of({"mark": 3, "times": 0, "colour": "red"})
    problems = {problem.path: problem for problem in caught.value.problems}
    assert problems.keys() == {"mark", "times", "colour"}
    assert "not 3" in problems["mark"].message
    assert problems["colour"].hint == "Its settings are: mark, times."


def test_a_node_does_not_change():
    with pytest.raises(ValidationError):
        Shout().mark = "?"


async def test_only_the_outputs_that_are_asked_for_are_computed():
    assert await Both().execute({}, wanted=("model",)) == {"model": "model"}
    assert await Both().execute({"prompt": "why"}) == {"text": "asked why"}
    both = await Both().execute({"prompt": "why"}, wanted=("text", "model"))
    assert both == {"text": "asked why", "model": "model"}


async def test_an_output_that_does_not_exist():
    with pytest.raises(NodeTypeError, match="no method for nothing"):
        await Both().execute({}, wanted=("nothing",))


def test_the_context_is_no_port():
    assert [port.name for port in Both.spec().ports.inputs] == ["prompt"]


async def test_inputs_are_checked_for_the_outputs_that_are_asked_for():
    assert Both().validate_inputs({"prompt": "x"})
    assert Both().validate_inputs({}, ("model",))
    with pytest.raises(InputError, match="Both lacks prompt") as caught:
        Both().validate_inputs({})
    assert caught.value.hint == "Its inputs are: prompt."
    with pytest.raises(InputError, match="does not know prompts"):
        Both().validate_inputs({"prompt": "x", "prompts": "y"})


async def test_a_branch_not_taken_is_missing():
    assert await Split().execute({"value": 5}) == {"high": 5}
    assert await Split().execute({"value": 1}) == {"low": 1}


async def test_a_node_without_outputs_runs_for_its_effect():
    node = Sink()
    assert await node.execute({"value": 3}) == {}
    assert node.taken == [3]
    with pytest.raises(InputError, match="lacks value"):
        await node.execute({})


class Words(Node):
    """Streams words."""

    @output("sync", "text", main=True)
    def one(self) -> Iterator[str]:
        yield from ("a", "b")

    @output("awaited", "text")
    async def two(self) -> AsyncIterator[str]:
        for word in ("c", "d"):
            await asyncio.sleep(0)
            yield word

    @output("numbers", "data")
    def three(self) -> Iterator[int]:
        yield from (1, 2)


async def test_a_stream_of_text_is_emitted_and_joined():
    events = []
    context = Context("n", services=Services(emit=lambda *event: events.append(event)))
    found = await Words().execute({}, context, wanted=("sync", "awaited", "numbers"))
    assert found == {"sync": "ab", "awaited": "cd", "numbers": [1, 2]}
    assert [(data["port"], data["text"]) for _, _, data in events] == [
        ("sync", "a"),
        ("sync", "b"),
        ("awaited", "c"),
        ("awaited", "d"),
    ]


class Where(Node):
    """Tells the thread it runs in."""

    def run(self) -> Any:
        return threading.current_thread() is threading.main_thread()


class Here(Where):
    """The same, on the loop."""

    inline = True


async def test_a_sync_method_runs_in_a_thread_unless_it_is_tiny():
    assert await Where().execute({}) == {"result": False}
    assert await Here().execute({}) == {"result": True}


class Keyed(Node):
    """Needs a key."""

    api_key: Credential | None = credential("openai", default="openai", help="The key.")

    def run(self) -> Text:
        return str(self.api_key)


async def test_a_credential_is_a_name_and_never_a_secret():
    assert Keyed().settings() == {"api_key": {"$cred": "openai"}}
    assert await Keyed.of({"api_key": {"$cred": "mine"}}).execute({}) == {"text": "mine"}
    assert await Keyed.of({"api_key": None}).execute({}) == {"text": "None"}
    (field,) = Keyed.spec().fields
    assert (field.kind, field.credential_types, field.default) == (
        "credential",
        ("openai",),
        {"$cred": "openai"},
    )
    with pytest.raises(LiteralSecret) as caught:
        Keyed.of({"api_key": "not-a-real-key-123"})
    assert "not-a-real-key" not in str(caught.value)


class Gathers(Node):
    """Takes what several wires bring."""

    @outputs()
    def gather(self, documents: Many[Documents], **rest: Any) -> dict[str, Any]:
        return {"count": sum(map(len, documents)) + len(rest)}

    @classmethod
    def ports(cls, settings):
        found = super().ports(settings)
        extra = found.inputs[0].model_copy(update={"name": "other", "many": False, "required": False})
        out = Both.spec().ports.outputs[0].model_copy(update={"name": "count", "tag": "data", "main": True})
        return found.model_copy(update={"inputs": (*found.inputs, extra), "outputs": (out,)})


async def test_ports_may_depend_on_settings_and_the_rest_comes_by_name():
    assert Gathers.spec().dynamic
    assert Gathers.spec().ports.inputs[0].many
    assert await Gathers().execute({"documents": [[1], [2, 3]], "other": 4}) == {"count": 4}


class Boxed(Node):
    """Knows forms."""

    text: Annotated[str, Form(kind="multiline", placeholder="here", language="sql")] = ""

    def run(self, value: Annotated[str, Port("text", help="What comes.")]) -> Text:
        return value


def test_annotations_reach_the_form_and_the_port():
    (field,) = Boxed.spec().fields
    assert (field.kind, field.placeholder, field.language) == ("multiline", "here", "sql")
    assert Boxed.spec().ports.inputs[0].help == "What comes."


def test_what_breaks_the_contract_is_said_when_the_class_is_read():
    class Stars(Node):
        """Takes anything."""

        def run(self, *values: Text) -> Text:
            return ""

    class Clash(Node):
        """A name twice."""

        text: str = ""

        def run(self, text: Text = "") -> Text:
            return text

    class Twice(Node):
        """An input twice and differently."""

        @output("one", "text", main=True)
        def one(self, value: Text) -> Text:
            return value

        @output("two", "text")
        def two(self, value: Documents) -> Text:
            return value

    class Unknown(Node):
        """A tag that does not exist."""

        @output("one", "colour")
        def one(self) -> Any:
            return 1

    for cls, said in (
        (Stars, r"may not have the parameter \*values"),
        (Clash, "both a field and a parameter"),
        (Twice, "declared twice and differently"),
        (Unknown, "unknown tag 'colour'"),
    ):
        with pytest.raises(NodeTypeError, match=said) as caught:
            cls.shape()
        assert cls.__name__ in caught.value.path


def test_a_setting_error_of_a_validator_keeps_its_hint():
    from bpaz_lab.nodes.types import Identifier

    class Named(Node):
        """Has a name."""

        name: Identifier = "x"

        def run(self) -> Text:
            return self.name

    Named.model_rebuild(_types_namespace={"Identifier": Identifier})
    with pytest.raises(SettingError) as caught:
        Named.of({"name": "a b"})
    assert caught.value.hint.startswith("Use letters")
