"""A workflow in other people's hands: as a tool of LangChain, and as a graph of LangGraph."""

from __future__ import annotations

import json
import re
from collections import ChainMap
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field, create_model
from pydantic_core import PydanticSerializationError, to_jsonable_python

from bpaz_lab.engine.langgraph_types import default_of, given_type, named_inputs
from bpaz_lab.errors import BpazError, InputError
from bpaz_lab.graph.naming import snake
from bpaz_lab.graph.ports import conversion, is_resource
from bpaz_lab.nodes.context import Services
from bpaz_lab.nodes.convert import CONVERTERS
from bpaz_lab.nodes.hints import port_of

if TYPE_CHECKING:
    from bpaz_lab.api.running import Running
    from bpaz_lab.engine.run import Run
    from bpaz_lab.nodes.context import Services as _Services

_OWN: Final = "bpaz_"
"""Before the names of arguments that LangChain, or pydantic, keeps for itself."""
_TAKEN: Final = re.compile(r"model_|_|config$|callbacks$|run_manager$|runtime$|schema$|copy$|json$|dict$")


def as_tool(workflow: Running, name: str = "", description: str = "") -> Any:
    """A workflow as a ``StructuredTool``; see ``Workflow.as_tool``."""
    from langchain_core.tools import StructuredTool, ToolException

    names, schema = _arguments(workflow)
    called = name or snake(workflow.name)

    def inputs(given: dict[str, Any]) -> dict[str, Any]:
        return {names[key]: value for key, value in given.items() if value is not None}

    def failed(error: BpazError) -> ToolException:
        return ToolException(str(error))

    def call(**given: Any) -> str:
        try:
            return _told(workflow.run(inputs(given)))
        except BpazError as error:
            raise failed(error) from error

    async def acall(**given: Any) -> str:
        try:
            return _told(await workflow.arun(inputs(given)))
        except BpazError as error:
            raise failed(error) from error

    about = description or f"{workflow.name}. Takes: {', '.join(names) or 'nothing'}."
    return StructuredTool.from_function(
        call, coroutine=acall, name=called, description=about, args_schema=schema, infer_schema=False
    )


def to_langgraph(workflow: Running, checkpointer: Any = None) -> Any:
    """A workflow as a compiled graph; see ``Workflow.to_langgraph``."""
    from bpaz_lab.api.running import _namespace
    from bpaz_lab.engine.langgraph_graph import langgraph

    def services(session: str) -> _Services:
        return Services(session=session, jail=workflow._jail(), namespace=ChainMap({}, _namespace()))

    return langgraph(workflow.plan(), services, checkpointer)


def _arguments(workflow: Running) -> tuple[dict[str, str], Any]:
    """The names of the arguments to those of the inputs, and the model that checks them."""
    plan = workflow.plan()
    steps = {step.node: step for step in plan.steps}
    names: dict[str, str] = {}
    fields: dict[str, Any] = {}
    for name, each in named_inputs(plan):
        if is_resource(each.port.tag):  # an optional one: a tool cannot be given a live object
            continue
        key = re.sub(r"\W", "_", name)
        key = _OWN + key if _TAKEN.match(key) else key
        hint, default = given_type(each, steps[each.node]), default_of(each, steps[each.node])
        about: dict[str, Any] = {"description": each.port.help or each.port.title}
        if each.port.required and not each.has_default:
            fields[key] = (hint, Field(**about))
        else:
            fields[key] = (hint | None if hint is not Any else hint, Field(default, **about))
        names[key] = name
    return names, create_model(f"{snake(workflow.name)}_arguments", **fields)


def _told(run: Run) -> str:
    """What a run gave, as a model can read it.

    Raises:
        InputError: The run waits for a person.
    """
    if run.status == "paused":
        asked = "; ".join(f"{address}: {each.text}" for address, each in run.questions.items())
        run.cancel()
        raise InputError(
            f"the workflow waits for a person ({asked}), which a tool cannot",
            hint="Use wf.to_langgraph(), whose interrupts somebody can answer.",
        )
    output = run.output
    if isinstance(output, str):
        return output
    tag = port_of(type(output[0] if isinstance(output, list) and output else output)).tag
    if isinstance(output, list):
        tag = {"message": "messages"}.get(tag, tag)
    how = CONVERTERS.get(conversion(tag, "text") or "")
    if tag in ("documents", "messages", "message", "table") and how is not None:
        return str(how(output))
    try:
        return json.dumps(to_jsonable_python(output), ensure_ascii=False)
    except PydanticSerializationError:
        return str(output)
