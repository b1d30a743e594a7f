from __future__ import annotations

import os
import subprocess
import sys

import pytest

import bpaz_lab as bz
from bpaz_lab.api.hosted.credentials import Lent, resolver
from bpaz_lab.api.lab.lab import Lab
from bpaz_lab.api.transport.local import local
from bpaz_lab.api.transport.remote import Bearer, Remote
from bpaz_lab.errors import CredentialError, Forbidden, NotFound, RunError
from bpaz_lab.nodes.context import Context  # noqa: TC001 (a node is made of its hints)

pytestmark = pytest.mark.unit

SECRET = "not-a-real-key-77d0"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The data folder of this person; nothing is in it yet."""
    for name in [name for name in os.environ if name.startswith("BPAZ_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("BPAZ_DATA_FOLDER", str(tmp_path / "kept"))
    return tmp_path / "kept"


@pytest.fixture
def lab(folder):
    lab = Lab(local())
    yield lab
    lab.transport.close()


def ask(name="work", kinds=("openai",), host="models.example"):
    return resolver().resolve(name, kinds=kinds, host=host)


@bz.node
def whose(context: Context) -> str:
    """Uses a credential."""
    return f"used {context.secret('work', kinds=('generic',), host='models.example').reveal()}"


def test_what_is_kept_goes_before_the_environment(lab, monkeypatch):
    monkeypatch.setenv("BPAZ_CREDENTIAL_WORK", "of the environment")
    assert ask(kinds=()).reveal() == "of the environment"
    lab.credentials.set("work", "generic", secret=SECRET, allowed_hosts=["models.example"])
    assert ask(kinds=()).reveal() == SECRET


def test_a_run_gets_it_by_name_and_shows_it_nowhere(lab):
    lab.credentials.set("work", "generic", secret=SECRET, allowed_hosts=["models.example"])
    wf = bz.Workflow("Uses")
    wf.add(whose, id="uses")
    run = wf.run()
    assert run["uses"]["result"] == f"used {SECRET}"
    assert SECRET not in str(run.events)
    lab.credentials.set("work", "generic", secret=SECRET, allowed_hosts=["elsewhere.example"])
    with pytest.raises(RunError, match=r"may not be sent to models\.example"):
        wf.run(cache=False)


def test_what_is_kept_and_refused_is_an_error_whatever_the_environment_has(lab, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "of the environment")
    lab.credentials.set("work", "openai", secret=SECRET)
    with pytest.raises(CredentialError, match="may not be sent"):
        ask(host="models.example")
    with pytest.raises(CredentialError, match="is of the type openai"):
        ask(kinds=("anthropic",), host="api.openai.com")


def test_a_secret_is_lent_once_to_a_run(lab):
    lab.credentials.set("work", "generic", secret=SECRET, allowed_hosts=["models.example"])
    lent = Lent(transport=lab.transport)
    first = lent.resolve("work", kinds=[], host="models.example")
    lab.credentials.delete("work")
    assert lent.resolve("work", kinds=[], host="models.example") is first
    with pytest.raises(NotFound):
        lent.resolve("work", kinds=[], host="other.example")
    with pytest.raises(NotFound):
        Lent(transport=lab.transport).resolve("work", kinds=[], host="models.example")


def test_it_is_lent_to_an_execution_that_runs(lab):
    lab.credentials.set("work", "generic", secret=SECRET, allowed_hosts=["models.example"])
    wf = bz.Workflow("Over")
    wf.add("PromptTemplate", template="Hello {name}!")
    ended = lab.run(wf, name="you").id
    with pytest.raises(Forbidden, match="has ended"):
        Lent(ended, lab.transport).resolve("work", kinds=[], host="models.example")


def test_a_secret_that_cannot_be_unlocked_says_so(lab, folder):
    lab.credentials.set("work", "generic", secret=SECRET, allowed_hosts=["models.example"])
    lab.transport.close()
    (folder / "keys.json").rename(folder / "gone")
    with pytest.raises(CredentialError, match="cannot be found"):
        ask(kinds=())


def test_with_neither_the_error_says_both_ways(folder):
    with pytest.raises(CredentialError) as caught:
        ask("openai", host="api.openai.com")
    assert "bz.connect().credentials.set" in caught.value.hint
    assert "OPENAI_API_KEY" in caught.value.hint
    assert not folder.exists()


def test_a_laboratory_that_is_away_is_a_warning_and_the_environment_serves(folder, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "of the environment")
    away = Lent(transport=Remote("http://127.0.0.1:9/", Bearer()))
    with pytest.warns(RuntimeWarning, match="cannot be reached"), pytest.raises(NotFound):
        away.resolve("openai", kinds=["openai"], host="api.openai.com")
    monkeypatch.setenv("BPAZ_RUNS_PER_USER", "many")
    with pytest.warns(RuntimeWarning, match="BPAZ_RUNS_PER_USER"):
        assert ask("openai", host="api.openai.com").reveal() == "of the environment"


def test_a_shared_installation_is_not_opened_by_a_script(folder, monkeypatch, recwarn):
    monkeypatch.setenv("BPAZ_PROFILE", "shared")
    folder.mkdir()
    (folder / "bpaz_lab.sqlite3").touch()
    with pytest.raises(CredentialError):
        ask(kinds=())
    assert (folder / "bpaz_lab.sqlite3").stat().st_size == 0
    assert not recwarn.list  # it was not even tried


def test_a_run_without_credentials_touches_nothing(folder):
    script = (
        "import sys, bpaz_lab as bz\n"
        "wf = bz.Workflow()\n"
        "wf.add('PromptTemplate', template='Hello {name}!')\n"
        "print(wf.run(name='you').output)\n"
        "print([name for name in ('httpx', 'sqlalchemy', 'bpaz_lab.services', 'bpaz_lab.store',"
        " 'bpaz_lab.api.lab.lab') if name in sys.modules])"
    )
    environ = {**os.environ, "BPAZ_SERVER_URL": "http://127.0.0.1:9/"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == ["Hello you!", "[]"], done.stderr
    assert not folder.exists()
