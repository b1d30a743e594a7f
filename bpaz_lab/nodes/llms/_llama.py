"""The local language model as a LangChain chat model: no network, no key, no server.

The class is made at the first call of :func:`llama_chat`, so that importing this module imports
neither LangChain nor llama.cpp. What runs the model is ``_llama_engine``; where its file comes from
is ``_weights``.
"""

from __future__ import annotations

from contextlib import aclosing, closing
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from bpaz_lab.nodes.llms._llama_engine import Body, Chunk, Engine, engine_for
from bpaz_lab.nodes.llms._weights import LocalModelError, find_model

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
    from langchain_core.language_models import BaseChatModel, LanguageModelInput
    from langchain_core.messages import AIMessageChunk, BaseMessage
    from langchain_core.outputs import ChatGenerationChunk, ChatResult
    from langchain_core.runnables import Runnable
    from pydantic import BaseModel

SYSTEM = "You are a helpful assistant. Answer briefly."
CALL_OPTIONS = ("temperature", "max_tokens", "seed", "json_schema")
STRING_CAP = 200
ARRAY_CAP = 8


def llama_chat(**options: Any) -> BaseChatModel:
    """A chat model that runs a GGUF file in this process.

    It streams, can be cancelled at any token, and follows a JSON schema by constrained decoding
    (``with_structured_output`` or ``json_schema``). The weights are loaded at the first call and
    shared by all chat models of the same file, ``n_ctx`` and ``n_threads``; calls queue up.

    Args:
        **options: ``model_path`` (a GGUF file; empty for the default model), ``temperature`` (0.2),
            ``max_tokens`` (512, of the answer), ``seed`` (None; an integer makes sampled answers
            repeatable and turns the prompt cache off, whose other rounding could tip a token),
            ``n_ctx`` (4096, tokens of prompt and answer together), ``n_threads`` (1: a second one
            slows small models down on a busy machine), ``stop`` (texts that end the answer),
            ``json_schema`` (every answer follows it), ``system`` (sent when the messages do not begin
            with a system message; small models wander without one).

    Raises:
        LocalModelError: There is no usable model file; when called, also: the model does not load,
            the prompt is too long, or a JSON answer was cut off.
        MissingPackage: When called: ``xllamacpp`` is not installed.
        pydantic.ValidationError: An option is unknown or out of range.

    Example:
        >>> chat = llama_chat(temperature=0, max_tokens=8)
        >>> answer = chat.invoke("What is a kernel?")
        >>> answer.usage_metadata["output_tokens"]
        8
    """
    return _chat_class()(**options)


@cache
def _chat_class() -> type[BaseChatModel]:  # noqa: C901 (it counts a class's methods as one function)
    from langchain_core.language_models import BaseChatModel
    from langchain_core.language_models.chat_models import agenerate_from_stream, generate_from_stream
    from langchain_core.outputs import ChatGenerationChunk
    from pydantic import ConfigDict, Field, PrivateAttr

    class LlamaChat(BaseChatModel):
        """A GGUF model behind LangChain's interface; see :func:`llama_chat`."""

        model_config = ConfigDict(extra="forbid")

        model_path: str = ""
        temperature: float = Field(default=0.2, ge=0)
        max_tokens: int = Field(default=512, ge=1)
        seed: int | None = Field(default=None, ge=0)
        n_ctx: int = Field(default=4096, ge=256)
        n_threads: int = Field(default=1, ge=1)
        stop: list[str] = Field(default_factory=list)
        json_schema: dict[str, Any] | None = None
        system: str = SYSTEM

        _engine: Engine = PrivateAttr()

        def model_post_init(self, context: Any, /) -> None:
            super().model_post_init(context)
            self._engine = engine_for(find_model(self.model_path), self.n_ctx, self.n_threads)

        @property
        def _llm_type(self) -> str:
            return "llama.cpp"

        @property
        def model_name(self) -> str:
            """The file's name; ``local/`` says that its tokens cost nothing."""
            return f"local/{self._engine.path.stem}"

        @property
        def _identifying_params(self) -> dict[str, Any]:
            options = {name: getattr(self, name) for name in (*CALL_OPTIONS, "stop", "system", "n_ctx")}
            return {**options, "model": str(self._engine.path)}

        def _body(self, messages: list[BaseMessage], stop: list[str] | None, changes: dict[str, Any]) -> Body:
            options = {name: getattr(self, name) for name in CALL_OPTIONS}
            return _request(self.system, messages, stop or self.stop, options | changes)

        def _stream(
            self,
            messages: list[BaseMessage],
            stop: list[str] | None = None,
            run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 (LangChain's signature)
            **kwargs: Any,
        ) -> Generator[ChatGenerationChunk, None, None]:
            body = self._body(messages, stop, kwargs)
            with closing(self._engine.stream(body)) as chunks:
                for chunk in chunks:
                    if message := _message(chunk, body, self._engine.path.stem):
                        yield ChatGenerationChunk(message=message)

        async def _astream(
            self,
            messages: list[BaseMessage],
            stop: list[str] | None = None,
            run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002 (LangChain's signature)
            **kwargs: Any,
        ) -> AsyncGenerator[ChatGenerationChunk, None]:
            body = self._body(messages, stop, kwargs)
            async with aclosing(self._engine.astream(body)) as chunks:
                async for chunk in chunks:
                    if message := _message(chunk, body, self._engine.path.stem):
                        yield ChatGenerationChunk(message=message)

        def _generate(
            self,
            messages: list[BaseMessage],
            stop: list[str] | None = None,
            run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 (LangChain's signature)
            **kwargs: Any,
        ) -> ChatResult:
            with closing(self._stream(messages, stop, **kwargs)) as chunks:
                return generate_from_stream(chunks)

        async def _agenerate(
            self,
            messages: list[BaseMessage],
            stop: list[str] | None = None,
            run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002 (LangChain's signature)
            **kwargs: Any,
        ) -> ChatResult:
            async with aclosing(self._astream(messages, stop, **kwargs)) as chunks:
                return await agenerate_from_stream(chunks)

        def with_structured_output(
            self, schema: dict[str, Any] | type, *, include_raw: bool = False, **kwargs: Any
        ) -> Runnable[LanguageModelInput, dict[str, Any] | BaseModel]:
            """The same model, whose answer is an object of this schema.

            Args:
                schema: A pydantic class, a TypedDict, or a JSON schema.
                include_raw: Give ``{"raw", "parsed", "parsing_error"}`` instead of the object.
                **kwargs: Bound to every call, for instance ``max_tokens``.
            """
            return _structured(self, schema, include_raw=include_raw, options=kwargs)

    return LlamaChat


def _request(system: str, messages: list[BaseMessage], stop: list[str], options: dict[str, Any]) -> Body:
    from langchain_core.messages import SystemMessage, convert_to_openai_messages

    if unknown := sorted(options.keys() - set(CALL_OPTIONS)):
        raise LocalModelError(
            f"a call of the local model does not take {', '.join(unknown)}",
            hint=f"it takes {', '.join(CALL_OPTIONS)}",
        )
    if not messages or not isinstance(messages[0], SystemMessage):
        messages = [SystemMessage(system), *messages]
    body: Body = {
        "messages": convert_to_openai_messages(messages),
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_progress": True,  # so that a long prompt can be cancelled, too
        "max_tokens": options["max_tokens"],
        "temperature": options["temperature"],
        "stop": stop,
        "cache_prompt": options["seed"] is None,
    }
    if options["seed"] is not None:
        body["seed"] = options["seed"]
    if options["json_schema"] is not None:
        schema = {"name": "answer", "schema": bounded(options["json_schema"])}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body


def _message(chunk: Chunk, body: Body, model: str) -> AIMessageChunk | None:
    """What a chunk of llama.cpp says; None for its reports of progress."""
    from langchain_core.messages import AIMessageChunk
    from langchain_core.messages.ai import UsageMetadata

    if usage := chunk.get("usage"):
        spent = UsageMetadata(
            input_tokens=usage["prompt_tokens"],
            output_tokens=usage["completion_tokens"],
            total_tokens=usage["total_tokens"],
        )
        return AIMessageChunk(content="", usage_metadata=spent, chunk_position="last")
    choice = chunk["choices"][0]
    delta = choice["delta"]
    if reason := choice["finish_reason"]:
        if reason == "length" and "response_format" in body:
            raise LocalModelError(
                f"the JSON answer was cut off at {body['max_tokens']} tokens",
                hint="raise max_tokens or n_ctx, or bound the schema (maxLength, maxItems)",
            )
        return AIMessageChunk(content="", response_metadata={"finish_reason": reason, "model_name": model})
    if thought := delta.get("reasoning_content"):
        return AIMessageChunk(content="", additional_kwargs={"reasoning_content": thought})
    if text := delta.get("content"):
        return AIMessageChunk(content=text)
    return None


def _structured(
    model: BaseChatModel, schema: dict[str, Any] | type, *, include_raw: bool, options: dict[str, Any]
) -> Runnable[LanguageModelInput, Any]:
    from langchain_core.output_parsers import BaseOutputParser, JsonOutputParser, PydanticOutputParser
    from langchain_core.runnables import RunnableMap, RunnablePassthrough
    from langchain_core.utils.function_calling import convert_to_json_schema
    from pydantic import BaseModel

    parser: BaseOutputParser[Any] = JsonOutputParser()
    if isinstance(schema, dict):
        spec = schema
    elif issubclass(schema, BaseModel):
        spec = schema.model_json_schema()
        parser = PydanticOutputParser(pydantic_object=schema)
    else:
        spec = convert_to_json_schema(schema)
    answer = model.bind(json_schema=spec, **options)
    if not include_raw:
        return answer | parser
    parse = RunnablePassthrough.assign(parsed=itemgetter("raw") | parser, parsing_error=lambda _: None)
    failed = RunnablePassthrough.assign(parsed=lambda _: None)
    return RunnableMap(raw=answer) | parse.with_fallbacks([failed], exception_key="parsing_error")


def bounded(schema: Any) -> Any:
    """The schema with a bound on every string and array that has none.

    A small model under constrained decoding can fill an unbounded string until it runs out of tokens;
    a string without ``maxLength`` gets 200 characters, an array without ``maxItems`` 8 items.

    Args:
        schema: A JSON schema; it is not changed.

    Example:
        >>> bounded({"type": "object", "properties": {"name": {"type": "string"}}})
        {'type': 'object', 'properties': {'name': {'type': 'string', 'maxLength': 200}}}
    """
    if isinstance(schema, list):
        return [bounded(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    result = dict(schema)
    for key in ("properties", "$defs", "definitions"):
        if isinstance(schema.get(key), dict):
            result[key] = {name: bounded(each) for name, each in schema[key].items()}
    for key in ("items", "prefixItems", "additionalProperties", "anyOf", "oneOf", "allOf"):
        if key in schema:
            result[key] = bounded(schema[key])
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "string" in kinds and not schema.keys() & {"enum", "const", "pattern", "format"}:
        result.setdefault("maxLength", max(STRING_CAP, schema.get("minLength", 0)))
    if "array" in kinds:
        result.setdefault("maxItems", max(ARRAY_CAP, schema.get("minItems", 0)))
    return result
