"""Calling a runnable of LangChain or a graph of LangGraph for a node: streams, steps, tokens, questions."""

from __future__ import annotations

from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.graph.spec import FieldSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpaz_lab.nodes.context import Context

RECURSION: Final = 10_007
"""Steps of a graph, as LangGraph's own default; inside another runnable 25 would be inherited."""


@contextmanager
def settings_of(context: Context) -> Iterator[dict[str, Any]]:
    """What a runnable is called with: the callbacks that are there, one that counts, and no more.

    A graph around this workflow hands down keys of its own, with which a graph in here would take itself
    for a part of that one.
    """
    from langchain_core.runnables.config import ensure_config, merge_configs, var_child_runnable_config

    outer = ensure_config()
    callbacks = merge_configs({"callbacks": outer["callbacks"]}, {"callbacks": [_counter(context)]})
    token = var_child_runnable_config.set(None)
    try:
        yield {
            "callbacks": callbacks["callbacks"],
            "tags": outer["tags"],
            "metadata": dict(outer["metadata"]),
            "recursion_limit": RECURSION,
        }
    finally:
        var_child_runnable_config.reset(token)


def _counter(context: Context) -> Any:
    """A callback that reports the tokens of every model inside."""
    from langchain_core.callbacks import BaseCallbackHandler

    class Counter(BaseCallbackHandler):
        run_inline = True

        def on_llm_end(self, response: Any, **_told: Any) -> None:
            message = getattr(response.generations[0][0], "message", None) if response.generations else None
            if spent := getattr(message, "usage_metadata", None):
                model = (getattr(message, "response_metadata", None) or {}).get("model_name", "")
                context.usage(spent["input_tokens"], spent["output_tokens"], model=str(model))

    return Counter()


async def streamed(runnable: Any, value: Any, config: Any, context: Context) -> dict[str, Any]:
    """A text, or a message with its text, its pieces emitted as they come."""
    from langchain_core.messages import BaseMessage, BaseMessageChunk
    from langchain_core.messages.utils import message_chunk_to_message

    pieces: list[Any] = []
    async with aclosing(runnable.astream(value, config)) as stream:
        async for piece in stream:
            context.check()
            pieces.append(piece)
            if text := piece if isinstance(piece, str) else str(getattr(piece, "text", "")):
                context.emit(text, "text")
    if all(isinstance(piece, str) for piece in pieces):
        return {"text": "".join(pieces)}
    whole = pieces[-1]
    if all(isinstance(piece, BaseMessageChunk) for piece in pieces):
        whole = pieces[0]
        for piece in pieces[1:]:
            whole = whole + piece
        whole = message_chunk_to_message(whole)
    if isinstance(whole, BaseMessage):
        return {"text": str(whole.text), "message": whole}
    return {"text": whole}


async def driven(graph: Any, value: Any, config: Any, context: Context) -> tuple[Any, tuple[Any, ...]]:
    """Runs a graph to its end or its next interrupts; gives its state and those."""
    from langchain_core.messages import AIMessageChunk

    state, asked, done = None, (), 0
    modes = ["updates", "messages", "values"]
    stream = graph.astream(value, config, stream_mode=modes, subgraphs=True)
    async with aclosing(stream):
        async for place, mode, told in stream:
            context.check()
            if mode == "messages":
                piece, _about = told  # a whole message is no stream: somebody put it into the state
                if isinstance(piece, AIMessageChunk) and (text := str(piece.text)):
                    context.emit(text, "text")
            elif mode == "values":
                if not place:
                    state = told
            elif "__interrupt__" in told:
                if not place:
                    asked = told["__interrupt__"]
            else:
                for name in told:
                    done += 1
                    context.progress(done, message="/".join([*(p.partition(":")[0] for p in place), name]))
    return state, asked


def question(interrupt: Any) -> tuple[str, Any, tuple[FieldSpec, ...]]:
    """An interrupt of a graph as a question to a person."""
    value = interrupt.value
    text = value if isinstance(value, str) else "The graph asks:"
    return text, value, (FieldSpec(name="answer", title="Answer", kind="json", required=True),)
