"""A language model behind any server that speaks OpenAI's chat interface."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field

from bpaz_lab.nodes.base import Node, output
from bpaz_lab.nodes.context import Context
from bpaz_lab.nodes.llms._model import ask, conversation
from bpaz_lab.nodes.script import in_script
from bpaz_lab.nodes.types import Advanced, Credential, Model, Multiline, Port, credential

_NO_KEY: Final = "none"


class OpenAICompatibleChat(Node):
    """A language model of OpenAI, or of any server with the same interface.

    Point *base url* at it: OpenAI itself, vLLM, llama.cpp, Ollama (`http://localhost:11434/v1`), LM
    Studio and most hosted models speak it. The key is the *name* of a credential: `openai` is taken
    from the environment variable `OPENAI_API_KEY`. Leave it empty for a server that needs none.

    *text* asks the model at once and streams the answer; *model* hands it to another node.

    ```python
    chat = wf.add(
        "OpenAICompatibleChat", model="llama3.2", base_url="http://localhost:11434/v1", api_key=None
    )
    ```
    """

    extra = "openai"
    requires = ("langchain_openai",)
    effect = "repeatable"
    label = "OpenAI-compatible chat"

    model: str = Field("gpt-4.1-mini", min_length=1, description="The model's name, as the server knows it.")
    base_url: str = Field(
        "https://api.openai.com/v1",
        pattern=r"^https?://[^\s/?#]+[^\s?#]*$",
        description="Where the server is; it usually ends in /v1.",
    )
    api_key: Credential | None = credential(
        "openai", default="openai", help="The name of the credential; empty for a server that needs no key."
    )
    temperature: float | None = Field(
        None, ge=0, le=2, description="0 is steady, higher is more varied; empty for the server's default."
    )
    max_tokens: int | None = Field(
        None, ge=1, description="The longest answer, in tokens; empty for the server's default."
    )
    system_prompt: Multiline = Field("", description="What the model is told before the prompt.")
    timeout: Annotated[float, Advanced] = Field(
        60, gt=0, le=1800, description="How long the server may be silent, in seconds."
    )
    max_retries: Annotated[int, Advanced] = Field(
        2, ge=0, le=10, description="How often a busy or failing server is asked again (OpenAI's client: 2)."
    )

    @output("model", "model")
    def build(self, context: Context) -> Model:
        """The chat model itself; the key is looked up now, for this server's host alone.

        Raises:
            CredentialError: There is no such credential, or it may not go to this host.
        """
        import httpx
        from langchain_openai import ChatOpenAI
        from pydantic import SecretStr

        from bpaz_lab.guard.http import client

        key = _NO_KEY  # never None: the package would take a key of the environment to any host
        if self.api_key:
            host = httpx.URL(self.base_url).host
            key = context.secret(self.api_key, kinds=("openai",), host=host).reveal()
        # The model outlives this call and nobody closes its clients: they keep no connection open.
        options: dict[str, Any] = {"headers": {"connection": "close"}, "timeout": self.timeout}
        return ChatOpenAI(
            model=self.model,
            base_url=self.base_url,
            api_key=SecretStr(key),
            temperature=self.temperature,
            max_completion_tokens=self.max_tokens,
            timeout=self.timeout,
            max_retries=self.max_retries,
            stream_usage=True,
            use_responses_api=False,
            stream_chunk_timeout=None,  # its wait_for swallows a cancellation now and then; ours is above
            openai_proxy=None,
            http_client=client(context.services.egress, **options),
            http_async_client=context.http(**options),
        )

    @output("text", "text", main=True)
    async def answer(
        self, prompt: Annotated[str, Port("text", help="What the model is asked.")], context: Context
    ) -> str:
        """Asks the model.

        Raises:
            ModelError: The server did not answer, and why.
        """
        import asyncio

        model = await asyncio.to_thread(self.build, context)  # imports OpenAI's package: seconds, once
        message = await ask(model, conversation(prompt, system=self.system_prompt), context)
        return str(message.text)


@in_script(OpenAICompatibleChat, "langchain-openai", output="model")
def open_ai_compatible_model(
    model: str = "gpt-4.1-mini",
    base_url: str = "https://api.openai.com/v1",
    api_key: str | None = None,
    temperature: float | None = None,
    max_tokens: int | None = None,
    timeout: float = 60,
    max_retries: int = 2,
) -> Any:
    """A language model of OpenAI, or of any server with the same interface."""
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    return ChatOpenAI(
        model=model,
        base_url=base_url,
        api_key=SecretStr(api_key or _NO_KEY),
        temperature=temperature,
        max_completion_tokens=max_tokens,
        timeout=timeout,
        max_retries=max_retries,
        use_responses_api=False,
    )


@in_script(OpenAICompatibleChat, "langchain-openai", output="text")
def open_ai_compatible_chat(prompt: str, system_prompt: str = "", **options: Any) -> str:
    """The answer of such a model."""
    chat = open_ai_compatible_model(**options)
    return str(chat.invoke(conversation(prompt, system=system_prompt)).text)
