"""`bpaz diff` and `bpaz merge` on real files, and as drivers of a real git."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bpaz_lab import Workflow
from bpaz_lab.__main__ import main

pytestmark = pytest.mark.unit
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")


@pytest.fixture
def bpaz(capsys):
    def call(*arguments):
        try:
            code = main([str(each) for each in arguments])
        except SystemExit as left:  # argparse
            code = left.code
        told = capsys.readouterr()
        return SimpleNamespace(returncode=code, stdout=told.out, stderr=told.err)

    return call


def notes(path, *, size=200, lap=20, name="Notes", **more):
    wf = Workflow(name)
    load = wf.add("TextDataLoader", id="load", path="*.md")
    split = wf.add("RecursiveTextSplitter", id="split", chunk_size=size, chunk_overlap=lap)
    load >> split
    for id, kind in more.items():
        wf.add(kind, id=id)
    return wf.save(path)


def test_diff_tells_what_differs(bpaz, tmp_path):
    one, other = notes(tmp_path / "a.bpaz"), notes(tmp_path / "b.bpaz", size=400, chat="LocalChat")
    told = bpaz("diff", one, other)
    assert told.returncode == 1
    assert told.stdout.splitlines() == ["~ split: chunk_size 200 -> 400", "+ chat (LocalChat)"]
    same = bpaz("diff", one, one)
    assert (same.returncode, same.stdout) == (0, "")


def test_diff_as_json(bpaz, tmp_path):
    one, other = notes(tmp_path / "a.bpaz"), notes(tmp_path / "b.bpaz", size=400)
    told = json.loads(bpaz("diff", one, other, "--json").stdout)
    assert told["moved"] == []
    assert [(each["path"], each["old"], each["new"]) for each in told["changes"]] == [
        ("nodes.split.settings.chunk_size", 200, 400)
    ]


def test_diff_shows_colours_in_a_pager_that_can(bpaz, tmp_path, monkeypatch):
    one, other = notes(tmp_path / "a.bpaz"), notes(tmp_path / "b.bpaz", size=400)
    monkeypatch.setenv("GIT_PAGER_IN_USE", "true")
    assert "\x1b[33m" in bpaz("diff", one, other).stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in bpaz("diff", one, other).stdout


def test_diff_of_files_that_are_none(bpaz, tmp_path):
    one, broken = notes(tmp_path / "a.bpaz"), tmp_path / "broken.bpaz"
    assert "cannot be read" in bpaz("diff", one, broken).stderr
    broken.write_text("{")
    told = bpaz("diff", one, broken)
    assert told.returncode == 1
    assert "broken.bpaz is no workflow" in told.stderr
    assert bpaz("diff", one).returncode == 2


def test_merge_takes_both(bpaz, tmp_path):
    base, ours = notes(tmp_path / "base.bpaz"), notes(tmp_path / "ours.bpaz", size=400)
    theirs = notes(tmp_path / "theirs.bpaz", lap=0, name="My notes")
    told = bpaz("merge", base, ours, theirs)
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
    merged = Workflow.load(ours)
    assert merged.name == "My notes"
    assert merged.to_dict()["nodes"]["split"]["settings"] == {"chunk_size": 400, "chunk_overlap": 0}


def test_merge_lists_conflicts_and_the_file_can_be_loaded(bpaz, tmp_path):
    base, ours = notes(tmp_path / "base.bpaz"), notes(tmp_path / "ours.bpaz", size=400)
    theirs = notes(tmp_path / "theirs.bpaz", size=100)
    told = bpaz("merge", base, ours, theirs, "--name", "notes.bpaz")
    assert told.returncode == 1
    assert "notes.bpaz: nodes.split.settings.chunk_size: split: chunk_size was 200" in told.stderr
    assert "1 conflict;" in told.stderr
    assert Workflow.load(ours)["split"].settings["chunk_size"] == 400


def test_merge_elsewhere(bpaz, tmp_path):
    base, ours = notes(tmp_path / "base.bpaz"), notes(tmp_path / "ours.bpaz", size=400)
    theirs = notes(tmp_path / "theirs.bpaz", lap=0)
    before = ours.read_text()
    printed = bpaz("merge", base, ours, theirs, "-o", "-").stdout
    bpaz("merge", base, ours, theirs, "-o", tmp_path / "out.bpaz")
    assert (tmp_path / "out.bpaz").read_text() == printed
    assert ours.read_text() == before
    told = bpaz("merge", base, ours, theirs, "-o", tmp_path / "nowhere" / "out.bpaz")
    assert told.returncode == 1
    assert "cannot be written" in told.stderr


def test_merge_knows_which_ports_take_several_wires(bpaz, tmp_path):
    def save(name, *sources):
        wf = Workflow("Branches")
        for id in ("a", "b"):
            wf.add("TextInput", id=id, text=id)
        merge = wf.add("Merge", id="merge", mode="all")
        for source in sources:
            wf.connect(wf[source]["text"], merge["values"])
        return wf.save(tmp_path / name)

    base, ours, theirs = save("base.bpaz"), save("ours.bpaz", "a"), save("theirs.bpaz", "b")
    assert bpaz("merge", base, ours, theirs).returncode == 0
    assert Workflow.load(ours).run().output == ["a", "b"]


# ---- as drivers of git ----------------------------------------------------------------------------


@pytest.fixture
def git(tmp_path):
    """A real repository with the drivers of docs/sharing.md."""
    home = tmp_path / "home"
    home.mkdir()
    repository = tmp_path / "repository"
    repository.mkdir()
    names = {
        f"GIT_{who}_{what}": f"{who}@example.org"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    environment = {**os.environ, **names, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "NO_COLOR": "1"}

    def call(*arguments, code=0):
        done = subprocess.run(
            ["git", *arguments],
            cwd=repository,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    call("init", "-q", "-b", "main")
    command = f'"{sys.executable}" -m bpaz_lab'
    call("config", "diff.bpaz.command", f"{command} diff")
    call("config", "merge.bpaz.name", "workflows by meaning")
    call("config", "merge.bpaz.driver", f"{command} merge %O %A %B --name %P")
    (repository / ".gitattributes").write_text("*.bpaz diff=bpaz merge=bpaz\n")
    call.folder = Path(repository)
    return call


@needs_git
def test_git_shows_and_merges_by_meaning(git):
    file = git.folder / "notes.bpaz"
    notes(file)
    git("add", ".")
    git("commit", "-qm", "begin")
    git("checkout", "-qb", "other")
    notes(file, lap=0, chat="LocalChat")
    git("commit", "-qam", "theirs")
    git("checkout", "-q", "main")
    notes(file, size=400)
    assert git("diff").splitlines() == ["bpaz diff notes.bpaz", "~ split: chunk_size 200 -> 400"]
    git("commit", "-qam", "ours")
    git("merge", "-q", "--no-edit", "other")
    settings = Workflow.load(file)["split"].settings
    assert (settings["chunk_size"], settings["chunk_overlap"]) == (400, 0)
    assert "chat" in Workflow.load(file).to_dict()["nodes"]
    assert git("status", "--porcelain") == ""


@needs_git
def test_git_stops_at_a_conflict_with_a_file_that_can_be_opened(git):
    file = git.folder / "notes.bpaz"
    notes(file)
    git("add", ".")
    git("commit", "-qm", "begin")
    git("checkout", "-qb", "other")
    notes(file, size=100, lap=0)
    git("commit", "-qam", "theirs")
    git("checkout", "-q", "main")
    notes(file, size=400)
    git("commit", "-qam", "ours")
    told = git("merge", "--no-edit", "other", code=1)
    assert "notes.bpaz: nodes.split.settings.chunk_size" in told
    assert "CONFLICT" in told
    settings = Workflow.load(file)["split"].settings
    assert (settings["chunk_size"], settings["chunk_overlap"]) == (400, 0)
    assert git("status", "--porcelain").startswith("UU notes.bpaz")


@needs_git
def test_git_shows_a_file_that_is_new(git):
    git("add", ".")
    git("commit", "-qm", "begin")
    notes(git.folder / "notes.bpaz")
    git("add", ".")
    told = git("diff", "--cached")
    assert "+ load (TextDataLoader)" in told
    assert "+ load.documents -> split.documents" in told
