"""Searching any LangChain vector store, with the scores kept in the metadata."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from langchain_core.callbacks import CallbackManagerForRetrieverRun
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever


class Search(NamedTuple):
    """How a store is searched; the fields are those of VectorRetriever."""

    kind: Literal["similarity", "mmr"]
    k: int
    fetch_k: int
    diversity: float
    score_threshold: float | None

    def __call__(self, store: Any, query: str) -> list[Document]:
        """The documents, best first."""
        if self.kind == "mmr":
            found: list[Document] = store.max_marginal_relevance_search(
                query, k=self.k, fetch_k=max(self.k, self.fetch_k), lambda_mult=1 - self.diversity
            )
            return found
        return [
            # A copy: the store's own metadata stays as it is.
            document.model_copy(update={"metadata": {**document.metadata, "score": round(score, 6)}})
            for document, score in _scored(store, query, self.k)
            if self.score_threshold is None or score >= self.score_threshold
        ]


def _scored(store: Any, query: str, k: int) -> list[tuple[Document, float]]:
    try:
        found: list[tuple[Document, float]] = store.similarity_search_with_relevance_scores(query, k=k)
    except NotImplementedError:  # LangChain's own in-memory store, whose scores are cosines already
        found = store.similarity_search_with_score(query, k=k)
    return found


def retriever(store: Any, search: Search) -> BaseRetriever:
    """The search as a LangChain retriever."""
    return _retriever_class()(store=store, search=search)


@cache
def _retriever_class() -> Callable[..., BaseRetriever]:
    from langchain_core.retrievers import BaseRetriever

    class StoreRetriever(BaseRetriever):
        """Searches one store in one way."""

        store: Any
        search: Search

        def _get_relevant_documents(
            self,
            query: str,
            *,
            run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 (LangChain's signature)
        ) -> list[Document]:
            return self.search(self.store, query)

    return StoreRetriever
