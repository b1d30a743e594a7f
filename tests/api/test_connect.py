"""``bz.connect()``: in process, over HTTP, and from a real kernel."""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import contextmanager

import pytest

import bpaz_lab as bz
from bpaz_lab.api.lab.lab import Lab
from bpaz_lab.api.transport.local import Local
from bpaz_lab.api.transport.remote import Bearer, Remote
from bpaz_lab.errors import (
    Conflict,
    DocumentError,
    Forbidden,
    InputError,
    Invalid,
    NodeFailed,
    NotFound,
    RequestError,
    RunCancelled,
    ServerUnavailable,
    SettingsError,
    Unauthenticated,
)
from bpaz_lab.settings import Settings
from tests.support.openai_server import OpenAIServer
from tests.support.server import TOKEN

pytestmark = [pytest.mark.api, pytest.mark.timeout(300)]

SECRET = "not-a-real-key-5b1d"


@pytest.fixture(scope="module", params=["in process", "over HTTP"])
def lab(request, tmp_path_factory):
    """The same laboratory by either transport; each has a store of its own."""
    if request.param == "in process":
        transport = Local(Settings(data_folder=str(tmp_path_factory.mktemp("kept"))))
    else:
        transport = Remote(request.getfixturevalue("server").url, Bearer(TOKEN))
    lab = Lab(transport)
    lab.me()
    yield lab
    transport.close()


def greeting(name="Greeting"):
    wf = bz.Workflow(name)
    wf.add("PromptTemplate", id="hello", template="Hello {name}!")
    return wf


def asking(name="Ask"):
    wf = bz.Workflow(name)
    _ = wf.add("ChatInput", name="q") >> wf.add("HumanApproval", id="ask") >> wf.add("ChatOutput")
    return wf


# ---- workflows -------------------------------------------------------------------------------------


def test_a_workflow_is_saved_loaded_and_saved_again(lab):
    wf = greeting("Saved")
    first = lab.workflows.save(wf, "the first draft", description="Greets somebody.")
    assert (first.version, wf.stored) == (1, first)
    wf["hello"].set(template="Hi {name}!")
    assert lab.workflows.save(wf, "shorter").version == 2
    found = lab.workflows.load("Saved")
    assert found == wf
    assert found.stored == wf.stored
    assert lab.workflows.load(first.id, version=1)["hello"].settings == {"template": "Hello {name}!"}
    versions = lab.workflows.versions(wf)
    assert [(each.version, each.message, each.saved_by) for each in versions] == [
        (2, "shorter", "owner"),
        (1, "the first draft", "owner"),
    ]
    assert "stored" not in wf.to_json()


def test_what_differs_between_versions(lab):
    wf = greeting("Differs")
    lab.workflows.save(wf)
    wf["hello"].set(template="Hi {name}!")
    assert str(lab.workflows.diff(wf)) == '~ hello: template "Hello {name}!" -> "Hi {name}!"'
    lab.workflows.save(wf)
    assert not lab.workflows.diff(wf)
    assert lab.workflows.diff(wf, 1, 2).changes == lab.workflows.diff("Differs").changes
    assert "Hi {name}!" in lab.workflows.diff(wf, 1)._repr_html_()


def test_an_older_version_comes_back_in_one_undo_step(lab):
    wf = greeting("Restored")
    lab.workflows.save(wf)
    wf["hello"].set(template="Hi {name}!")
    wf.add("ChatOutput", id="out")
    lab.workflows.save(wf)
    assert lab.workflows.restore(wf, 1) is wf
    assert (wf.stored.version, len(wf), wf["hello"].settings["template"]) == (3, 1, "Hello {name}!")
    assert wf.undo()
    assert (len(wf), wf["hello"].settings["template"]) == (2, "Hi {name}!")
    assert len(lab.workflows.restore("Restored", 2)) == 2


def test_two_who_save_the_same_version(lab):
    wf = greeting("Shared")
    lab.workflows.save(wf)
    theirs = lab.workflows.load("Shared")
    theirs.add("ChatOutput", id="out")
    lab.workflows.save(theirs, "an end")
    wf["hello"].set(template="Hi {name}!")
    with pytest.raises(Conflict, match=r"saved by owner at \d\d:\d\d as version 2") as caught:
        lab.workflows.save(wf)
    assert "+ out (ChatOutput)" in caught.value.message
    assert "lab.workflows.merge(wf)" in caught.value.hint
    assert caught.value.current["version"] == 2
    assert lab.workflows.load("Shared") == theirs
    assert lab.workflows.merge(wf) == []
    assert lab.workflows.save(wf).version == 3
    assert {"hello", "out"} == {node.id for node in lab.workflows.load("Shared")}


def test_what_both_changed_stays_and_is_told(lab):
    wf = greeting("Quarrel")
    lab.workflows.save(wf)
    theirs = lab.workflows.load("Quarrel")
    theirs["hello"].set(template="Good day {name}!")
    lab.workflows.save(theirs)
    wf["hello"].set(template="Hi {name}!")
    (clash,) = lab.workflows.merge(wf)
    assert clash.path == "nodes.hello.settings.template"
    assert wf["hello"].settings["template"] == "Hi {name}!"
    assert lab.workflows.save(wf).version == 3


def test_mine_over_theirs_when_one_says_so(lab):
    wf = greeting("Mine")
    lab.workflows.save(wf)
    theirs = lab.workflows.load("Mine")
    theirs["hello"].set(template="Good day {name}!")
    lab.workflows.save(theirs)
    assert lab.workflows.save(wf, overwrite=True).version == 3
    assert lab.workflows.load("Mine", version=2) == theirs


def test_wires_notes_and_groups_come_along_when_a_workflow_becomes_another(lab):
    wf = asking("Becomes")
    lab.workflows.save(wf)
    other = lab.workflows.load("Becomes")
    other.disconnect(other["ask"], other["chat_output"])
    other.note("look here", at=(1, 2))
    other.group("all", ["ask", "chat_input"])
    other.name = "Became"
    lab.workflows.save(other)
    lab.workflows.merge(wf)
    assert wf.to_dict() == other.to_dict()


def test_lists_page_filter_and_show_as_tables(lab):
    for number in range(5):
        lab.workflows.save(greeting(f"Many <b>{number}</b>"))
    assert [each.name for each in lab.workflows.list(2, contains="many", sort="name")] == [
        "Many <b>0</b>",
        "Many <b>1</b>",
    ]
    some = lab.workflows.list(3, contains="Many")
    assert (len(some), some.more) == (3, True)
    assert not lab.workflows.list(5, contains="Many").more
    assert "there are more" in repr(some)
    assert len(list(lab.workflows)) == len(lab.workflows.list(None)) >= 5
    html = some._repr_html_()
    assert "Many &lt;b&gt;" in html
    assert "Many <b>" not in html
    assert "var(--jp-" in html


def test_a_workflow_is_deleted(lab):
    wf = greeting("Gone")
    id = lab.workflows.save(wf).id
    lab.workflows.delete(wf)
    assert wf.stored is None
    with pytest.raises(NotFound, match="no such workflow"):
        lab.workflows.load(id)


def test_a_name_that_is_not_there_or_there_twice(lab):
    lab.workflows.save(greeting("Twice"))
    lab.workflows.save(greeting("Twice"))
    with pytest.raises(InputError, match="2 workflows are called 'Twice'"):
        lab.workflows.load("Twice")
    with pytest.raises(NotFound, match="no workflow called 'Twic'") as caught:
        lab.workflows.load("Twic")
    assert "Twice" in caught.value.hint


def test_a_workflow_of_another_laboratory_is_saved_as_a_new_one(lab, tmp_path):
    elsewhere = Lab(Local(Settings(data_folder=str(tmp_path))))
    wf = greeting("Traveller")
    elsewhere.workflows.save(wf)
    with pytest.raises(InputError, match="not kept in this laboratory"):
        lab.workflows.versions(wf)
    assert lab.workflows.save(wf).version == 1
    elsewhere.transport.close()


# ---- errors are the same by either transport -------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "more", "cls"),
    [
        ("GET", "workflows/00000000-0000-0000-0000-000000000000", {}, NotFound),
        ("GET", "nowhere", {}, NotFound),
        ("GET", "workflows/", {"query": {"limit": 0}}, Invalid),
        ("GET", "workflows/", {"query": {"sort": "flow_data"}}, RequestError),
        ("POST", "workflows/", {"body": {}}, Invalid),
        ("POST", "workflows/", {"body": {"flow_data": {"bpaz": 1, "name": 3}}}, DocumentError),
        ("POST", "workflows/execute", {"body": {"flow_data": {}, "inputs": {}}}, DocumentError),
        ("POST", "credentials/lease", {"body": {"name": "none-of-that-name"}}, (NotFound, Forbidden)),
        ("POST", "auth/signin", {"body": {"email": "a@b.example", "password": "x"}}, Forbidden),
    ],
)
def test_errors_have_their_class(lab, method, path, more, cls):
    with pytest.raises(cls) as caught:
        lab.transport.call(method, path, **more)
    assert caught.value.code in {each.code for each in (cls if isinstance(cls, tuple) else (cls,))} | {
        each.code for each in type(caught.value).__mro__ if hasattr(each, "code")
    }
    assert caught.value.message


def test_all_problems_of_a_document_are_told(lab):
    flow_data = {"bpaz": 1, "name": "x", "nodes": {"a": {"type": 3}, "b": 4}, "edges": []}
    with pytest.raises(DocumentError) as caught:
        lab.transport.call("POST", "workflows/execute", body={"flow_data": flow_data})
    assert len(caught.value.problems) > 1
    assert all(isinstance(each, DocumentError) and each.path for each in caught.value.problems)


# ---- runs ------------------------------------------------------------------------------------------


def test_a_run_is_done_by_the_laboratory_and_kept(lab):
    wf = greeting("Runs")
    lab.workflows.save(wf)
    execution = lab.run(wf, name="you")
    assert (execution.status, execution.output) == ("completed", "Hello you!")
    assert execution.outputs == {"hello.text": "Hello you!"}
    assert execution.record["workflow_id"] == wf.stored.id
    assert [event.type for event in execution.events] == [
        "run.started",
        "node.started",
        "node.finished",
        "run.finished",
    ]
    assert lab.executions.get(execution.id).output == "Hello you!"
    assert execution.id in [each.id for each in lab.executions.list(5, status="completed")]
    assert "Hello you!" in execution._repr_html_()
    assert "Runs" in lab.executions._repr_html_()
    assert lab.run("Runs", {"name": "all"}).output == "Hello all!"
    wf["hello"].set(template="Hi {name}!")
    changed = lab.run(wf, name="you")
    assert (changed.output, changed.record["workflow_id"]) == ("Hi you!", None)
    assert lab.run("Runs", version=1, name="you").output == "Hello you!"
    lab.executions.delete(execution.id)
    with pytest.raises(NotFound):
        lab.executions.get(execution.id)


def test_a_run_that_cannot_begin_says_why(lab):
    with pytest.raises(InputError, match="no input 'nam'"):
        lab.run(greeting(), nam="you")
    with pytest.raises(InputError, match="must be JSON"):
        lab.run(greeting(), name=object())


def test_a_run_that_fails_raises_what_failed(lab):
    wf = bz.Workflow("Fails")
    wf.add("TextDataLoader", id="load", path="nowhere/*.txt")
    with pytest.raises(NodeFailed, match="nowhere") as caught:
        lab.run(wf)
    execution = caught.value.run
    assert (execution.status, execution.events[-1].status) == ("failed", "failed")
    assert execution.error.path == "nowhere/*.txt"


def test_a_question_is_answered(lab):
    execution = lab.run(asking(), q="Send it?")
    assert (execution.status, list(execution.questions)) == ("paused", ["ask"])
    with pytest.raises(InputError):
        execution.resume(aprove=True)
    assert execution.resume(approve=True).wait().status == "completed"
    with pytest.raises(Conflict, match="waits for no answer"):
        execution.resume(approve=True)
    kinds = [event.type for event in execution.stream()]
    assert kinds[-1] == "run.finished"
    assert {"node.asked", "run.paused", "run.resumed"} <= set(kinds)
    assert [event.seq for event in execution.events] == list(range(len(kinds)))


def test_an_execution_is_cancelled(lab):
    execution = lab.start(asking(), q="Send it?").wait()
    assert execution.cancel().status == "cancelled"
    with pytest.raises(RunCancelled) as caught:
        execution.raise_for_status()
    assert caught.value.run is execution


def test_waiting_ends_in_time(lab):
    wf = bz.Workflow("Long")
    wf.connect(
        wf.add("ChatInput", id="ask", name="q")["text"], wf.add("Delay", id="wait", seconds=60)["value"]
    )
    execution = lab.start(wf, q="x")
    assert execution.wait(0.1).status in ("pending", "running")
    execution.cancel()
    assert execution.wait(10).status == "cancelled"


def test_what_was_said_is_kept_by_session(lab):
    wf = bz.Workflow("Talk")
    _ = (
        wf.add("ChatInput", name="q")
        >> wf.add("PromptTemplate", template="You said {q}")
        >> wf.add("ChatOutput")
    )
    lab.workflows.save(wf)
    for said in ("one", "two"):
        lab.run(wf, q=said, session="s1")
    assert [(each.role, each.content) for each in lab.chat.messages(wf, "s1")] == [
        ("user", "one"),
        ("assistant", "You said one"),
        ("user", "two"),
        ("assistant", "You said two"),
    ]
    assert [(each.session_id, each.messages) for each in lab.chat.sessions("Talk")] == [("s1", 4)]
    lab.chat.delete(wf, "s1")
    assert lab.chat.messages(wf, "s1") == []


def test_a_template_begins_a_workflow(lab):
    builtin = lab.templates.list()[0]
    wf = lab.templates.begin(builtin.id, "My own")
    assert (wf.name, wf.stored.version, len(wf) > 1) == ("My own", 1, True)
    kept = lab.templates.save(greeting("Pattern"), description="to begin with", category="Mine")
    assert lab.templates.begin("Pattern").name == "Pattern"
    assert kept.id in [each.id for each in lab.templates.list(category="Mine")]
    with pytest.raises(NotFound, match="no template 'Patern'") as caught:
        lab.templates.begin("Patern")
    assert "Pattern" in caught.value.hint


# ---- credentials -----------------------------------------------------------------------------------


@contextmanager
def provider():
    """A server that speaks OpenAI's interface, on a loop of its own."""
    loop, served = asyncio.new_event_loop(), OpenAIServer()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(served.__aenter__(), loop).result(10)
    try:
        yield served
    finally:
        asyncio.run_coroutine_threadsafe(served.__aexit__(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def chatting(url, name="work"):
    wf = bz.Workflow("Chatting")
    chat = wf.add("OpenAICompatibleChat", id="chat", base_url=url, model="m", api_key=bz.credential(name))
    _ = wf.add("ChatInput", name="question") >> chat["prompt"]
    return wf


def test_a_credential_is_kept_and_never_comes_back(lab, monkeypatch):
    asked = []
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or SECRET)
    kept = lab.credentials.set("asked-for", "openai")
    assert asked == ["API key of asked-for: "]
    kept = [kept, *lab.credentials, lab.credentials.set("asked-for", allowed_hosts=["api.openai.com"])]
    assert len(asked) == 2
    assert SECRET not in repr(kept) + lab.credentials._repr_html_() + repr(lab.credentials)
    assert [each.name for each in lab.credentials] == ["asked-for"]
    assert kept[-1].allowed_hosts == ["api.openai.com"]
    lab.credentials.delete("asked-for")
    with pytest.raises(NotFound, match="no credential 'asked-for'"):
        lab.credentials.delete("asked-for")


def test_what_a_credential_needs_is_told(lab, monkeypatch):
    with pytest.raises(InputError, match="no type of credential 'opnai'") as caught:
        lab.credentials.set("x", "opnai", secret=SECRET)
    assert "openai" in caught.value.hint
    with pytest.raises(InputError, match="needs base_url"):
        lab.credentials.set("x", "openai_compatible", secret=SECRET)
    with pytest.raises(InputError, match="has no 'url'"):
        lab.credentials.set("x", "openai_compatible", secret=SECRET, url="http://x/")
    monkeypatch.setattr("getpass.getpass", lambda _: "")
    with pytest.raises(InputError, match="nothing was typed"):
        lab.credentials.set("x", "openai")
    assert "openai" in [each.name for each in lab.credentials.types()]


def test_a_provider_is_asked_whether_it_takes_a_credential(lab):
    with provider() as served:
        lab.credentials.set("asks", "openai_compatible", secret=SECRET, base_url=served.url)
        served.fails = [401]
        refused = lab.credentials.validate("asks")
    assert refused.valid is False
    assert SECRET not in refused.message
    assert served.requests[0]["headers"]["authorization"] == f"Bearer {SECRET}"
    lab.credentials.delete("asks")


def test_a_run_of_the_laboratory_is_lent_a_credential(lab):
    with provider() as served:
        lab.credentials.set("work", "openai_compatible", secret=SECRET, base_url=served.url)
        execution = lab.run(chatting(served.url), question="What?")
        assert execution.output == "A kernel runs code."
        assert served.requests[-1]["headers"]["authorization"] == f"Bearer {SECRET}"
        assert SECRET not in str(execution.record) + str(execution.events) + repr(execution)
        with pytest.raises(NodeFailed, match="may not be sent"):
            lab.run(chatting("https://elsewhere.example/v1"), question="What?")
    lab.credentials.delete("work")


# ---- connecting ------------------------------------------------------------------------------------


def test_a_server_by_its_address(server):
    for url, token in ((server.url, TOKEN), (f"{server.url}lab?token={TOKEN}", None)):
        lab = bz.connect(url, token=token)
        assert lab.where == server.url
        assert repr(lab) == f"<Lab {server.url} as owner>"
        assert TOKEN not in repr(lab) + repr(lab.transport) + repr(vars(lab.transport))


def test_a_server_that_does_not_know_who_asks(server):
    with pytest.raises(Unauthenticated, match="Jupyter does not know"):
        bz.connect(server.url, token="wrong")
    with pytest.raises(Unauthenticated):
        bz.connect(server.url)


def test_what_is_no_laboratory(server, monkeypatch):
    monkeypatch.delenv("BPAZ_SERVER_URL")  # of the server in this process
    with pytest.raises(NotFound) as caught:
        bz.connect(server.url + "files/", token=TOKEN)
    assert "bpaz doctor" in caught.value.hint
    with pytest.raises(ServerUnavailable):
        bz.connect("http://127.0.0.1:9/")
    with pytest.raises(InputError, match="token is for a server"):
        bz.connect(token="x")


def test_without_a_server_it_is_the_store_itself(tmp_path, monkeypatch):
    monkeypatch.setenv("BPAZ_DATA_FOLDER", str(tmp_path / "kept"))
    monkeypatch.delenv("BPAZ_SERVER_URL", raising=False)
    lab = bz.connect()
    assert repr(lab) == f"<Lab {tmp_path / 'kept'} as owner>"
    assert bz.connect().transport is lab.transport
    lab.workflows.save(greeting())
    lab.transport.close()
    assert [each.name for each in bz.connect().workflows] == ["Greeting"]
    lab.transport.close()


def test_a_shared_installation_is_asked_through_its_server(tmp_path, monkeypatch):
    monkeypatch.setenv("BPAZ_DATA_FOLDER", str(tmp_path / "kept"))
    monkeypatch.setenv("BPAZ_PROFILE", "shared")
    with pytest.raises(SettingsError, match="is shared") as caught:
        bz.connect()
    assert "bz.connect(url, token=...)" in caught.value.hint
    assert not (tmp_path / "kept").exists()


# ---- from a real kernel ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cell(server):
    """Runs the code of a cell in a kernel that the server has started; gives what it printed."""
    manager = server.app.kernel_manager
    id = server.run(manager.start_kernel())
    client = manager.get_kernel(id).blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=60)

    def run(source):
        told = []

        def hear(message):
            if message["msg_type"] == "stream":
                told.append(message["content"]["text"])
            elif message["msg_type"] == "error":
                told.append("\n".join(message["content"]["traceback"]))

        reply = client.execute_interactive(source, output_hook=hear, timeout=120, allow_stdin=False)
        assert reply["content"]["status"] == "ok", "".join(told)
        return "".join(told).strip()

    run.id = id
    yield run
    client.stop_channels()
    server.run(manager.shutdown_kernel(id, now=True))


def test_a_cell_connects_without_a_token(server, cell):
    shown = cell("import bpaz_lab as bz\nlab = bz.connect()\nprint(lab, type(lab.transport).__name__)")
    assert shown == f"<Lab {server.url} as owner> Remote"
    cell(
        "wf = bz.Workflow('From a cell')\n"
        "_ = wf.add('PromptTemplate', id='hello', template='Hello {name}!')\n"
        "_ = lab.workflows.save(wf, 'by a cell')"
    )
    here = bz.connect(server.url, token=TOKEN)
    assert here.workflows.versions("From a cell")[0].message == "by a cell"
    assert cell("print(lab.workflows.load('From a cell') == wf, [w.name for w in lab.workflows])").startswith(
        "True"
    )
    assert cell("print(lab.run(wf, name='you').output)") == "Hello you!"


def test_a_run_in_a_cell_uses_a_credential_by_name(server, cell):
    here = bz.connect(server.url, token=TOKEN)
    with provider() as served:
        here.credentials.set("mine", "openai_compatible", secret=SECRET, base_url=served.url)
        cell(
            "import bpaz_lab as bz\n"
            "wf = bz.Workflow('Chat')\n"
            f"chat = wf.add('OpenAICompatibleChat', base_url={served.url!r}, model='m',\n"
            "              api_key=bz.credential('mine'))\n"
            "_ = wf.add('ChatInput', name='question') >> chat['prompt']"
        )
        assert cell("print(wf.run(question='What?').output)") == "A kernel runs code."
        assert served.requests[-1]["headers"]["authorization"] == f"Bearer {SECRET}"
        told = cell(
            "chat.set(base_url='https://elsewhere.example/v1')\n"
            "try:\n    wf.run(question='What?')\n"
            "except bz.RunError as error:\n    print(error)"
        )
        assert "may not be sent to elsewhere.example" in told
        assert SECRET not in told
    lease = here.transport.call("GET", "admin/audit", query={"action": "credential.lease"})["items"]
    assert {each["outcome"] for each in lease} == {"done", "refused"}


def test_a_kernel_signs_in_again_when_the_server_has_forgotten_it(server, cell):
    cell("import bpaz_lab as bz\nlab = bz.connect()")
    server.run(_forgotten(server.lab.capabilities, cell.id))
    assert cell("print(lab.me()['role'])") == "admin" or cell("print(lab.me()['full_name'])") == "owner"


async def _forgotten(capabilities, kernel_id):
    capabilities.revoke(kernel_id)


def test_a_process_that_is_no_kernel_does_not_pass_for_one(server, cell, tmp_path):
    script = "import bpaz_lab as bz; lab = bz.connect(); print(type(lab.transport).__name__, lab.where)"
    shown = cell(
        "import subprocess, sys, os\n"
        f"environ = {{**os.environ, 'BPAZ_DATA_FOLDER': {str(tmp_path / 'own')!r}}}\n"
        f"print(subprocess.run([sys.executable, '-c', {script!r}], env=environ, capture_output=True,"
        " text=True).stdout)"
    )
    assert shown == f"Local {tmp_path / 'own'}"


def test_the_kernel_sees_no_secret_of_the_server(cell):
    assert os.environ["BPAZ_SERVER_URL"] == cell("import os; print(os.environ['BPAZ_SERVER_URL'])")
    assert cell("print([n for n in os.environ if n.startswith('BPAZ_') and 'KEY' in n])") == "[]"


# ---- another server in this process: last, for the environment is then that server's ----------------


def test_one_signs_in_at_a_shared_server(shared, monkeypatch):
    lab = bz.connect(shared.url, token=TOKEN)
    assert "not signed in" in repr(lab)
    with pytest.raises(Unauthenticated):
        lab.workflows.list()
    password = "a long and quiet evening"
    lab.transport.call("POST", "auth/signup", body={"email": "ann@lab.example", "password": password})
    with pytest.raises(Unauthenticated):
        lab.sign_in("ann@lab.example", password="wrong")
    asked = []
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or password)
    assert repr(lab.sign_in("ann@lab.example")) == f"<Lab {shared.url} as ann@lab.example>"
    assert asked == ["Password of ann@lab.example: "]
    lab.workflows.save(greeting())
    lab.transport.login._access = "ended"  # as after half an hour
    assert [each.name for each in lab.workflows] == ["Greeting"]
    access = lab.transport.login._access
    assert bz.connect(f"{shared.url}?token={TOKEN}", token=access).me()["email"] == "ann@lab.example"
    assert password not in repr(vars(lab.transport.login))
    lab.sign_out()
    with pytest.raises(Unauthenticated):
        lab.workflows.list()
