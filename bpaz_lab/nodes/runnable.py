"""A LangChain Runnable or a compiled LangGraph graph of the notebook as a node type.

Ports come from what the runnable says of itself (see ``schema.py`` beside this file): the variables of a
prompt, the keys of a dict, the state of a graph. Text is streamed piece by piece, the steps of a graph are
told as progress, tokens are counted, and stopping the run stops the runnable. Tracing that LangChain's own
environment variables switch on is not touched.

Example:
    >>> from langchain_core.prompts import PromptTemplate
    >>> cls = runnable_class(PromptTemplate.from_template("Hello {who}!"), "greeting")
    >>> [port.name for port in cls.default_ports().inputs], cls.default_ports().main.name
    (['who'], 'text')
"""

from __future__ import annotations

import inspect
import sys
from typing import Annotated, Any, ClassVar
from uuid import uuid4

from bpaz_lab.graph.spec import Effect, Ports, PortSpec
from bpaz_lab.nodes.base import NEVER, Node, output, outputs
from bpaz_lab.nodes.context import Context
from bpaz_lab.nodes.form import title_of
from bpaz_lab.nodes.runnable_calls import driven, question, settings_of, streamed
from bpaz_lab.nodes.schema import graph_ports, plain_ports, tool_inputs
from bpaz_lab.nodes.types import Documents, Messages, Model, Port, Retriever, Tool


class Held:
    """What a node type is made of, kept from being looked into."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class RunnableNode(Node):
    """Base of the node types that are made of a runnable."""

    package = "cell"
    category = "cell"
    effect: ClassVar[Effect] = "undeclared"

    held: ClassVar[Held]
    made: ClassVar[Ports] = Ports()
    kept: ClassVar[str] = ""
    """Stands for the runnable in the cache, for as long as this process lives."""

    @classmethod
    def ports(cls, settings: Any) -> Ports:  # noqa: ARG003 (they do not depend on settings)
        """What the runnable says of itself."""
        return cls.made

    def fingerprint(self, context: Context) -> Any:  # noqa: ARG002 (as above)
        """The runnable itself: results are kept until another one takes its name."""
        return self.kept


class ChainNode(RunnableNode):
    """Chains, prompts, functions: any Runnable that is nothing more special."""

    single: ClassVar[bool] = False
    """The runnable takes what enters ``input``, and no dict."""
    result: ClassVar[str] = ""
    """What kind of result it gives: see ``schema.plain_ports``."""

    @outputs()
    async def call(self, /, bpaz_context: Context, **inputs: Any) -> dict[str, Any]:
        """The runnable's result by output."""
        value = inputs.get("input") if self.single else inputs
        with settings_of(bpaz_context) as config:
            if self.result in ("text", "message"):
                return await streamed(self.held.value, value, config, bpaz_context)
            found = await self.held.value.ainvoke(value, config)
        if self.result == "prompt":
            return {"messages": found.to_messages(), "text": found.to_string()}
        if self.result == "object":
            return {**{name: found[name] for name in self._names() if name in found}, "result": found}
        return {self.result: found}

    def _names(self) -> list[str]:
        return [port.name for port in self.made.outputs if port.name != "result"]


class ChatModelNode(RunnableNode):
    """A chat model: asked, or handed on."""

    effect = "repeatable"

    @outputs(main="text", text="text", message="message")
    async def answer(self, messages: Messages, bpaz_context: Context) -> dict[str, Any]:
        """The model's answer, as text and as a message."""
        from bpaz_lab.nodes.llms._model import ask

        message = await ask(self.held.value, messages, bpaz_context)
        return {"text": str(message.text), "message": message}

    @output("model")
    def live(self) -> Model:
        """The model itself."""
        return self.held.value


class OutsideNode(RunnableNode):
    """Base of those that look or act outside: what they gave once says nothing of the next time."""

    def fingerprint(self, context: Context) -> Any:  # noqa: ARG002 (as above)
        """No result is kept."""
        return NEVER


class RetrieverNode(OutsideNode):
    """A retriever: asked, or handed on."""

    effect = "repeatable"

    @output("documents", main=True)
    async def search(
        self, query: Annotated[str, Port("text", help="What is searched for.")], bpaz_context: Context
    ) -> Documents:
        """What the retriever finds."""
        with settings_of(bpaz_context) as config:
            return await self.held.value.ainvoke(query, config)  # type: ignore[no-any-return]

    @output("retriever")
    def live(self) -> Retriever:
        """The retriever itself."""
        return self.held.value


class ToolNode(OutsideNode):
    """A tool: called, or handed on."""

    @outputs(main="result", result="any")
    async def call(self, /, bpaz_context: Context, **inputs: Any) -> dict[str, Any]:
        """What the tool gives."""
        with settings_of(bpaz_context) as config:
            return {"result": await self.held.value.ainvoke(inputs, config)}

    @output("tool")
    def live(self) -> Tool:
        """The tool itself."""
        return self.held.value


class GraphNode(RunnableNode):
    """A compiled LangGraph graph: its state's keys are ports."""

    single: ClassVar[bool] = False

    @outputs()
    async def call(self, /, bpaz_context: Context, **inputs: Any) -> dict[str, Any]:
        """The state at the end by key, and as a whole."""
        from langgraph.types import Command

        value: Any = inputs.get("input") if self.single else inputs
        with settings_of(bpaz_context) as config:
            config["configurable"] = {"thread_id": uuid4().hex}
            while True:
                state, asked = await driven(self.held.value, value, config, bpaz_context)
                if not asked:
                    return self._outputs(state)
                answers = {}
                for each in asked:
                    answers[each.id] = (await bpaz_context.ask(*question(each)))["answer"]
                value = Command(resume=answers)

    def _outputs(self, state: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for port in self.made.outputs:
            if port.name in ("state", "result"):
                found[port.name] = state
            elif isinstance(state, dict) and port.name in state:
                found[port.name] = state[port.name]
        if self.made.output("text") and isinstance(state, dict) and "text" not in state:
            said = state.get("messages") or []
            found["text"] = str(said[-1].text) if said else ""
        return found


def is_runnable(thing: Any) -> bool:
    """Whether it is a Runnable of LangChain; loads nothing."""
    base = sys.modules.get("langchain_core.runnables.base")
    return base is not None and isinstance(thing, base.Runnable)


def runnable_class(runnable: Any, name: str) -> type[RunnableNode]:
    """Makes a node type of a runnable.

    Args:
        runnable: A LangChain Runnable, or a compiled LangGraph graph.
        name: The type's name, a Python identifier.

    Raises:
        NodeTypeError: The runnable cannot be a node.
    """
    base, members = _kind(runnable)
    members |= {
        "__doc__": _help(runnable, name),
        "__module__": __name__,
        "held": Held(runnable),
        "kept": uuid4().hex,
        "label": title_of(name),
    }
    cls: Any = type(name, (base,), members)
    if "made" not in members:
        cls.made = cls.shape().ports
    return cls  # type: ignore[no-any-return]


def _kind(runnable: Any) -> tuple[type[RunnableNode], dict[str, Any]]:
    from langchain_core.language_models import BaseLanguageModel
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.tools import BaseTool

    pregel = sys.modules.get("langgraph.pregel")
    if isinstance(runnable, BaseLanguageModel):
        return ChatModelNode, {}
    if isinstance(runnable, BaseRetriever):
        return RetrieverNode, {}
    if isinstance(runnable, BaseTool):
        inputs = tool_inputs(runnable)
        result = PortSpec(name="result", tag="any", title="Result", main=True, needs=_names(inputs))
        live = PortSpec(name="tool", tag="tool", title="Tool")
        return ToolNode, {"made": Ports(inputs=inputs, outputs=(result, live))}
    if pregel is not None and isinstance(runnable, pregel.Pregel):
        made, single = graph_ports(runnable)
        return GraphNode, {"made": made, "single": single}
    made, single, kind = plain_ports(runnable)
    return ChainNode, {"made": made, "single": single, "result": kind}


def _names(ports: tuple[PortSpec, ...]) -> tuple[str, ...]:
    return tuple(port.name for port in ports)


def _help(runnable: Any, name: str) -> str:
    told = inspect.cleandoc(getattr(runnable, "description", "") or "")
    if not told and (function := getattr(runnable, "func", None)) is not None:
        told = inspect.cleandoc(function.__doc__ or "")
    return told or f"The {type(runnable).__name__} {name} of this notebook."
