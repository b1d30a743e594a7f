"""The documents of a store that matter for a question."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from bpaz_lab.errors import InputError
from bpaz_lab.nodes.base import Node, output
from bpaz_lab.nodes.retrievers._search import Search, retriever
from bpaz_lab.nodes.script import in_script
from bpaz_lab.nodes.types import Advanced, Documents, Port, Retriever

Store = Annotated[Any, Port("vectorstore", help="What is searched.")]


class VectorRetriever(Node):
    """Finds the documents whose meaning is closest to a question.

    *documents* answers a question at once, best first, each with its score in `metadata["score"]`
    (1 is the same meaning, 0 none in common). *retriever* is the search itself, as a LangChain
    retriever, for nodes that ask their own questions. `mmr` trades some closeness for variety, so that
    three passages do not say the same thing three times; it gives no scores.

    ```python
    search = wf.add("VectorRetriever", k=3)
    wf.connect(store["vectorstore"], search["vectorstore"])
    wf.connect(ask["text"], search["query"])
    ```
    """

    effect = "repeatable"

    k: int = Field(4, ge=1, le=1000, description="How many documents (LangChain's default: 4).")
    search_type: Literal["similarity", "mmr"] = Field(
        "similarity", description="similarity takes the closest, mmr close but different ones."
    )
    score_threshold: float | None = Field(
        None, ge=-1, le=1, description="Leaves out what scores less (similarity only); empty for no limit."
    )
    fetch_k: Annotated[int, Advanced] = Field(
        20, ge=1, le=10_000, description="mmr chooses among so many closest (LangChain's default: 20)."
    )
    diversity: Annotated[float, Advanced] = Field(
        0.5, ge=0, le=1, description="mmr: 0 is closeness alone, 1 variety alone (LangChain's default: 0.5)."
    )

    def _search(self) -> Search:
        return Search(self.search_type, self.k, self.fetch_k, self.diversity, self.score_threshold)

    @output("retriever", "retriever")
    def build(self, vectorstore: Store) -> Retriever:
        """The search as an object."""
        return retriever(_checked(vectorstore), self._search())

    @output("documents", "documents", main=True)
    def find(
        self, vectorstore: Store, query: Annotated[str, Port("text", help="What is looked for.")]
    ) -> Documents:
        """The documents for one question.

        Raises:
            InputError: What is connected cannot be searched.
        """
        return self._search()(_checked(vectorstore), query)


def _checked(store: Any) -> Any:
    if not hasattr(store, "similarity_search"):
        raise InputError(
            f"the input 'vectorstore' got a {type(store).__name__}, which cannot be searched",
            hint="Connect a vector store, such as InMemoryVectorStore.",
        )
    return store


@in_script(VectorRetriever, "langchain-core", output="retriever")
def vector_search(
    vectorstore: Any,
    k: int = 4,
    search_type: Literal["similarity", "mmr"] = "similarity",
    score_threshold: float | None = None,
    fetch_k: int = 20,
    diversity: float = 0.5,
) -> Any:
    """The search as a LangChain retriever."""
    return retriever(vectorstore, Search(search_type, k, fetch_k, diversity, score_threshold))


@in_script(VectorRetriever, "langchain-core", output="documents")
def vector_retriever(
    vectorstore: Any,
    query: str,
    k: int = 4,
    search_type: Literal["similarity", "mmr"] = "similarity",
    score_threshold: float | None = None,
    fetch_k: int = 20,
    diversity: float = 0.5,
) -> list[Any]:
    """The documents of a store that matter for a question, best first."""
    return Search(search_type, k, fetch_k, diversity, score_threshold)(vectorstore, query)
