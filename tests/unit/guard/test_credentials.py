from __future__ import annotations

import pytest

from bpaz_lab.errors import CredentialError, Forbidden, NotFound, StoreUnavailable
from bpaz_lab.guard.credentials import PROVIDERS, Chain, EnvironmentResolver, Resolver, may_go_to
from bpaz_lab.guard.secret import Secret

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


def test_a_former_name_still_finds_its_provider():
    environ = {"WOLFRAM_ALPHA_APPID": "value"}
    assert resolve(environ, "wolfram", "api.wolframalpha.com") == "value"
    with pytest.raises(CredentialError, match="may not be sent"):
        resolve(environ, "wolfram", "evil.example")


class Kept:
    """Where credentials are kept: one of them."""

    def __init__(self, error=None, **kept):
        self.kept, self.error, self.asked = kept, error, []

    def resolve(self, name, *, kinds, host):
        self.asked.append((name, tuple(kinds), host))
        if self.error:
            raise self.error
        if name not in self.kept:
            raise NotFound("there is no such credential")
        return Secret(self.kept[name])


def chained(kept, environ, name, kinds=("openai",), host="api.openai.com"):
    return Chain(kept, EnvironmentResolver(environ)).resolve(name, kinds=kinds, host=host).reveal()


def test_what_is_kept_goes_before_the_environment():
    environ = {"OPENAI_API_KEY": "usual", "BPAZ_CREDENTIAL_OPENAI": "own"}
    kept = Kept(openai="kept")
    assert chained(kept, environ, "openai") == "kept"
    assert kept.asked == [("openai", ("openai",), "api.openai.com")]
    assert chained(Kept(), environ, "openai") == "own"
    assert chained(Kept(), {"OPENAI_API_KEY": "usual"}, "openai") == "usual"


@pytest.mark.parametrize("name", ["work", "My key", "x; DROP TABLE users"])
def test_the_usual_variable_serves_a_credential_of_any_name(name):
    environ = {"OPENAI_API_KEY": "usual"}
    assert chained(Kept(), environ, name) == "usual"
    with pytest.raises(CredentialError):
        chained(Kept(), environ, name, host="evil.example")
    with pytest.raises(CredentialError):
        chained(Kept(), environ, name, kinds=("anthropic",), host="api.anthropic.com")
    with pytest.raises(CredentialError):
        chained(Kept(), environ, name, kinds=())


def test_what_is_kept_and_refused_is_not_replaced_by_another_key():
    refused = Kept(Forbidden("the credential 'openai' may not be sent to evil.example", hint="Allow it."))
    with pytest.raises(CredentialError, match="may not be sent") as caught:
        chained(refused, {"OPENAI_API_KEY": "usual"}, "openai")
    assert caught.value.hint == "Allow it."


def test_a_server_that_is_away_is_not_replaced_by_another_key():
    with pytest.raises(StoreUnavailable):
        chained(Kept(StoreUnavailable("away")), {"OPENAI_API_KEY": "usual"}, "openai")


@pytest.mark.parametrize("name", ["openai", "work", "My key"])
def test_the_error_says_both_ways(name):
    with pytest.raises(CredentialError) as caught:
        chained(Kept(), {}, name)
    assert repr(name) in caught.value.message
    assert "credentials.set" in caught.value.hint
    assert "OPENAI_API_KEY" in caught.value.hint


@pytest.mark.parametrize(
    ("host", "pattern", "fits"),
    [
        ("a.example", "a.example", True),
        ("A.Example.", "a.example", True),
        ("x.a.example", "*.a.example", True),
        ("a.example", "*.a.example", False),
        ("evila.example", "*.a.example", False),
        ("a.example.evil", "a.example", False),
        ("a.example.evil", "*.example", False),
        ("anything", "*", True),
    ],
)
def test_a_host_fits_a_pattern(host, pattern, fits):
    assert may_go_to(host, [pattern]) is fits
    assert may_go_to(host, ["other.example", pattern]) is fits
    assert not may_go_to(host, [])
