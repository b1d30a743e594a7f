from __future__ import annotations

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import InMemoryVectorStore

from bpaz_lab.errors import DocumentError, InputError
from bpaz_lab.nodes.retrievers.vector_retriever import VectorRetriever

pytestmark = pytest.mark.unit


class Plane(Embeddings):
    """Texts that are coordinates: "3 4" is the vector (3, 4)."""

    def embed_documents(self, texts):
        return [[float(number) for number in text.split()] for text in texts]

    def embed_query(self, text):
        return self.embed_documents([text])[0]


class Scaled(InMemoryVectorStore):
    """A store that says how its scores are scaled, as most do."""

    def _select_relevance_score_fn(self):
        return lambda score: (score + 1) / 2


def store(kind=InMemoryVectorStore):
    texts = ["1 0", "1 0.01", "1 1", "0 1", "-1 0"]
    return kind.from_texts(texts, Plane(), [{"number": number} for number in range(len(texts))])


async def find(query="1 0", of=None, **settings):
    inputs = {"vectorstore": of or store(), "query": query}
    return (await VectorRetriever.of(settings).execute(inputs))["documents"]


async def test_the_closest_come_first_with_their_scores():
    found = await find(k=3)
    assert [document.metadata["number"] for document in found] == [0, 1, 2]
    assert [document.metadata["score"] for document in found] == [1.0, 0.99995, 0.707107]


async def test_the_store_keeps_its_own_metadata():
    kept = store()
    await find(of=kept)
    assert all("score" not in entry["metadata"] for entry in kept.store.values())


async def test_a_threshold_leaves_out_what_scores_less():
    assert len(await find(k=5, score_threshold=0.7)) == 3
    assert len(await find(k=5, score_threshold=-1)) == 5
    assert await find("0 -1", k=5, score_threshold=0.5) == []


async def test_a_store_that_scales_its_scores_is_asked_for_those():
    found = await find(of=store(Scaled), k=5)
    assert [document.metadata["score"] for document in found] == [1.0, 0.999975, 0.853553, 0.5, 0.0]


async def test_mmr_prefers_variety():
    found = await find(search_type="mmr", k=2, diversity=0.9)
    numbers = [document.metadata["number"] for document in found]
    assert numbers[0] == 0
    assert numbers[1] != 1
    near = await find(search_type="mmr", k=2, diversity=0)
    assert [document.metadata["number"] for document in near] == [0, 1]


async def test_mmr_looks_at_k_documents_at_least():
    assert len(await find(search_type="mmr", k=4, fetch_k=1)) == 4


async def test_the_retriever_finds_the_same_and_needs_no_query():
    node = VectorRetriever(k=2)
    kept = store()
    retriever = (await node.execute({"vectorstore": kept}, wanted=("retriever",)))["retriever"]
    direct = (await node.execute({"vectorstore": kept, "query": "1 1"}))["documents"]
    assert retriever.invoke("1 1") == await retriever.ainvoke("1 1") == direct


async def test_an_object_that_cannot_be_searched():
    with pytest.raises(InputError, match="got a dict, which cannot be searched"):
        await find(of={"a": 1})


def test_settings_have_bounds():
    with pytest.raises(DocumentError) as caught:
        VectorRetriever.of({"k": 0, "search_type": "best", "score_threshold": 2, "diversity": -1})
    assert [problem.path for problem in caught.value.problems] == [
        "k",
        "search_type",
        "score_threshold",
        "diversity",
    ]


def test_documents_are_langchains():
    assert isinstance(store().similarity_search("1 0", k=1)[0], Document)
