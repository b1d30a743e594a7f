from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from bpaz_lab.errors import FileRefused
from bpaz_lab.guard.paths import KEY_FOLDERS, Jail

pytestmark = pytest.mark.unit


@pytest.fixture
def tree(tmp_path):
    """An allowed folder ``inside`` beside a forbidden folder ``outside``."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    (inside / "notes" / "old").mkdir(parents=True)
    outside.mkdir()
    (outside / "secret.md").write_text("secret")
    for name in ("b.md", "a.md", "old/c.md", "picture.png", ".hidden.md"):
        (inside / "notes" / name).write_text(name)
    (inside / "link.md").symlink_to(outside / "secret.md")
    (inside / "folder-link").symlink_to(outside)
    (inside / "good-link.md").symlink_to(inside / "notes" / "a.md")
    (inside / "loop").symlink_to(inside / "loop")
    (inside / "proc").symlink_to("/proc")
    os.mkfifo(inside / "pipe")
    return inside


@pytest.fixture
def jail(tree):
    return Jail([tree])


ESCAPES = [
    "../outside/secret.md", "notes/../../outside/secret.md", "notes/./../.././outside/secret.md",
    "{outside}/secret.md", "link.md", "folder-link/secret.md", "folder-link", "..", "/", "/etc/passwd",
    "//etc/passwd", "/proc/self/environ", "/proc/self/root/etc/passwd", "/proc/self/cwd/x",
    "proc/self/environ", "/dev/null", "/dev/stdin", "/dev/fd/0", "/sys/kernel", "pipe", "loop", "loop/x",
    "a\0b", "notes/a.md\0.png", "{inside}/../outside/secret.md", "{inside}-twin/x", "~/x.md",
    "~nobody-of-this-name/x.md", "\\..\\..\\" + "x\0",
]  # fmt: skip


@pytest.mark.parametrize("path", ESCAPES)
@pytest.mark.parametrize("act", ["resolve", "open", "write", "glob"])
def test_escapes_are_refused(jail, tree, path, act):
    path = path.format(inside=tree, outside=tree.parent / "outside")
    acts = {
        "resolve": jail.resolve,
        "open": jail.open,
        "write": lambda p: jail.open(p, "w"),
        "glob": jail.glob,
    }
    with pytest.raises(FileRefused) as caught:
        acts[act](path)
    assert caught.value.hint
    assert (tree.parent / "outside" / "secret.md").read_text() == "secret"
    assert sorted(p.name for p in tree.parent.iterdir()) == ["inside", "outside"]


def test_a_system_folder_stays_closed_even_inside_the_jail():
    for path in ("/proc/self/environ", "/dev/null", "/sys/kernel"):
        with pytest.raises(FileRefused, match="system's own files"):
            Jail(["/"]).open(path)


def test_a_detour_over_a_system_folder_is_refused(jail, tree, monkeypatch):
    monkeypatch.chdir(tree)
    with pytest.raises(FileRefused, match="system's own files"):
        jail.open("/proc/self/cwd/notes/a.md")


@pytest.mark.parametrize("name", sorted(KEY_FOLDERS))
def test_folders_of_keys_stay_closed(jail, tree, name):
    (tree / name).mkdir()
    (tree / name / "id").write_text("key")
    (tree / "innocent").symlink_to(tree / name)
    for path in (f"{name}/id", "innocent/id"):
        with pytest.raises(FileRefused, match="folder of keys"):
            jail.open(path)
    assert jail.glob("**/id") == []


@pytest.mark.parametrize("path", ["notes/a.md", "notes/../notes/a.md", "good-link.md", "{inside}/notes/a.md"])
def test_files_inside_are_opened(jail, tree, path):
    path = path.format(inside=tree)
    assert jail.resolve(path) == tree / "notes" / "a.md"
    with jail.open(path) as file:
        assert file.read() == "a.md"
    with jail.open(path, "rb") as file:
        assert file.read() == b"a.md"


def test_files_are_written(jail, tree):
    with jail.open("notes/new.md", "w") as file:
        file.write("längst")
    with jail.open("notes/new.md", "a") as file:
        file.write("!")
    assert (tree / "notes" / "new.md").read_bytes() == "längst!".encode()
    with jail.open("notes/new.md", "w") as file:
        file.write("x")
    assert (tree / "notes" / "new.md").read_text() == "x"
    with jail.open("notes/utf16.md", "w", encoding="utf-16") as file:
        file.write("x")
    with jail.open("notes/utf16.md", encoding="utf-16") as file:
        assert file.read() == "x"


def test_missing_files_and_folders_are_no_files(jail):
    assert jail.resolve("missing.md").name == "missing.md"
    with pytest.raises(FileNotFoundError):
        jail.open("missing.md")
    with pytest.raises(FileRefused, match="regular file"):
        jail.open("notes")
    assert jail.resolve("notes").is_dir()


def test_a_socket_is_refused(jail, tree, monkeypatch):
    monkeypatch.chdir(tree)  # the names of sockets must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        with pytest.raises(FileRefused, match="regular file"):
            jail.open("socket")


@pytest.mark.parametrize("swap", ["file", "folder", "pipe"])
def test_what_is_swapped_in_after_the_check_is_not_opened(jail, tree, monkeypatch, swap):
    outside = tree.parent / "outside"
    (outside / "a.md").write_text("secret")
    checked = jail.resolve("notes/a.md")
    if swap == "folder":
        (tree / "notes").rename(tree / "moved")
        (tree / "notes").symlink_to(outside)
    else:
        checked.unlink()
        if swap == "file":
            checked.symlink_to(outside / "a.md")
        else:
            os.mkfifo(checked)
    monkeypatch.setattr(Jail, "resolve", lambda self, path: checked)
    with pytest.raises(FileRefused):
        jail.open("notes/a.md")
    with pytest.raises((FileRefused, OSError)):
        jail.open("notes/a.md", "w")
    assert (outside / "a.md").read_text() == "secret"


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("notes/*.md", ["notes/a.md", "notes/b.md"]),
        ("notes/**/*.md", ["notes/a.md", "notes/b.md", "notes/old/c.md"]),
        ("**/*.md", ["good-link.md", "notes/a.md", "notes/b.md", "notes/old/c.md"]),
        ("notes/.*.md", ["notes/.hidden.md"]),
        ("notes/[ab].md", ["notes/a.md", "notes/b.md"]),
        ("notes/a.md", ["notes/a.md"]),
        ("notes/../notes/a.*", ["notes/a.md"]),
        ("*", ["good-link.md"]),
        ("*/*", ["notes/a.md", "notes/b.md", "notes/picture.png"]),
        ("notes", []),
        ("missing/*.md", []),
        ("missing.md", []),
        ("{inside}/notes/?.md", ["notes/a.md", "notes/b.md"]),
    ],
)
def test_patterns(jail, tree, pattern, names):
    assert jail.glob(pattern.format(inside=tree)) == [Path(name) for name in names]


@pytest.mark.parametrize(
    "pattern",
    [
        "../*",
        "../outside/*.md",
        "*/../../outside/*",
        "folder-link/*",
        "/etc/*",
        "/proc/*/environ",
        "*\0",
        "/*",
    ],
)
def test_patterns_that_lead_out_are_refused(jail, pattern):
    with pytest.raises(FileRefused):
        jail.glob(pattern)


def test_a_bad_pattern_is_an_error_with_a_hint(jail):
    with pytest.raises(FileRefused, match="not a pattern"):
        jail.glob("notes/**.md")


def test_a_second_folder_may_be_named_in_full(tree):
    outside = tree.parent / "outside"
    jail = Jail([tree, outside])
    assert jail.glob(f"{outside}/*.md") == [outside / "secret.md"]
    with jail.open("link.md") as file:
        assert file.read() == "secret"


def test_the_user_has_the_current_folder_and_home(tree, monkeypatch):
    home = tree.parent / "outside"
    monkeypatch.chdir(tree)
    monkeypatch.setenv("HOME", str(home))
    jail = Jail.user()
    assert jail.roots == (tree, home)
    with jail.open("~/secret.md") as file:
        assert file.read() == "secret"


def test_a_jail_needs_a_folder():
    with pytest.raises(ValueError, match="at least one folder"):
        Jail([])
