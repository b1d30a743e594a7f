"""From a node class to its shape: fields, ports and the methods that compute its outputs.

The rules are those of the contract in ``base.py``. A class is read once and the shape kept with it.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model
from pydantic.fields import FieldInfo

from bpaz_lab.errors import NodeTypeError
from bpaz_lab.graph.ports import is_tag
from bpaz_lab.graph.spec import FieldSpec, Ports, PortSpec
from bpaz_lab.nodes.context import Context
from bpaz_lab.nodes.form import field_spec, title_of
from bpaz_lab.nodes.hints import port_of
from bpaz_lab.nodes.types import Port

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FORM_TAGS = frozenset({"text", "data", "list[text]"})
"""Tags whose default a person can type; other defaults stay Python's own."""

Style = Literal["sync", "async", "iterator", "async_iterator"]


class Mark(NamedTuple):
    """What ``@output`` or ``@outputs`` left on a method."""

    tags: dict[str, str]
    main: str
    split: bool
    """The method returns a dict of outputs by name."""


class Method(NamedTuple):
    """One method that computes outputs."""

    attribute: str
    outputs: tuple[str, ...]
    """The outputs by name; empty where they depend on the settings."""
    parameters: tuple[str, ...]
    spread: bool
    """It takes ``**inputs``: every input port that no parameter names."""
    context: str
    """The parameter that wants the Context, or empty."""
    style: Style
    split: bool
    blank: bool
    """None is a result: the return hint allows it."""


class Shape(NamedTuple):
    """Everything that the rest of the product knows of a node class."""

    ports: Ports
    fields: tuple[FieldSpec, ...]
    methods: tuple[Method, ...]
    parameters: type[BaseModel] | None
    """Validates the settings that are parameters' defaults; None where there are none."""


def shape_of(cls: type[BaseModel], marked: Mapping[str, Mark]) -> Shape:
    """Reads a node class.

    Raises:
        NodeTypeError: The class breaks the contract.
    """
    inputs: dict[str, PortSpec] = {}
    outputs: list[PortSpec] = []
    methods: list[Method] = []
    defaults: dict[str, Any] = {}
    for attribute, mark in marked.items():
        method, own, own_defaults = _method(cls, attribute, mark)
        methods.append(method)
        for port in own:
            known = inputs.setdefault(port.name, port)
            if known != port:
                raise _broken(cls, f"input {port.name!r} is declared twice and differently")
        defaults.update(own_defaults)
        outputs += _outputs(cls, mark, method, tuple(port.name for port in own))
    clash = sorted(set(defaults) & set(cls.model_fields))
    if clash:
        raise _broken(cls, f"{clash[0]!r} is both a field and a parameter with a default")
    if outputs and not any(port.main for port in outputs):
        outputs[0] = outputs[0].model_copy(update={"main": True})
    parameters = (
        create_model(f"{cls.__name__}Parameters", __config__=ConfigDict(extra="forbid"), **defaults)
        if defaults
        else None
    )
    fields = [field_spec(name, info) for name, info in cls.model_fields.items()]
    if parameters:
        fields += [field_spec(name, info, port=True) for name, info in parameters.model_fields.items()]
    ports = Ports(inputs=tuple(inputs.values()), outputs=tuple(outputs))
    return Shape(ports, tuple(fields), tuple(methods), parameters)


def _method(
    cls: type, attribute: str, mark: Mark
) -> tuple[Method, list[PortSpec], dict[str, tuple[Any, Any]]]:
    function = _function(cls, attribute)
    hints = _hints(cls, attribute, function)
    names: list[str] = []
    ports: list[PortSpec] = []
    defaults: dict[str, tuple[Any, Any]] = {}
    spread, context = False, ""
    parameters = list(inspect.signature(function).parameters.values())
    static = isinstance(inspect.getattr_static(cls, attribute), staticmethod)
    for parameter in parameters if static else parameters[1:]:
        hint = hints.get(parameter.name, Any)
        if hint is Context:
            context = parameter.name
        elif parameter.kind is parameter.VAR_KEYWORD:
            spread = True
        elif parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            raise _broken(cls, f"{attribute}() may not have the parameter {parameter}")
        else:
            names.append(parameter.name)
            ports.append(_input(cls, parameter.name, hint, parameter.default))
            if ports[-1].tag in FORM_TAGS and parameter.default is not parameter.empty:
                defaults[parameter.name] = (hint, parameter.default)
    method = Method(
        attribute=attribute,
        outputs=tuple(mark.tags),
        parameters=tuple(names),
        spread=spread,
        context=context,
        style=_style(getattr(cls, attribute)),
        split=mark.split,
        blank=type(None) in get_args(hints.get("return", Any)),
    )
    return method, ports, defaults


def _input(cls: type, name: str, hint: Any, default: Any) -> PortSpec:
    port: Port = port_of(hint)
    if not is_tag(port.tag):
        raise _broken(cls, f"input {name!r} has the unknown tag {port.tag!r}")
    about = default if isinstance(default, FieldInfo) else None
    return PortSpec(
        name=name,
        tag=port.tag,
        title=title_of(name),
        help=port.help or (about.description or "" if about else ""),
        required=default is inspect.Parameter.empty or (about is not None and about.is_required()),
        many=port.many,
        source=port.source,
    )


def _outputs(cls: type, mark: Mark, method: Method, needs: tuple[str, ...]) -> list[PortSpec]:
    found = []
    for name, told in mark.tags.items():
        function = _function(cls, method.attribute)
        tag = told or port_of(_hints(cls, method.attribute, function).get("return", Any)).tag
        if not is_tag(tag):
            raise _broken(cls, f"output {name!r} has the unknown tag {tag!r}")
        found.append(PortSpec(name=name, tag=tag, title=title_of(name), main=name == mark.main, needs=needs))
    return found


def _function(cls: type, attribute: str) -> Callable[..., Any]:
    raw = inspect.getattr_static(cls, attribute)
    function: Callable[..., Any] = inspect.unwrap(raw.__func__ if isinstance(raw, staticmethod) else raw)
    return function


def _hints(cls: type, attribute: str, function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except (NameError, TypeError) as error:
        raise _broken(cls, f"the hints of {attribute}() cannot be resolved: {error}") from error


def _style(function: Callable[..., Any]) -> Style:
    if inspect.isasyncgenfunction(function):
        return "async_iterator"
    if inspect.isgeneratorfunction(function):
        return "iterator"
    return "async" if inspect.iscoroutinefunction(function) else "sync"


def _broken(cls: type, what: str) -> NodeTypeError:
    return NodeTypeError(
        f"{cls.__name__}: {what}",
        path=f"{cls.__module__}.{cls.__qualname__}",
        hint="The node contract is the docstring of bpaz_lab/nodes/base.py.",
    )
