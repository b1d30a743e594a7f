"""A question put to a language model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from bpaz_lab.nodes.base import Node, outputs
from bpaz_lab.nodes.context import Context
from bpaz_lab.nodes.llms._model import ask, conversation
from bpaz_lab.nodes.script import in_script
from bpaz_lab.nodes.types import Multiline, Port


class LLMChain(Node):
    """Asks a language model and streams its answer.

    Connect a model (**LocalChat**, **OpenAICompatibleChat**, or any LangChain chat model of yours by
    **Variable**) and a prompt. Use it instead of a model's own *text* where several steps share one
    model, or where earlier messages belong to the question. *message* is the whole answer with what
    the provider says of it.

    ```python
    chain = wf.add("LLMChain", system_prompt="Answer in one sentence.")
    wf.connect(chat["model"], chain["model"])
    wf.connect(prompt["text"], chain["prompt"])
    ```
    """

    effect = "repeatable"
    label = "LLM chain"

    system_prompt: Multiline = Field(
        "", description="What the model is told beforehand; empty for the model's own."
    )

    @outputs(main="text", text="text", message="message")
    async def answer(
        self,
        model: Annotated[Any, Port("model", help="The model that is asked.")],
        prompt: Annotated[str, Port("text", help="What it is asked.")],
        context: Context,
        history: Annotated[Sequence[Any], Port("messages", help="What was said before.")] = (),
    ) -> dict[str, Any]:
        """Asks the model once, for both outputs.

        Raises:
            InputError: The model is none.
            ModelError: It did not answer, and why.
        """
        messages = conversation(prompt, system=self.system_prompt, history=history)
        message = await ask(model, messages, context)
        return {"text": str(message.text), "message": message}


@in_script(LLMChain, "langchain-core")
def llm_chain(
    model: Any, prompt: str, history: Sequence[Any] = (), system_prompt: str = ""
) -> dict[str, Any]:
    """Asks a language model."""
    message = model.invoke(conversation(prompt, system=system_prompt, history=history))
    return {"text": str(message.text), "message": message}
