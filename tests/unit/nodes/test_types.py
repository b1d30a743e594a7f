from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from bpaz_lab.nodes.types import CredentialName, Identifier, credential

pytestmark = pytest.mark.unit


class Settings(BaseModel):
    key: CredentialName | None = credential("openai")
    name: Identifier = "x"


def test_a_credential_travels_as_its_reference():
    settings = Settings.model_validate({"key": {"$cred": "openai"}})
    assert settings.key == "openai"
    assert settings.model_dump(mode="json")["key"] == {"$cred": "openai"}
    assert Settings.model_validate(settings.model_dump(mode="json")) == settings
    assert Settings(key=CredentialName("a")).key == "a"


@pytest.mark.parametrize("value", ["not-a-key", {"$cred": ""}, {"$cred": "a", "x": 1}, {"value": "k"}, 3])
def test_anything_else_is_refused(value):
    with pytest.raises(ValidationError, match="name of a credential"):
        Settings(key=value)


@pytest.mark.parametrize("name", ["x", "_x1", "größe"])
def test_a_name_of_python(name):
    assert Settings(name=name).name == name


@pytest.mark.parametrize("name", ["", "1x", "a b", "a.b", "lambda", "x\n"])
def test_what_is_no_name_of_python(name):
    with pytest.raises(ValidationError, match="no name of Python"):
        Settings(name=name)
