"""Documents kept by their vectors, in memory."""

from __future__ import annotations

from itertools import chain
from typing import Annotated, Any, Final

from bpaz_lab.nodes.base import Node
from bpaz_lab.nodes.context import Context
from bpaz_lab.nodes.script import in_script
from bpaz_lab.nodes.types import Port, VectorStore

BATCH: Final = 64
"""Documents embedded at once: large enough to be fast, small enough to be stopped soon."""


class InMemoryVectorStore(Node):
    """Embeds documents and keeps them in memory, to be searched by meaning.

    Use it for what fits into memory, some ten thousand chunks; it is built anew in every run that
    changes its documents. Several wires may bring documents. Search it with **VectorRetriever**.

    ```python
    store = wf.add("InMemoryVectorStore")
    wf.connect(split["documents"], store["documents"])
    wf.connect(embed["embeddings"], store["embeddings"])
    ```
    """

    effect = "repeatable"
    label = "In-memory vector store"

    def run(
        self,
        documents: Annotated[list[list[Any]], Port("documents", many=True, help="What is kept.")],
        embeddings: Annotated[Any, Port("embeddings", help="What turns texts into vectors.")],
        context: Context,
    ) -> VectorStore:
        """The store, filled in batches; the documents of each wire in their order."""
        from langchain_core.vectorstores import InMemoryVectorStore as Store

        store, everything = Store(embeddings), list(chain.from_iterable(documents))
        for start in range(0, len(everything), BATCH):
            context.check()
            context.progress(start, len(everything), "embedding")
            store.add_documents(everything[start : start + BATCH])
        context.progress(len(everything), len(everything), "embedding")
        return store


@in_script(InMemoryVectorStore, "langchain-core", "numpy")
def in_memory_vector_store(documents: list[list[Any]], embeddings: Any) -> Any:
    """A store filled with the documents of each wire in their order."""
    from langchain_core.vectorstores import InMemoryVectorStore as Store

    store = Store(embeddings)
    store.add_documents([document for wire in documents for document in wire])
    return store
