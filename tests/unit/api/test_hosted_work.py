import sys

import pytest

from bpaz_lab.api.hosted_work import Said, prepared
from bpaz_lab.errors import CredentialError, DocumentError, InputError, NotFound


class Server:
    """A server that lends one credential."""

    def call(self, method, path, *, body=None, **_):
        if body["name"] != "mine":
            raise NotFound("there is no such credential")
        return {"value": "a-secret-of-mine", "hosts": []}


def work(nodes, edges=(), *, trusted=True, **more):
    flow = {"bpaz": 1, "name": "Test", "nodes": nodes, "edges": [each.split() for each in edges]}
    told = {
        "execution_id": "e1", "name": "Test", "flow_data": flow, "inputs": {}, "session_id": "",
        "timeout": 60, "workflow_id": None, "trusted": trusted, "history": [], "body_limit": 10**6,
    }  # fmt: skip
    return {**told, **more}


def loader(path):
    return {"load": {"type": "TextDataLoader", "settings": {"path": str(path)}}}


def test_ones_own_workflow_has_the_kernels_files_and_objects(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    run = prepared(work(loader("notes.txt")), Server()).start().wait(60)
    assert run.status == "completed"
    assert run._services.namespace is vars(sys.modules["__main__"])
    assert run._services.egress.private


def test_somebody_elses_gets_no_files_no_objects_and_the_public_internet_only(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    for path in ("notes.txt", tmp_path / "notes.txt"):
        run = prepared(work(loader(path), trusted=False), Server()).start().wait(60)
        assert run.status == "failed"
        assert "hello" not in str(run.events)
    assert run._services.namespace == {}
    assert not run._services.egress.private
    function = {"call": {"type": "PythonFunction", "settings": {"name": "print"}}}
    run = prepared(work(function, trusted=False, inputs={"value": "x"}), Server()).start().wait(60)
    assert "nothing is called 'print' here" in str(run.error)


def test_credentials_are_lent_else_those_of_the_environment(monkeypatch):
    monkeypatch.setenv("BPAZ_CREDENTIAL_OTHER", "of the environment")
    resolver = prepared(work({}), Server())._services.resolver
    assert resolver.resolve("mine", kinds=(), host=None).reveal() == "a-secret-of-mine"
    assert resolver.resolve("other", kinds=(), host=None).reveal() == "of the environment"
    with pytest.raises(CredentialError, match="neither"):
        resolver.resolve("neither", kinds=(), host=None)


def test_what_was_said_before_is_told_where_there_is_a_conversation():
    said = [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}]
    assert prepared(work({}, history=said), Server())._services.history is None
    told = prepared(work({}, history=said, session_id="s", workflow_id="w"), Server())._services
    assert (told.session, told.history.messages(1), told.history.messages(9)) == ("s", said[1:], said)
    assert Said(said).messages(0) == []


def test_what_cannot_run_is_told_before_it_begins():
    with pytest.raises(DocumentError):
        prepared(work({"a": {"type": "lab:Nope"}}), Server())
    with pytest.raises(InputError):
        prepared(work({"a": {"type": "TextInput"}}, inputs={"more": 1}), Server())
