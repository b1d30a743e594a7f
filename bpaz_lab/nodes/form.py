"""From pydantic fields to the form that the canvas draws.

The form is derived, never written: the type gives the kind, ``Field`` the title, help and bounds.
"""

from __future__ import annotations

import types
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_jsonable_python

from bpaz_lab.graph.spec import FieldKind, FieldSpec
from bpaz_lab.nodes.types import CredentialName, Form


def title_of(name: str) -> str:
    """A readable title: ``chunk_size`` is "Chunk size"."""
    return name.replace("_", " ").strip().capitalize()


def field_spec(name: str, info: FieldInfo, *, port: bool = False) -> FieldSpec:
    """The form field of one pydantic field; ``port`` says that a wire may override it."""
    hint, form = _unwrapped(info.annotation), Form()
    for extra in info.metadata:
        form = extra if isinstance(extra, Form) else form
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    kind, choices = _kind(hint)
    low, high = _bounds(info)
    examples = info.examples or []
    default = _json_default(info)
    return FieldSpec(
        name=name,
        title=info.title or title_of(name),
        kind=form.kind or kind,
        help=info.description or "",
        default=default,
        required=info.is_required(),
        choices=choices,
        minimum=low,
        maximum=high,
        step=form.step,
        placeholder=form.placeholder or (str(examples[0]) if examples else ""),
        language=form.language,
        advanced=form.advanced,
        credential_types=tuple(str(kind) for kind in _listed(extra.get("credential_types"))),
        port=port,
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _unwrapped(hint: Any) -> Any:
    """The type without ``Annotated`` and without ``| None``."""
    if get_origin(hint) is Annotated:
        return _unwrapped(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType):
        parts = [part for part in get_args(hint) if part is not type(None)]
        return _unwrapped(parts[0]) if len(parts) == 1 else hint
    return hint


def _kind(hint: Any) -> tuple[FieldKind, tuple[Any, ...]]:
    if get_origin(hint) is Literal:
        return "choice", get_args(hint)
    origin = get_origin(hint) or hint
    if isinstance(origin, type):
        if issubclass(origin, Enum):
            return "choice", tuple(member.value for member in origin)
        kinds: tuple[tuple[type, FieldKind], ...] = (
            (CredentialName, "credential"),
            (bool, "boolean"),
            (int, "integer"),
            (float, "number"),
            (str, "text"),
            (list, "list"),
            (tuple, "list"),
            (dict, "object"),
        )
        for base, kind in kinds:
            if issubclass(origin, base):
                return kind, ()
    return "json", ()


def _bounds(info: FieldInfo) -> tuple[float | None, float | None]:
    low = high = None
    for bound in info.metadata:
        if isinstance(bound, annotated_types.Ge | annotated_types.Gt):
            low = getattr(bound, "ge", None) if isinstance(bound, annotated_types.Ge) else bound.gt
        elif isinstance(bound, annotated_types.Le | annotated_types.Lt):
            high = getattr(bound, "le", None) if isinstance(bound, annotated_types.Le) else bound.lt
    return low, high  # type: ignore[return-value]


def _json_default(info: FieldInfo) -> Any:
    value = info.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return None
    return to_jsonable_python({"$cred": str(value)} if isinstance(value, CredentialName) else value)
