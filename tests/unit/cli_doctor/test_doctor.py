from __future__ import annotations

import asyncio
import json
import os
import re
import time
from pathlib import Path

import pytest

from bpaz_lab.__main__ import main
from bpaz_lab.cli_doctor import drawn, installed
from bpaz_lab.cli_doctor.check import Check
from bpaz_lab.cli_doctor.installed import _canvas, _kernels, _model, _packages
from bpaz_lab.cli_doctor.kept import looks as kept
from bpaz_lab.cli_doctor.reached import _environment, _profile, _servers
from bpaz_lab.settings import Settings
from bpaz_lab.store.database import Database
from bpaz_lab.store.tables import DataKey
from bpaz_lab.vault.keys import KeyRing

pytestmark = pytest.mark.unit

CANARY = "canary-8c1f"


def by_name(found):
    told = {}
    for each in found:
        told.setdefault(each.name, each)
    return told


def opened(settings, *rows):
    """A database that is there, with these rows."""

    async def work():
        database = Database.of(settings)
        async with database.session() as session:
            session.add_all(rows)
        await database.close()

    asyncio.run(work())


@pytest.fixture
def settings(tmp_path):
    return Settings(data_folder=str(tmp_path / "kept"))


@pytest.fixture
def jupyter(tmp_path, monkeypatch):
    """Jupyter's own configuration: whether its server loads the extension."""

    def set_(enabled):
        told = {"ServerApp": {"jpserver_extensions": {"bpaz_lab": enabled}}}
        (tmp_path / "jupyter_server_config.json").write_text(json.dumps(told))

    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")  # else an environment's own goes before a person's
    return set_


# ---- the command -----------------------------------------------------------------------------------


def test_the_command_tells_everything_but_secrets(jupyter, monkeypatch, tmp_path, capsys):
    jupyter(False)
    tmp_path.chmod(0o755)
    monkeypatch.setenv("BPAZ_DATA_FOLDER", str(tmp_path))
    monkeypatch.setenv("BPAZ_TOKEN_KEYS", CANARY)
    assert main(["doctor", "--json"]) == 1
    told = capsys.readouterr().out
    assert CANARY not in told
    found = {each["name"]: each for each in json.loads(told)}
    assert found["data folder"]["state"] == "fault"
    assert found["data folder"]["hint"] == f"chmod -R go-rwx {tmp_path}"
    assert found["environment"]["state"] == "warning"
    assert found["server extension"]["said"] == "the Jupyter server does not load bpaz_lab"
    assert {"Python", "packages", "labextension", "kernels", "ports"} <= found.keys()


def test_the_command_is_for_people_too(jupyter, monkeypatch, capsys):
    jupyter(True)
    monkeypatch.setenv("BPAZ_RUNS_PER_USER", "many")
    assert main(["doctor"]) == 1
    told = capsys.readouterr().out
    assert re.search(r"^✓ Python +3\.", told, re.MULTILINE)
    assert re.search(r"^✓ server extension +enabled$", told, re.MULTILINE)
    assert re.search(r"^✗ settings +BPAZ_RUNS_PER_USER", told, re.MULTILINE)
    assert re.search(r"^\d+ faults?(, \d+ warnings?)?$", told, re.MULTILINE)


def test_it_is_drawn_in_colours_for_a_terminal():
    found = [Check("a", "warning", "so so"), Check("b", "fault", "broken", "mend it")]
    assert drawn(found) == "! a  so so\n✗ b  broken\n     → mend it\n\n1 fault, 1 warning"
    assert "\x1b[31m✗\x1b[0m b" in drawn(found, colors=True)
    assert drawn([Check("a", "ok", "fine")]).endswith("all is well")


# ---- what is installed -----------------------------------------------------------------------------


def test_the_packages_of_this_installation_are_there():
    found = by_name(_packages())
    assert found["packages"].state == "ok", found
    assert "pydantic" in found["packages"].said


def test_a_package_that_is_missing_or_too_old_is_named(monkeypatch):
    wanted = ["pydantic>=999", "not-a-package-of-anybody>=1", "pandas>=999; extra == 'data'"]
    monkeypatch.setattr(installed.metadata, "requires", lambda _: wanted)
    found = by_name(_packages())["packages"]
    assert found.state == "fault"
    assert "pydantic" in found.said
    assert "not-a-package-of-anybody is missing" in found.said
    assert "pandas" not in found.said


def test_the_canvas_and_the_labextension_of_this_installation():
    found = by_name(_canvas())
    assert "canvas" not in found
    assert found["labextension"].state == "ok", found


def test_a_labextension_of_another_version(monkeypatch, tmp_path):
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    folder = tmp_path / "labextensions" / "bpaz-lab"
    folder.mkdir(parents=True)
    (folder / "package.json").write_text('{"version": "0.0.0"}')
    found = by_name(_canvas())["labextension"]
    assert found.state == "fault"
    assert "0.0.0" in found.said


def test_a_kernel_without_the_package_is_named(monkeypatch, tmp_path):
    assert _kernels().state == "ok"
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    folder = tmp_path / "kernels" / "elsewhere"
    folder.mkdir(parents=True)
    spec = {"argv": ["/bin/false", "-m", "x"], "display_name": "Elsewhere", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))
    found = _kernels()
    assert found.state == "warning"
    assert "elsewhere" in found.said


def test_the_local_model(monkeypatch):
    assert _model().state == "ok"
    monkeypatch.setenv("BPAZ_LOCAL_MODEL", "/nowhere/model.gguf")
    found = _model()
    assert found.state == "warning"
    assert found.hint


# ---- what is kept ----------------------------------------------------------------------------------


def test_before_the_first_use_nothing_is_made(settings):
    found = by_name(kept(settings))
    assert {each.state for each in found.values()} == {"ok"}
    assert not Path(settings.data_folder).exists()


def test_an_installation_in_order(settings):
    opened(settings)
    before = sorted(each.name for each in Path(settings.data_folder).iterdir())
    found = by_name(kept(settings))
    assert {name: each.state for name, each in found.items()} == dict.fromkeys(
        ("data folder", "clock", "database", "keys"), "ok"
    )
    assert "keys.json" not in before
    assert sorted(each.name for each in Path(settings.data_folder).iterdir()) == before


@pytest.mark.parametrize("name", ["", "bpaz_lab.sqlite3", "keys.json"])
def test_what_others_can_read_is_a_fault(settings, name):
    opened(settings)
    KeyRing.read(settings, locked=False)
    path = Path(settings.data_folder) / name
    path.chmod(0o755 if not name else 0o644)
    found = by_name(kept(settings))["data folder"]
    assert found.state == "fault"
    assert str(path) in found.said


def test_a_file_of_the_future_means_that_the_clock_is_wrong(settings):
    opened(settings)
    late = time.time() + 3600
    os.utime(Path(settings.data_folder) / "bpaz_lab.sqlite3", (late, late))
    assert by_name(kept(settings))["clock"].state == "warning"


def test_a_database_that_cannot_be_reached(tmp_path):
    url = f"postgresql://ann:{CANARY}@127.0.0.1:9/lab"
    found = by_name(kept(Settings(data_folder=str(tmp_path), database_url=url, database_pool_timeout=1)))
    assert found["database"].state == "fault"
    assert CANARY not in str(found)


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_a_postgres_without_tables_is_a_fault(postgres, dialect, tmp_path):
    name = postgres.create(None)
    try:
        settings = Settings(data_folder=str(tmp_path), database_url=postgres.url(name))
        found = by_name(kept(settings))["database"]
    finally:
        postgres.drop(name)
    assert (found.state, found.hint) == ("fault", "bpaz db upgrade")


def test_a_database_in_order_on_both(database_settings):
    assert by_name(kept(database_settings))["database"].state == "ok"


def test_keys_that_do_not_open_what_is_locked(settings):
    opened(settings, DataKey(ring_key_id="0123456789abcdef", wrapped="x"))
    found = by_name(kept(settings))["keys"]
    assert found.state == "fault"
    assert "0123456789abcdef" in found.said
    ring = KeyRing.read(settings, locked=False)
    found = by_name(kept(settings))["keys"]
    assert found.state == "fault"
    opened(settings, DataKey(ring_key_id=ring.first.id, wrapped="y"))
    assert "1 data keys" in by_name(kept(settings))["keys"].said


def test_a_key_of_before_is_a_warning(settings):
    import base64

    old = KeyRing.read(settings, locked=False).first
    opened(settings, DataKey(ring_key_id=old.id, wrapped="x"))
    assert by_name(kept(settings))["vault"].state == "ok"
    file = Path(settings.data_folder) / "keys.json"
    told = json.loads(file.read_text())
    (name,) = [name for name in told if "encryption" in name]
    told[name] = [base64.b64encode(os.urandom(32)).decode(), *told[name]]
    file.write_text(json.dumps(told))
    found = by_name(kept(settings))["vault"]
    assert (found.state, found.hint) == ("warning", "bpaz vault rotate")


# ---- who comes in, what could leak -----------------------------------------------------------------


def test_what_one_should_know_of_a_shared_server():
    found = by_name(_profile(Settings(profile="shared", allowed_origins=["*"])))
    assert {name: each.state for name, each in found.items()} == dict.fromkeys(
        ("profile", "sign-up", "origins"), "warning"
    )
    settled = Settings(profile="shared", accept_shared_risk=True, sign_up=False)
    assert {each.state for each in _profile(settled)} == {"ok"}
    assert {each.state for each in _profile(Settings())} == {"ok"}


def test_secrets_of_the_environment_are_named_and_not_shown(tmp_path):
    file = tmp_path / "pepper"
    file.write_text(CANARY)
    file.chmod(0o644)
    found = list(
        _environment(
            {
                "BPAZ_DATABASE_URL": f"postgresql://ann:{CANARY}@db/lab",
                "BPAZ_PASSWORD_PEPPER_FILE": str(file),
                "OPENAI_API_KEY": CANARY,
                "BPAZ_CREDENTIAL_WORK": CANARY,
                "BPAZ_CREDENTIAL_WORK_HOSTS": "x",
            }
        )
    )
    assert [each.state for each in found] == ["warning", "fault", "warning"]
    assert "BPAZ_DATABASE_URL" in found[0].said
    assert found[2].said.startswith("BPAZ_CREDENTIAL_WORK, OPENAI_API_KEY:")
    assert CANARY not in drawn(found)
    assert [each.state for each in _environment({})] == ["ok"]


def test_servers_that_run_are_asked(server, monkeypatch, tmp_path):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    token = {"token": CANARY}
    there = {**token, "url": server.url, "pid": os.getpid()}
    (tmp_path / "jpserver-1.json").write_text(json.dumps(there))
    (tmp_path / "jpserver-2.json").write_text(json.dumps({**there, "url": "http://127.0.0.1:9/"}))
    (tmp_path / "jpserver-3.json").write_text(json.dumps({**there, "pid": 2**22 + 1}))
    (tmp_path / "jpserver-4.json").write_text("no json")
    found = list(_servers())
    assert [each.state for each in found] == ["ok", "warning"]
    assert "healthy" in found[0].said
    assert CANARY not in drawn(found)
