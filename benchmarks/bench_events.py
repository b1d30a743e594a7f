"""What it costs to watch a run: every event typed and read, and a model's tokens on their way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator  # noqa: TC003 (node_class reads the hints)
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from measure import side_by_side, table
from workflows import chain, document, engine, layered

from bpaz_lab.engine.events import as_json
from bpaz_lab.engine.options import Options
from bpaz_lab.engine.run import start

TOKENS = 2000


class Parrot(BaseChatModel):
    """A model that needs no time: what is left is the cost of the stream."""

    @property
    def _llm_type(self) -> str:
        return "parrot"

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage("word " * TOKENS))])

    async def _astream(self, *_: Any, **__: Any) -> AsyncIterator[ChatGenerationChunk]:
        for _number in range(TOKENS):
            yield ChatGenerationChunk(message=AIMessageChunk("word "))


async def answer() -> AsyncIterator[str]:
    """Streams what the model says."""
    async for chunk in Parrot().astream("Hi"):
        yield chunk.content


async def read() -> None:
    """The model's public stream, read without an engine."""
    async for _ in Parrot().astream("Hi"):
        pass


async def in_langgraph(compiled: Any) -> None:
    """LangGraph's messages mode."""
    async for _ in compiled.astream({"text": ""}, stream_mode="messages"):
        pass


def graph_with_model() -> Any:
    """A LangGraph graph whose only node calls the model."""
    from typing import TypedDict

    from langgraph.graph import END, START, StateGraph

    class State(TypedDict):
        text: str

    async def call(_state: Any) -> dict[str, str]:
        return {"text": (await Parrot().ainvoke("Hi")).text}

    builder = StateGraph(State)
    builder.add_node("call", call)
    builder.add_edge(START, "call")
    builder.add_edge("call", END)
    return builder.compile()


def main() -> None:
    """Prints the ratios."""
    bpaz, loop = engine(), asyncio.new_event_loop()
    direct = lambda plan: start(plan, {}, Options(through="direct"))  # noqa: E731
    rows = []
    for shape in (chain, layered):
        plan = bpaz.build(document(shape(1000)))
        took = side_by_side(
            {
                "unread": lambda plan=plan: direct(plan).wait(),
                "read": lambda plan=plan: len(list(direct(plan).stream())),
                "looked at": lambda plan=plan: {
                    (each.type, getattr(each, "node", "")) for each in direct(plan).stream()
                },
                "json": lambda plan=plan: [as_json(each) for each in direct(plan).stream()],
            }
        )
        ratios = (took[way] / took["unread"] for way in ("read", "looked at", "json"))
        rows.append((f"{shape.__name__} 1000", *ratios))
    head = ("no-op nodes", "read", "type and node looked at", "previewed, masked, as JSON")
    table("Every event typed and read / nobody reads (goal: <= 1.3)", head, rows)

    talk = {"bpaz": 1, "name": "Talk", "nodes": {"a": {"type": "answer"}}}
    plan = engine(answer).build(talk)
    compiled = graph_with_model()
    took = side_by_side(
        {
            "astream": lambda: loop.run_until_complete(read()),
            "unread": lambda: direct(plan).wait(),
            "read": lambda: len(list(direct(plan).stream())),
            "langgraph": lambda: loop.run_until_complete(in_langgraph(compiled)),
        }
    )
    table(
        f"{TOKENS:,} tokens / the model's own astream (goal: <= 1.2)",
        ("way", "ratio"),
        [
            ("nobody reads", took["unread"] / took["astream"]),
            ("every event typed and read", took["read"] / took["astream"]),
            ("LangGraph, messages mode", took["langgraph"] / took["astream"]),
        ],
    )


if __name__ == "__main__":
    main()
