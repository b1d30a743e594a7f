from __future__ import annotations

from itertools import pairwise

import pytest
from langchain_core.documents import Document

from bpaz_lab.errors import DocumentError, RunCancelled, SettingError
from bpaz_lab.nodes.context import Context
from bpaz_lab.nodes.splitters.recursive_text_splitter import RecursiveTextSplitter

pytestmark = pytest.mark.unit

TEXT = "One two three.\n\nFour five six seven.\n\nEight nine."


async def split(*documents, context=None, **settings):
    node = RecursiveTextSplitter.of(settings)
    return (await node.execute({"documents": list(documents)}, context))["documents"]


async def test_chunks_are_cut_at_paragraphs_and_know_their_place():
    chunks = await split(
        Document(page_content=TEXT, metadata={"source": "a.md"}), chunk_size=25, chunk_overlap=0
    )
    assert [chunk.page_content for chunk in chunks] == TEXT.split("\n\n")
    assert [chunk.metadata["chunk"] for chunk in chunks] == [0, 1, 2]
    assert all(chunk.metadata["source"] == "a.md" for chunk in chunks)
    for chunk in chunks:
        start = chunk.metadata["start_index"]
        assert TEXT[start : start + len(chunk.page_content)] == chunk.page_content


async def test_each_document_counts_its_own_chunks():
    one, two = Document(page_content="aaa bbb"), Document(page_content="ccc ddd")
    chunks = await split(one, two, chunk_size=4, chunk_overlap=0)
    assert [(chunk.page_content, chunk.metadata["chunk"]) for chunk in chunks] == [
        ("aaa", 0),
        ("bbb", 1),
        ("ccc", 0),
        ("ddd", 1),
    ]


async def test_neighbours_overlap():
    text = "abcdefghij" * 3
    chunks = await split(Document(page_content=text), chunk_size=10, chunk_overlap=4)
    for one, other in pairwise(chunks):
        assert one.page_content[-4:] == other.page_content[:4]


async def test_own_separators():
    chunks = await split(Document(page_content="a;b"), chunk_size=1, chunk_overlap=0, separators=[";"])
    assert [chunk.page_content for chunk in chunks] == ["a", ";b"]


async def test_the_documents_that_came_stay_as_they_are():
    document = Document(page_content=TEXT, metadata={"tags": ["x"]})
    chunks = await split(document, chunk_size=25, chunk_overlap=0)
    chunks[0].metadata["tags"].append("y")
    assert document.metadata == {"tags": ["x"]}


async def test_no_documents_no_chunks():
    assert await split() == []


async def test_a_stopped_run_splits_no_further():
    context = Context()
    context.services.cancel.set()
    with pytest.raises(RunCancelled):
        await split(Document(page_content=TEXT), context=context)


@pytest.mark.parametrize("settings", [{"chunk_size": 10, "chunk_overlap": 10}, {"chunk_size": 100}])
def test_an_overlap_that_does_not_fit(settings):
    with pytest.raises(SettingError, match="does not fit into chunks") as caught:
        RecursiveTextSplitter.of(settings)
    assert caught.value.path == "chunk_overlap"


def test_sizes_have_bounds():
    with pytest.raises(DocumentError) as caught:
        RecursiveTextSplitter.of({"chunk_size": 0, "chunk_overlap": -1, "separators": []})
    assert [problem.path for problem in caught.value.problems] == [
        "chunk_size",
        "chunk_overlap",
        "separators",
    ]
