from __future__ import annotations

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding

from bpaz_lab.errors import InputError, RunCancelled
from bpaz_lab.nodes.context import Context, Services
from bpaz_lab.nodes.vectorstores.in_memory_vector_store import BATCH, InMemoryVectorStore

pytestmark = pytest.mark.unit

EMBEDDINGS = DeterministicFakeEmbedding(size=8)


def documents(*texts):
    return [Document(page_content=text, metadata={"text": text}) for text in texts]


async def build(*wires, context=None):
    inputs = {"documents": list(wires), "embeddings": EMBEDDINGS}
    return (await InMemoryVectorStore().execute(inputs, context))["vectorstore"]


async def test_the_documents_of_all_wires_are_kept_in_order():
    store = await build(documents("a", "b"), documents("c"))
    assert [entry["text"] for entry in store.store.values()] == ["a", "b", "c"]
    (found,) = store.similarity_search("b", k=1)
    assert found.metadata == {"text": "b"}


async def test_progress_is_told_a_batch():
    events = []
    context = Context(services=Services(emit=lambda *event: events.append(event)))
    await build(documents(*map(str, range(BATCH + 1))), context=context)
    assert [data["done"] for _, _, data in events] == [0, BATCH, BATCH + 1]
    assert {data["total"] for _, _, data in events} == {BATCH + 1}


async def test_nothing_to_keep_is_an_empty_store():
    assert (await build([])).similarity_search("a") == []


async def test_a_stopped_run_embeds_no_further():
    context = Context()
    context.services.cancel.set()
    with pytest.raises(RunCancelled):
        await build(documents("a"), context=context)


async def test_it_needs_embeddings():
    with pytest.raises(InputError, match="lacks embeddings"):
        await InMemoryVectorStore().execute({"documents": []})
