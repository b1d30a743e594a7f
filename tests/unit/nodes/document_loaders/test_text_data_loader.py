from __future__ import annotations

import sys

import pytest

from bpaz_lab.errors import FileRefused, InputError, RunCancelled, SettingError
from bpaz_lab.guard.paths import Jail
from bpaz_lab.nodes.context import Context, Services
from bpaz_lab.nodes.document_loaders.text_data_loader import TextDataLoader

pytestmark = pytest.mark.unit


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "work"
    (root / "notes" / "deep").mkdir(parents=True)
    (root / "notes" / "b.md").write_text("# B\nsecond")
    (root / "notes" / "a.md").write_text("\ufeff# A, grün", encoding="utf-8")
    (root / "notes" / "deep" / "c.md").write_text("third")
    (root / "table.csv").write_text("x,y\n1,2\n")
    (root / "old.txt").write_bytes("grün".encode("latin-1"))
    (tmp_path / "outside.md").write_text("not yours")
    return root


@pytest.fixture
def events():
    return []


@pytest.fixture
def context(folder, events):
    services = Services(emit=lambda *event: events.append(event), jail=Jail([folder]))
    return Context("load", services=services)


async def load(context, path, **settings):
    found = await TextDataLoader.of({"path": path, **settings}).execute({}, context)
    return found["documents"]


async def test_one_document_a_file_in_the_order_of_the_paths(context):
    documents = await load(context, "notes/*.md")
    assert [document.metadata for document in documents] == [
        {"source": "notes/a.md"},
        {"source": "notes/b.md"},
    ]
    assert [document.page_content for document in documents] == ["# A, grün", "# B\nsecond"]


async def test_subfolders_several_patterns_and_each_file_once(context):
    documents = await load(context, "table.csv\n\n notes/**/*.md \nnotes/a.md")
    sources = [document.metadata["source"] for document in documents]
    assert sources == ["table.csv", "notes/a.md", "notes/b.md", "notes/deep/c.md"]


async def test_an_absolute_path(context, folder):
    (document,) = await load(context, str(folder / "table.csv"))
    assert document.page_content == "x,y\n1,2\n"
    assert document.metadata["source"] == "table.csv"


async def test_progress_is_told_a_file(context, events):
    await load(context, "notes/*.md")
    assert [data["message"] for _, _, data in events] == ["a.md", "b.md"]
    assert events[1][2] == {"done": 1, "total": 2, "message": "b.md"}


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("notes/*.txt", "Here are: notes/a.md, notes/b.md."),
        ("nowhere/*.md", "Here are: old.txt, table.csv."),
        ("missing.md", "Here are: old.txt, table.csv."),
    ],
)
async def test_nothing_found_tells_what_is_there(context, path, hint):
    with pytest.raises(InputError, match="no file matches") as caught:
        await load(context, path)
    assert caught.value.hint == hint
    assert caught.value.path == path


async def test_nothing_there_at_all(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError) as caught:
        await load(Context(services=Services(jail=Jail([tmp_path / "empty"]))), "*.md")
    assert "no files here" in caught.value.hint


async def test_one_pattern_without_a_file_is_not_passed_over(context):
    with pytest.raises(InputError, match=r"no file matches 'nope\.md'"):
        await load(context, "notes/*.md\nnope.md")


async def test_a_file_in_another_encoding_is_named(context):
    with pytest.raises(InputError, match=r"old\.txt is no utf-8 text: byte 2") as caught:
        await load(context, "old.txt")
    assert caught.value.path == "old.txt"
    (document,) = await load(context, "old.txt", encoding="latin-1")
    assert document.page_content == "grün"


async def test_a_file_that_vanishes_meanwhile_is_named(folder):
    def emit(*_):
        (folder / "table.csv").unlink()

    context = Context(services=Services(emit=emit, jail=Jail([folder])))
    with pytest.raises(InputError, match=r"table\.csv cannot be read: No such file"):
        await load(context, "table.csv")


@pytest.mark.parametrize("path", ["../outside.md", "../*.md", "/etc/passwd"])
async def test_no_way_out_of_the_folder(context, path):
    with pytest.raises(FileRefused):
        await load(context, path)


async def test_a_link_out_of_the_folder_is_not_followed(context, folder):
    (folder / "link.md").symlink_to(folder.parent / "outside.md")
    with pytest.raises((FileRefused, InputError)):
        await load(context, "link.md")
    assert "not yours" not in str(await load(context, "**/*.md"))


async def test_a_stopped_run_reads_no_further(context):
    context.services.cancel.set()
    with pytest.raises(RunCancelled):
        await load(context, "notes/*.md")


@pytest.mark.parametrize("name", ["utf-9", "hex"])
def test_an_encoding_that_is_none(name):
    with pytest.raises(SettingError, match="no encoding") as caught:
        TextDataLoader.of({"encoding": name})
    assert caught.value.path == "encoding"


@pytest.mark.parametrize("name", ["UTF-8", "utf-8-sig", "latin-1", "ISO-8859-15", "cp1252", "utf-16"])
def test_an_encoding_by_any_of_its_names(name):
    assert TextDataLoader.of({"encoding": name}).encoding == name


def test_a_name_that_is_no_encoding_is_not_imported():
    seen = []
    sys.addaudithook(lambda event, given: seen.append(given[0]) if event == "import" else None)
    with pytest.raises(SettingError, match="no encoding"):
        TextDataLoader.of({"encoding": "antigravity_x"})
    assert not [name for name in seen if "antigravity" in name]
