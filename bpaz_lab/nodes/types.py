"""The annotations that node authors write: what travels over a wire, and what a setting looks like.

Wire types are plain annotations with a port tag, so that no node imports a provider package to declare
a port. An ordinary hint works as well: ``str`` is text, ``pandas.DataFrame`` a table (see ``hints.py``).

Example:
    >>> from typing import get_args
    >>> get_args(Documents)[1].tag
    'documents'
"""

from __future__ import annotations

import keyword
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError, core_schema

from bpaz_lab.errors import LiteralSecret
from bpaz_lab.guard.secret import is_reference

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Port:
    """What an annotation says of its port."""

    tag: str = ""
    many: bool = False
    help: str = ""
    source: Literal["wire", "run"] = "wire"


@dataclass(frozen=True, slots=True)
class Form:
    """What an annotation says of its form field, beyond what its type says."""

    kind: str = ""
    language: str = ""
    placeholder: str = ""
    advanced: bool = False
    step: float | None = None


Text = Annotated[str, Port("text")]
Message = Annotated[Any, Port("message")]
Messages = Annotated[list[Any], Port("messages")]
Documents = Annotated[list[Any], Port("documents")]
Table = Annotated[Any, Port("table")]
Data = Annotated[Any, Port("data")]
Image = Annotated[Any, Port("image")]
Model = Annotated[Any, Port("model")]
EmbeddingModel = Annotated[Any, Port("embeddings")]
VectorStore = Annotated[Any, Port("vectorstore")]
Retriever = Annotated[Any, Port("retriever")]
Tool = Annotated[Any, Port("tool")]
Memory = Annotated[Any, Port("memory")]
Many = Annotated[list[T], Port(many=True)]
"""An input that takes several edges: ``documents: Many[Documents]``."""


def setting_fault(message: str, hint: str = "") -> PydanticCustomError:
    """What a field's validator raises; ``Node.of`` makes a SettingError with the hint of it."""
    return PydanticCustomError("setting", "{message}", {"message": message, "hint": hint})


def _identifier(name: str) -> str:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise setting_fault(
            f"{name!r} is no name of Python", "Use letters, digits and '_', and begin with a letter."
        )
    return name


Identifier = Annotated[str, AfterValidator(_identifier)]
"""A setting that is a name of Python: of a port, of an input of the run, of an object of the kernel."""
Multiline = Annotated[str, Form(kind="multiline")]
Advanced: Final = Form(advanced=True)


class CredentialName(str):
    """The name of a credential; the secret itself never stands in a setting."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> core_schema.CoreSchema:
        """Accepts ``{"$cred": "<name>"}`` and nothing else."""
        return core_schema.no_info_plain_validator_function(
            cls._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda name: {"$cred": str(name)}),
            json_schema_input_schema=core_schema.dict_schema(),
        )

    @classmethod
    def _validate(cls, value: Any) -> CredentialName:
        if isinstance(value, cls):
            return value
        if not is_reference(value):
            raise PydanticCustomError(
                LiteralSecret.code, "a credential field holds the name of a credential, never a secret"
            )
        return cls(value["$cred"])


@dataclass(frozen=True, slots=True)
class CredentialKinds:
    """The provider types that a credential field accepts."""

    names: tuple[str, ...]


Credential = CredentialName
"""A setting that names a credential: ``api_key: Credential | None = credential("openai")``."""


def credential(*kinds: str, default: str | None = None, help: str = "") -> Any:
    """The field of a credential.

    Args:
        kinds: The provider types that fit, for instance ``"openai"``.
        default: The name that is used when none is set.
        help: What the form says.
    """
    return Field(
        default=CredentialName(default) if default else None,
        description=help or "The name of a stored credential, or of an environment variable's provider.",
        json_schema_extra={"credential_types": list(kinds)},
    )
