import sys
from itertools import count

import pytest

from bpaz_lab.api.hosted.work import Said, prepared
from bpaz_lab.errors import CredentialError, DocumentError, InputError, NotFound, RunChanged
from tests.support.ledgers import SqliteSteps

ID = "0b5b2f0e-6a4e-4f0c-9c43-5a3f7f8f2a11"


class Server:
    """A server that lends one credential, and keeps ledgers in a folder."""

    def __init__(self, folder):
        self.folder = folder

    def steps(self, execution_id, epoch):
        return SqliteSteps(self.folder / "ledger.sqlite3", execution_id.replace("-", ""))

    def call(self, method, path, *, body=None, **_):
        if body["name"] != "mine":
            raise NotFound("there is no such credential")
        return {"value": "a-secret-of-mine", "hosts": []}


def work(nodes, edges=(), *, trusted=True, **more):
    flow = {"bpaz": 1, "name": "Test", "nodes": nodes, "edges": [each.split() for each in edges]}
    told = {
        "execution_id": ID, "name": "Test", "flow_data": flow, "inputs": {}, "session_id": "",
        "timeout": 60, "workflow_id": None, "trusted": trusted, "history": [], "body_limit": 10**6,
        "epoch": 1, "lease": 20.0, "first": 0, "answers": {}, "options": {},
    }  # fmt: skip
    return {**told, **more}


def loader(path):
    return {"load": {"type": "TextDataLoader", "settings": {"path": str(path)}}}


@pytest.fixture
def made(tmp_path):
    """Makes runs; each has a ledger of its own, which is closed at the end."""
    journals, numbers = [], count()

    def make(told):
        folder = tmp_path / f"ledger-{next(numbers)}"
        folder.mkdir()
        run, journal = prepared(told, Server(folder))
        journals.append(journal)
        return run

    yield make
    for journal in journals:
        journal.close()


def test_ones_own_workflow_has_the_kernels_files_and_objects(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    run = made(work(loader("notes.txt"))).start().wait(60)
    assert run.status == "completed"
    assert run._services.namespace is vars(sys.modules["__main__"])
    assert run._services.egress.private


def test_somebody_elses_gets_no_files_no_objects_and_the_public_internet_only(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    for path in ("notes.txt", tmp_path / "notes.txt"):
        run = made(work(loader(path), trusted=False)).start().wait(60)
        assert run.status == "failed"
        assert "hello" not in str(run.events)
    assert run._services.namespace == {}
    assert not run._services.egress.private
    function = {"call": {"type": "PythonFunction", "settings": {"name": "print"}}}
    run = made(work(function, trusted=False, inputs={"value": "x"})).start().wait(60)
    assert "nothing is called 'print' here" in str(run.error)


def test_credentials_are_lent_else_those_of_the_environment(made, monkeypatch):
    monkeypatch.setenv("BPAZ_CREDENTIAL_OTHER", "of the environment")
    resolver = made(work({}))._services.resolver
    assert resolver.resolve("mine", kinds=(), host=None).reveal() == "a-secret-of-mine"
    assert resolver.resolve("other", kinds=(), host=None).reveal() == "of the environment"
    with pytest.raises(CredentialError, match="neither"):
        resolver.resolve("neither", kinds=(), host=None)


def test_what_was_said_before_is_told_where_there_is_a_conversation(made):
    said = [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}]
    assert made(work({}, history=said))._services.history is None
    told = made(work({}, history=said, session_id="s", workflow_id="w"))._services
    assert (told.session, told.history.messages(1), told.history.messages(9)) == ("s", said[1:], said)
    assert Said(said).messages(0) == []


def test_what_cannot_run_is_told_before_it_begins(made):
    with pytest.raises(DocumentError):
        made(work({"a": {"type": "lab:Nope"}}))
    with pytest.raises(InputError):
        made(work({"a": {"type": "TextInput"}}, inputs={"more": 1}))


def test_a_run_goes_on_with_what_it_was_given_and_computed(tmp_path):
    nodes = {name: {"type": "PromptTemplate", "settings": {"template": "{text}!"}} for name in ("one", "two")}
    told = work(nodes, ["one.text two.text"], inputs={"text": "hi"}, options={"targets": ["one"]})
    run, journal = prepared(told, Server(tmp_path))
    run.start().wait(60)
    journal.close()
    assert (run.id, run.outputs, run.events[0].seq) == (ID.replace("-", ""), {"one.text": "hi!"}, 0)
    again = {**told, "inputs": {"text": "shown otherwise"}, "first": 7, "options": {}, "epoch": 2}
    run, journal = prepared(again, Server(tmp_path))
    run.start().wait(60)
    assert (run.output, run.events[0].seq, run.events[0].type) == ("hi!!", 7, "run.resumed")
    journal.close()


def test_other_code_than_it_was_computed_with_is_refused(tmp_path):
    from bpaz_lab import node

    @node
    def shout(text: str) -> str:
        return text.upper()

    told = work({"call": {"type": shout.__name__}}, inputs={"text": "x"})
    run, journal = prepared(told, Server(tmp_path))
    run.start().wait(60)
    journal.close()
    with pytest.raises(RunChanged, match="shout"):
        prepared({**told, "options": {"code": {"shout": "other"}}}, Server(tmp_path))
