"""Asking a chat model: the one place that streams, counts tokens and explains what went wrong."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any, ClassVar, Final

from bpaz_lab.errors import BpazError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from langchain_core.messages import AIMessage, BaseMessage

    from bpaz_lab.nodes.context import Context

_HINTS: Final = {
    400: "The server does not accept the request: check the settings against its documentation.",
    401: "The server does not accept the key: check the credential.",
    403: "The key may not do this: check the rights of the credential's account.",
    404: "Check the model's name and the base URL, which usually ends in /v1.",
    413: "The request is too long for the server: send less text.",
    429: "The limit of the account is reached: wait a little, or raise it with the provider.",
}


class ModelError(BpazError):
    """A language model did not answer."""

    code: ClassVar[str] = "model"


def conversation(prompt: str, *, system: str = "", history: Sequence[Any] = ()) -> list[BaseMessage]:
    """The messages that a model is asked with.

    Args:
        prompt: What the user says now.
        system: What the model is told beforehand; nothing where empty.
        history: The messages between the two.

    Example:
        >>> [message.type for message in conversation("Hi", system="Be brief.")]
        ['system', 'human']
    """
    from langchain_core.messages import HumanMessage, SystemMessage

    told = [SystemMessage(system)] if system else []
    return [*told, *history, HumanMessage(prompt)]


async def ask(model: Any, messages: list[BaseMessage], context: Context, port: str = "text") -> AIMessage:
    """Asks a model, streams the pieces of its answer to an output, and reports the tokens it took.

    Args:
        model: Any LangChain chat model, or another Runnable that streams messages or text.
        messages: The conversation.
        context: Where the pieces go; a stopped run ends the model's answer.
        port: The output that the pieces belong to.

    Raises:
        InputError: The model is none.
        ModelError: It did not answer; the message says why.
        RunCancelled: Somebody stopped the run.
    """
    from langchain_core.messages import AIMessage, AIMessageChunk
    from langchain_core.messages.ai import add_ai_message_chunks
    from langchain_core.messages.utils import message_chunk_to_message

    if not hasattr(model, "astream"):
        raise InputError(
            f"the input 'model' got a {type(model).__name__}, which is no language model",
            hint="Connect the output 'model' of a node such as LocalChat.",
        )
    chunks: list[Any] = []
    try:
        async with aclosing(model.astream(messages)) as stream:
            async for piece in stream:
                context.check()
                chunk = AIMessageChunk(content=piece) if isinstance(piece, str) else piece
                if text := str(chunk.text):
                    context.emit(text, port)
                chunks.append(chunk)
    except Exception as error:
        if (reason := _explained(error)) is None:
            raise
        raise reason from (None if reason is error else error)
    if not chunks:
        raise ModelError("the model gave no answer at all", hint="Try again, or try another model.")
    # A model that cannot stream gives its whole message at once.
    streamed = isinstance(chunks[0], AIMessageChunk)
    message = message_chunk_to_message(add_ai_message_chunks(*chunks)) if streamed else chunks[0]
    assert isinstance(message, AIMessage)
    if spent := message.usage_metadata:
        context.usage(spent["input_tokens"], spent["output_tokens"], _name(model, message))
    return message


def _name(model: Any, message: AIMessage) -> str:
    """The model's name: as it was asked for, else as the answer tells it."""
    asked = (getattr(model, each, None) for each in ("model_name", "model", "model_id"))
    names = (*asked, message.response_metadata.get("model_name"))
    return next((name for name in names if isinstance(name, str) and name), "")


def _explained(error: Exception) -> BpazError | None:
    """The error in our words; None for one that speaks for itself (a fault of somebody's code)."""
    import httpx

    for each in _causes(error):
        if isinstance(each, BpazError):
            return each
        if isinstance(each, httpx.TimeoutException | TimeoutError):
            return ModelError(
                "the model's server did not answer in time",
                hint="Try again, raise the timeout, or ask for fewer tokens.",
            )
        if isinstance(each, httpx.TransportError | ConnectionError):
            return ModelError(
                f"the connection to the model's server failed: {each}".rstrip(": "),
                hint="Check the base URL, and whether the server runs.",
            )
    status = getattr(error, "status_code", None)
    if not isinstance(status, int):
        return None
    hint = _HINTS.get(status, "")
    if status >= 500:
        hint = "The fault is the server's: try again later."
    return ModelError(f"the model's server answered {status}: {_said(error)}", hint=hint)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _said(error: Exception) -> str:
    body = getattr(error, "body", None)
    inner = body.get("error", body) if isinstance(body, dict) else body
    message = inner.get("message") if isinstance(inner, dict) else inner
    return str(message or error)[:500]
