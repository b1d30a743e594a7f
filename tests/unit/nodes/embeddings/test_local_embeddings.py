from __future__ import annotations

import pytest

from bpaz_lab.errors import SettingError
from bpaz_lab.nodes.embeddings.local_embeddings import LocalEmbeddings

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(("model", "size"), [("wordllama", 256), ("minilm", 384)])
async def test_both_models_embed(model, size):
    found = (await LocalEmbeddings(model=model).execute({}))["embeddings"]
    vectors = found.embed_documents(["tea", "coffee"])
    assert [len(vector) for vector in vectors] == [size, size]


def test_another_model_is_refused():
    with pytest.raises(SettingError, match="'wordllama' or 'minilm'"):
        LocalEmbeddings.of({"model": "word2vec"})
