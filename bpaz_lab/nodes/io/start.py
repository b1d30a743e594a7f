"""The inputs of a run, by name and kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bpaz_lab.errors import InputError
from bpaz_lab.graph.spec import Ports, PortSpec
from bpaz_lab.nodes.base import Node, outputs
from bpaz_lab.nodes.form import title_of
from bpaz_lab.nodes.types import Identifier, setting_fault

if TYPE_CHECKING:
    from collections.abc import Mapping

# In pydantic's lax mode, for the command line gives text: "3" is the number 3, "no" is False.
_KINDS: dict[str, TypeAdapter[Any]] = {
    "text": TypeAdapter(str),
    "number": TypeAdapter(int | float),
    "boolean": TypeAdapter(bool),
    "json": TypeAdapter(Any),
    "any": TypeAdapter(Any),
}


class InputField(BaseModel):
    """One input of the run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Identifier
    kind: Literal["text", "number", "boolean", "json", "any"] = "text"
    default: Any = None
    required: bool = True


def _distinct(fields: list[InputField]) -> list[InputField]:
    names = [field.name for field in fields]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise setting_fault(f"the name {twice!r} is there twice", "Give each field another name.")
    return fields


class Start(Node):
    """The inputs of a run, each with a name and a kind, and an output of the same name.

    Use it where a workflow takes several values, or numbers, switches and data. A field is a
    `name`, a `kind` (`text`, `number`, `boolean`, `json` for other data, or `any` for a live object such
    as a model), and where you like a `default`; with `"required": false` it may be missing and is then None.
    For a single question use **ChatInput**.

    ```python
    start = wf.add("Start", fields=[{"name": "topic"}, {"name": "count", "kind": "number", "default": 3}])
    wf.run(topic="kernels")
    ```
    """

    inline = True

    fields: Annotated[list[InputField], AfterValidator(_distinct)] = Field(
        default=[InputField(name="text")],
        description="The inputs of the run: a list of {name, kind, default, required}.",
    )

    @classmethod
    def ports(cls, settings: Mapping[str, Any]) -> Ports:
        """An input of the run and an output for each field."""
        fields = _readable(settings.get("fields"))
        needs = tuple(field.name for field in fields)
        return Ports(
            inputs=tuple(
                PortSpec(
                    name=field.name,
                    tag=_tag(field),
                    title=title_of(field.name),
                    help=f"What the run gives as {field.name}.",
                    required=field.required and field.default is None,
                    source="run",
                )
                for field in fields
            ),
            outputs=tuple(
                PortSpec(
                    name=field.name,
                    tag=_tag(field),
                    title=title_of(field.name),
                    help=f"The {field.kind} {field.name}.",
                    main=number == 0,
                    needs=needs,
                )
                for number, field in enumerate(fields)
            ),
        )

    @outputs()
    def begin(self, /, **given: Any) -> dict[str, Any]:
        """The inputs in their kinds, defaults filled in.

        Raises:
            InputError: An input is not of its kind.
        """
        return {field.name: _taken(field, given.get(field.name, field.default)) for field in self.fields}


def _tag(field: InputField) -> str:
    return {"text": "text", "any": "any"}.get(field.kind, "data")


def _readable(fields: Any) -> list[InputField]:
    """The fields as far as they make sense: the checks report the rest, and the wires of these stay."""
    found: dict[str, InputField] = {}
    for entry in fields if isinstance(fields, list) else ():
        try:
            field = InputField.model_validate(entry)
        except ValidationError:
            continue
        found.setdefault(field.name, field)
    return list(found.values())


def _taken(field: InputField, value: Any) -> Any:
    if value is None and (not field.required or field.kind in ("json", "any")):
        return None
    try:
        return _KINDS[field.kind].validate_python(value)
    except ValidationError:
        raise InputError(
            f"{field.name} is a {field.kind}, not {value!r}"[:300],
            path=field.name,
            hint=f"Pass a {field.kind}, or change the kind in the node's settings.",
        ) from None
