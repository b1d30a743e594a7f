"""The ports of a runnable, from the schemas that it gives.

Example:
    >>> tag_of({"type": "array", "items": {"$ref": "#/$defs/Document"}})
    'documents'
"""

from __future__ import annotations

import dataclasses
import keyword
from typing import TYPE_CHECKING, Any, Final, get_type_hints

from bpaz_lab.graph.ports import ANY
from bpaz_lab.graph.spec import Ports, PortSpec
from bpaz_lab.nodes.form import title_of
from bpaz_lab.nodes.hints import port_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PROMPT: Final = "prompt"
_LISTS: Final = {"message": "messages", "document": "documents"}


def tag_of(schema: Mapping[str, Any]) -> str:
    """The port tag of a JSON schema; ``any`` where it says nothing, ``prompt`` for a prompt's value."""
    if reference := schema.get("$ref"):
        return _named(reference.rpartition("/")[2])
    if parts := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        tags = {tag_of(part) for part in parts if part.get("type") != "null"}
        if "messages" in tags:  # what a model takes: a text, a prompt or messages
            return "messages"
        return tags.pop() if len(tags) == 1 else ANY
    kind = schema.get("type")
    if kind == "string":
        return "text"
    if kind == "array":
        item = tag_of(schema.get("items") or {})
        is_document = (schema.get("items") or {}).get("$ref", "").endswith("/Document")
        return _LISTS.get("document" if is_document else item, "list[text]" if item == "text" else "data")
    return "data" if kind else ANY


def _named(name: str) -> str:
    if name.endswith(("Message", "MessageChunk")):
        return "message"
    return PROMPT if "PromptValue" in name else "data"


def plain_ports(runnable: Any) -> tuple[Ports, bool, str]:
    """The ports of a Runnable, whether it takes a single value, and what kind of result it gives.

    The result is ``text`` or ``message`` (both streamed), ``prompt``, ``object`` (an output for each key
    beside the whole), or else the name of the only output.
    """
    taken, given = _schema(runnable, "input"), _schema(runnable, "output")
    inputs = _properties(taken)
    single = not inputs
    if single:
        tag = tag_of(taken)
        inputs = (PortSpec(name="input", tag=ANY if tag == PROMPT else tag, title="Input", required=True),)
    needs = tuple(port.name for port in inputs)
    tag, keys = tag_of(given), _properties(given)
    if keys:
        kind, told = "object", [("result", "data"), *((p.name, p.tag) for p in keys if p.name != "result")]
    elif tag == PROMPT:
        kind, told = PROMPT, [("messages", "messages"), ("text", "text")]
        if not hasattr(runnable, "messages"):
            told.reverse()
    elif tag == "message":
        kind, told = tag, [("text", "text"), ("message", "message")]
    else:
        kind = tag if tag in ("text", "documents", "messages") else "result"
        told = [(kind, tag)]
    return Ports(inputs=inputs, outputs=_outputs(told, needs)), single, kind


def tool_inputs(tool: Any) -> tuple[PortSpec, ...]:
    """The arguments of a tool that a caller gives, as inputs."""
    schema = tool.tool_call_schema
    return _properties(schema if isinstance(schema, dict) else schema.model_json_schema())


def graph_ports(graph: Any) -> tuple[Ports, bool]:
    """The ports of a compiled graph, and whether it takes a single value instead of a state.

    The keys of a state that is a TypedDict may all be left out, since most graphs fill some of them
    themselves; ``messages`` and an only key are required.
    """
    builder = getattr(graph, "builder", None)
    if builder is None:  # made with the functional API
        made, single, _ = plain_ports(graph)
        needs = tuple(port.name for port in made.inputs)
        return Ports(inputs=made.inputs, outputs=_outputs([("result", ANY)], needs)), single
    inputs = _state_inputs(builder.input_schema)
    if not inputs:
        inputs = (PortSpec(name="input", tag="data", title="Input", required=True),)
    single = inputs[0].name == "input" and "input" not in graph.channels
    keys = [(name, _tag(hint)) for name, hint in _hints(builder.output_schema).items() if _sound(name)]
    told = [(name, tag) for name, tag in keys if name not in ("state", "text")]
    if ("messages", "messages") in keys or any(name == "text" for name, _ in keys):
        told.insert(0, ("text", "text"))
        told.append(("state", "data"))
    elif len(keys) == 1:
        told.append(("state", "data"))
    else:
        told.insert(0, ("state", "data"))
    return Ports(inputs=inputs, outputs=_outputs(told, tuple(port.name for port in inputs))), single


def _state_inputs(schema: Any) -> tuple[PortSpec, ...]:
    hints = {name: hint for name, hint in _hints(schema).items() if _sound(name)}
    needed = _required(schema) | {"messages"} | (set(hints) if len(hints) == 1 else set())
    return tuple(
        PortSpec(name=name, tag=_tag(hint), title=title_of(name), required=name in needed)
        for name, hint in hints.items()
    )


def _hints(schema: Any) -> dict[str, Any]:
    try:
        return get_type_hints(schema)
    except (NameError, TypeError):  # hints that only its own module resolves
        return dict.fromkeys(getattr(schema, "__annotations__", {}), Any)


def _required(schema: Any) -> set[str]:
    fields = getattr(schema, "model_fields", None)
    if fields is not None:
        return {name for name, field in fields.items() if field.is_required()}
    if dataclasses.is_dataclass(schema):
        missing = dataclasses.MISSING
        return {
            field.name
            for field in dataclasses.fields(schema)
            if field.default is missing and field.default_factory is missing
        }
    return set()


def _tag(hint: Any) -> str:
    return port_of(hint).tag


def _schema(runnable: Any, side: str) -> dict[str, Any]:
    """The JSON schema of one side; empty where the runnable has none that JSON can say."""
    from pydantic.errors import PydanticUserError

    try:
        found: dict[str, Any] = getattr(runnable, f"get_{side}_jsonschema")()
    except (PydanticUserError, TypeError, NotImplementedError, KeyError, AttributeError):
        steps = getattr(runnable, "steps__", {}) if side == "output" else {}  # of a RunnableParallel
        return {"properties": {name: _schema(step, side) for name, step in steps.items()}}
    return found


def _properties(schema: Mapping[str, Any]) -> tuple[PortSpec, ...]:
    """A port for each key of an object; none where a key cannot name a port."""
    properties = schema.get("properties") or {}
    if not all(_sound(name) for name in properties):
        return ()
    required = schema.get("required", ())
    return tuple(
        PortSpec(
            name=name,
            tag=ANY if (tag := tag_of(each)) == PROMPT else tag,
            title=title_of(name),
            help=each.get("description", ""),
            required=name in required,
        )
        for name, each in properties.items()
    )


def _outputs(told: Iterable[tuple[str, str]], needs: tuple[str, ...]) -> tuple[PortSpec, ...]:
    return tuple(
        PortSpec(
            name=name,
            tag=ANY if tag == PROMPT else tag,
            title=title_of(name),
            main=number == 0,
            needs=needs,
        )
        for number, (name, tag) in enumerate(told)
    )


def _sound(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)
