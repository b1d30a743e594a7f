from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from langchain_core.embeddings import Embeddings

from bpaz_lab.errors import MissingPackage
from bpaz_lab.nodes.embeddings import _wordllama
from bpaz_lab.nodes.embeddings._shared import once
from bpaz_lab.nodes.embeddings._wordllama import wordllama_embeddings

pytestmark = pytest.mark.integration

TEXTS = ["Cats are small animals.", "A kitten is a young cat.", "The bank raised its interest rate."]


def test_vectors_are_unit_vectors_in_the_order_of_the_texts():
    embeddings = wordllama_embeddings()
    vectors = embeddings.embed_documents(TEXTS)
    assert isinstance(embeddings, Embeddings)
    assert [len(vector) for vector in vectors] == [256] * 3
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
    assert all(type(number) is float for number in vectors[0])
    for text, vector in zip(TEXTS, vectors, strict=True):
        assert embeddings.embed_query(text) == pytest.approx(vector, abs=1e-6)


def test_what_is_about_the_same_is_nearer():
    cat, kitten, bank = np.array(wordllama_embeddings().embed_documents(TEXTS))
    assert cat @ kitten > cat @ bank
    assert cat @ kitten > kitten @ bank


def test_no_text_and_empty_texts():
    embeddings = wordllama_embeddings()
    assert embeddings.embed_documents([]) == []
    assert embeddings.embed_query("") == [0.0] * 256
    empty, full = embeddings.embed_documents(["", TEXTS[0]])
    assert empty == [0.0] * 256
    assert full == pytest.approx(embeddings.embed_query(TEXTS[0]), abs=1e-6)


def test_many_texts_from_many_threads_and_from_a_loop():
    embeddings = wordllama_embeddings()
    texts = [f"{text} {i}" for i in range(70) for text in TEXTS]
    expected = embeddings.embed_documents(texts)
    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(embeddings.embed_documents, [texts] * 8):
            assert vectors == expected
    assert asyncio.run(embeddings.aembed_documents(texts)) == expected


def test_the_weights_are_loaded_once():
    wordllama_embeddings().embed_query("x")
    model = _wordllama._model()
    wordllama_embeddings().embed_query("y")
    assert _wordllama._model() is model


def test_threads_that_come_together_load_once_and_a_failure_is_not_kept():
    calls = []

    @once
    def load():
        calls.append(None)
        if len(calls) == 1:
            raise ValueError("not yet")
        return object()

    with pytest.raises(ValueError, match="not yet"):
        load()
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: load(), range(32)))) == 1
    assert len(calls) == 2


def test_a_missing_package_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "wordllama", None)
    with pytest.raises(MissingPackage, match="wordllama") as caught:
        _wordllama._model.__wrapped__()
    assert caught.value.hint == "pip install 'bpaz-lab[local]'"


def test_importing_is_light_and_loading_leaves_logging_and_the_network_alone():
    script = """
import logging, sys
from bpaz_lab.nodes.embeddings._wordllama import wordllama_embeddings
heavy = {"langchain_core", "wordllama", "numpy"} & set(sys.modules)
assert not heavy, heavy
def refuse(event, arguments):
    assert event not in ("socket.connect", "socket.getaddrinfo"), arguments
sys.addaudithook(refuse)
wordllama_embeddings().embed_query("x")
assert "wordllama" in sys.modules
assert logging.root.handlers == [], logging.root.handlers
assert logging.root.level == logging.WARNING
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
