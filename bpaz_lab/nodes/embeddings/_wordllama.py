"""WordLlama embeddings: 256 dimensions, 16 MB of weights inside the package, no network.

Source: D. L. Miller, WordLlama (MIT), token embeddings distilled from large language models and
averaged over the text. Very fast (some 0.02 ms a text), good enough to find passages by topic.
"""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bpaz_lab.errors import MissingPackage
from bpaz_lab.nodes.embeddings._shared import once

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings


def wordllama_embeddings() -> Embeddings:
    """LangChain embeddings by WordLlama: unit vectors of 256 floats.

    The weights are loaded at the first call, once a process, and shared; calls from several threads
    are safe. A text without any token (an empty one) is all zeros.

    Raises:
        MissingPackage: When called: ``wordllama`` is not installed.

    Example:
        >>> len(wordllama_embeddings().embed_query("What is a kernel?"))
        256
    """
    return _embeddings_class()()


@cache
def _embeddings_class() -> type[Embeddings]:
    from langchain_core.embeddings import Embeddings

    class WordLlamaEmbeddings(Embeddings):
        """WordLlama behind LangChain's interface."""

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            """One vector a text, in their order."""
            if not texts:
                return []
            import numpy as np

            vectors = _model().embed(list(texts))
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            unit = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
            rows: list[list[float]] = unit.tolist()
            return rows

        def embed_query(self, text: str) -> list[float]:
            """The vector of one text."""
            return self.embed_documents([text])[0]

    return WordLlamaEmbeddings


@once
def _model() -> Any:
    # The package calls logging.basicConfig when it is imported, which does nothing to a root logger
    # that has a handler: lend it one, so that the user's logging stays as it is.
    handler = logging.NullHandler()
    logging.root.addHandler(handler)
    try:
        import wordllama
    except ImportError as error:
        raise MissingPackage(
            "WordLlama embeddings need the package wordllama", hint="pip install 'bpaz-lab[local]'"
        ) from error
    finally:
        logging.root.removeHandler(handler)
    # Unless told that its own folder is the cache, the package misspells where its tokenizer lies.
    folder = Path(wordllama.__file__).parent
    return wordllama.WordLlama.load(cache_dir=folder, dim=256, disable_download=True)
