from __future__ import annotations

import pytest

from bpaz_lab.errors import CredentialError, EgressRefused, FileRefused, RunCancelled
from bpaz_lab.guard.credentials import EnvironmentResolver
from bpaz_lab.guard.egress import EgressPolicy
from bpaz_lab.guard.paths import Jail
from bpaz_lab.nodes.context import Context, Services

pytestmark = pytest.mark.unit


def test_what_a_node_says_of_itself_carries_its_name():
    events = []
    context = Context("n", services=Services(emit=lambda *event: events.append(event)))
    context.emit("a")
    context.emit("b", "answer")
    context.progress(1, 2, "half")
    context.usage(3, 4, "small")
    assert events == [
        ("token", "n", {"port": "text", "text": "a"}),
        ("token", "n", {"port": "answer", "text": "b"}),
        ("node.progress", "n", {"done": 1, "total": 2, "message": "half"}),
        ("usage", "n", {"input_tokens": 3, "output_tokens": 4, "model": "small"}),
    ]


def test_a_stopped_run_is_seen():
    context = Context("n")
    context.check()
    assert not context.cancelled
    context.services.cancel.set()
    assert context.cancelled
    with pytest.raises(RunCancelled) as caught:
        context.check()
    assert caught.value.path == "nodes.n"


def test_a_secret_is_lent_and_masked_from_then_on():
    services = Services(resolver=EnvironmentResolver({"OPENAI_API_KEY": "not-a-real-key"}))
    context = Context("n", services=services)
    assert context.secret("openai", host="api.openai.com").reveal() == "not-a-real-key"
    assert services.masker.text("key=not-a-real-key") == "key=•••"
    with pytest.raises(CredentialError, match="no credential is set"):
        context.secret(None)


async def test_only_what_the_run_may_reach_is_reached():
    context = Context(services=Services(egress=EgressPolicy()))
    async with context.http() as web:
        with pytest.raises(EgressRefused):
            await web.get("http://127.0.0.1:9/")


def test_only_files_of_the_run_are_opened(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("hello")
    context = Context(services=Services(jail=Jail([tmp_path / "in"])))
    assert [str(path) for path in context.glob("*.txt")] == ["a.txt"]
    with context.open("a.txt") as file:
        assert file.read() == "hello"
    with pytest.raises(FileRefused):
        context.open("../b.txt")


def test_the_session_is_known():
    assert Context(services=Services(session="s1")).session == "s1"
