from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit


@pytest.fixture
def hook(tmp_path, monkeypatch):
    """The build hook, looking at an empty project whose front end is built."""
    path = Path(__file__).parents[2] / "hatch_build.py"
    spec = importlib.util.spec_from_file_location("hatch_build", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    for name, seconds in (("labextension/src/App.tsx", 100), *((name, 200) for name in module.OUTPUTS)):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        os.utime(file, (seconds, seconds))
    return module


def touch(path, seconds):
    path.touch()
    os.utime(path, (seconds, seconds))


def test_nothing_is_built_twice(hook):
    assert hook.is_built()


def test_a_newer_source_is_built(hook, tmp_path):
    touch(tmp_path / "labextension/src/App.tsx", 300)
    assert not hook.is_built()


def test_a_newer_lockfile_is_built(hook, tmp_path):
    touch(tmp_path / "package-lock.json", 300)
    assert not hook.is_built()


def test_a_missing_output_is_built(hook, tmp_path):
    (tmp_path / "bpaz_lab/static/widget.css").unlink()
    assert not hook.is_built()


def test_an_sdist_is_never_built_because_its_times_say_nothing(hook, tmp_path):
    touch(tmp_path / "labextension/src/App.tsx", 300)
    touch(tmp_path / "PKG-INFO", 300)
    assert hook.is_built()


@pytest.mark.parametrize(
    ("version", "usable"), [("v18.20.4", False), ("v20.18.0", False), ("v20.19.0", True)]
)
def test_an_old_node_is_not_used(hook, tmp_path, monkeypatch, version, usable):
    for name in ("node", "npm"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho {version}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bool(hook.own_npm()) is usable


def test_without_node_one_is_borrowed(hook, monkeypatch):
    monkeypatch.setenv("PATH", "")
    command, environment = hook.find_npm()
    assert Path(command[0]).name == "node"
    assert command[1].endswith("npm-cli.js")
    assert environment["PATH"].startswith(str(Path(command[0]).parent))
