from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from bpaz_lab.nodes.form import field_spec, title_of
from bpaz_lab.nodes.types import Advanced, Credential, Form, Multiline, credential

pytestmark = pytest.mark.unit


class Size(Enum):
    small = "s"
    large = "l"


class Settings(BaseModel):
    text: str = "x"
    needed: str
    long: Multiline = ""
    whole: int = Field(3, ge=1, le=9, title="How many", description="So many.")
    open: int = Field(3, gt=0, lt=5)
    real: Annotated[float, Form(step=0.1)] = 0.5
    yes: bool = True
    pick: Literal["a", "b"] = "a"
    size: Size = Size.small
    maybe: int | None = None
    items: list[str] = ["a"]
    pair: tuple[int, int] = (1, 2)
    anything: Any = None
    either: str | int = ""
    mapping: dict[str, Any] = {}
    key: Credential = credential("openai", "azure", default="openai")
    rare: Annotated[int, Advanced] = 1
    example: str = Field("", examples=["like this"])
    made: list[int] = Field(default_factory=lambda: [1])


def spec(name):
    return field_spec(name, Settings.model_fields[name])


@pytest.mark.parametrize(
    ("name", "kind", "default"),
    [
        ("text", "text", "x"),
        ("needed", "text", None),
        ("long", "multiline", ""),
        ("whole", "integer", 3),
        ("real", "number", 0.5),
        ("yes", "boolean", True),
        ("pick", "choice", "a"),
        ("size", "choice", "s"),
        ("maybe", "integer", None),
        ("items", "list", ["a"]),
        ("pair", "list", [1, 2]),
        ("anything", "json", None),
        ("either", "json", ""),
        ("mapping", "object", {}),
        ("key", "credential", {"$cred": "openai"}),
        ("made", "list", [1]),
    ],
)
def test_the_type_gives_the_kind(name, kind, default):
    assert (spec(name).kind, spec(name).default) == (kind, default)


def test_what_the_field_says_reaches_the_form():
    whole = spec("whole")
    assert (whole.title, whole.help, whole.minimum, whole.maximum) == ("How many", "So many.", 1, 9)
    assert (spec("open").minimum, spec("open").maximum) == (0, 5)
    assert spec("real").step == 0.1
    assert spec("pick").choices == ("a", "b")
    assert spec("size").choices == ("s", "l")
    assert spec("key").credential_types == ("openai", "azure")
    assert spec("rare").advanced
    assert not spec("text").advanced
    assert spec("example").placeholder == "like this"
    assert [name for name in Settings.model_fields if spec(name).required] == ["needed"]


def test_a_readable_title():
    assert title_of("chunk_size") == "Chunk size"
    assert title_of("k") == "K"
