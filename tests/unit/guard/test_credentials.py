from __future__ import annotations

import pytest

from bpaz_lab.errors import CredentialError
from bpaz_lab.guard.credentials import PROVIDERS, EnvironmentResolver, Resolver

pytestmark = pytest.mark.unit


def resolve(environ, name, host=None, kinds=()):
    resolver: Resolver = EnvironmentResolver(environ)
    return resolver.resolve(name, kinds=kinds, host=host).reveal()


@pytest.mark.parametrize(("name", "provider"), PROVIDERS.items())
def test_each_provider_has_its_usual_variable(name, provider):
    host = provider.hosts[0].replace("*", "eu")
    assert resolve({provider.variable: "usual"}, name, host) == "usual"
    own = f"BPAZ_CREDENTIAL_{name.upper()}"
    assert resolve({provider.variable: "usual", own: "own"}, name, host) == "own"


def test_any_name_has_its_own_variable():
    assert resolve({"BPAZ_CREDENTIAL_MY_MODELS": " value\n"}, "my-models", "models.example") == "value"


def test_the_process_environment_is_the_default(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "from the process")
    assert EnvironmentResolver().resolve("openai", kinds=[], host=None).reveal() == "from the process"


def test_a_missing_credential_says_every_way():
    with pytest.raises(CredentialError) as caught:
        resolve({"TAVILY_API_KEY": "hidden", "OPENAI_API_KEY": " "}, "openai", kinds=["openai"])
    for word in ("BPAZ_CREDENTIAL_OPENAI", "OPENAI_API_KEY", "os.environ", "tavily"):
        assert word in caught.value.hint
    assert "of kind openai" in caught.value.message
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "a b", "1a", "a=b", "../x", "ä", "a\n"])
def test_a_bad_name_is_refused(name):
    with pytest.raises(CredentialError, match="not the name of a credential"):
        resolve({}, name)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "api.openai.com.evil.example",
        "evil-api.openai.com",
        "127.0.0.1.evil.example",
        "10.0.0.1",
    ],
)
@pytest.mark.parametrize("variable", ["OPENAI_API_KEY", "BPAZ_CREDENTIAL_OPENAI"])
def test_a_provider_key_is_not_carried_to_another_host(variable, host):
    with pytest.raises(CredentialError, match="may not be sent to") as caught:
        resolve({variable: "hidden"}, "openai", host)
    assert "BPAZ_CREDENTIAL_OPENAI_HOSTS" in caught.value.hint
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    "host", ["api.openai.com", "API.OpenAI.com.", "localhost", "127.0.0.1", "[::1]", None]
)
def test_a_provider_key_goes_to_the_provider_and_to_this_machine(host):
    assert resolve({"OPENAI_API_KEY": "value"}, "openai", host) == "value"


def test_hosts_can_be_listed():
    environ = {"BPAZ_CREDENTIAL_WORK": "value", "BPAZ_CREDENTIAL_WORK_HOSTS": "llm.example, *.corp.example"}
    assert resolve(environ, "work", "llm.example") == "value"
    assert resolve(environ, "work", "a.corp.example") == "value"
    for host in ("corp.example", "evilcorp.example", "other.example"):
        with pytest.raises(CredentialError, match="may not be sent"):
            resolve(environ, "work", host)
