"""The main job on real files, with the real local model and embeddings; nothing asserts on wisdom."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bpaz_lab import Workflow

pytestmark = pytest.mark.workflows

FACTS = {
    "bees.md": "# Bees\n\nA honeybee visits about two million flowers to make one jar of honey.\n",
    "tides.md": "# Tides\n\nThe moon pulls the oceans, and so the tide rises twice a day.\n",
    "bread.md": "# Bread\n\nSourdough rises slowly because wild yeast works at its own pace.\n",
}


@pytest.fixture
def folder(tmp_path):
    for name, text in FACTS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def path(folder):
    wf = Workflow("Ask my notes")
    ask = wf.add("ChatInput", id="ask")
    load = wf.add("TextDataLoader", id="load", path=str(folder / "*.md"))
    split = wf.add("RecursiveTextSplitter", id="split", chunk_size=300, chunk_overlap=0)
    store = wf.add("InMemoryVectorStore", id="store")
    search = wf.add("VectorRetriever", id="search", k=1)
    prompt = wf.add("PromptTemplate", id="prompt", template="{context}\n\nQuestion: {question}")
    chain = wf.add("LLMChain", id="chain")
    load >> split
    split["documents"] >> store
    wf.add("LocalEmbeddings", id="embed") >> store
    store >> search
    ask >> search["query"]
    search["documents"] >> prompt["context"]
    ask >> prompt["question"]
    wf.add("LocalChat", id="chat", max_tokens=24)["model"] >> chain["model"]
    prompt >> chain["prompt"]
    chain["text"] >> wf.add("ChatOutput", id="out")
    assert wf.validate() == []
    return wf.save(folder / "notes.bpaz")


@pytest.mark.parametrize(
    ("question", "file"), [("How does the moon pull the tide?", "tides"), ("bees make honey", "bees")]
)
def test_the_passage_that_is_asked_for_is_found(path, question, file):
    run = Workflow.load(path).run(question=question, target="search")
    (document,) = run["search"]["documents"]
    assert document.page_content.strip() in FACTS[f"{file}.md"]


def test_the_answer_streams_and_is_the_output(path):
    run = Workflow.load(path).run(question="What makes the tide rise?")
    tokens = [event.text for event in run.events if event.type == "token" and event.node == "chain"]
    assert len(tokens) > 1
    assert "".join(tokens) == run.output
    assert run.output.strip()
    assert run.usage.output_tokens > 0
    assert {event.node for event in run.events if event.type == "node.finished"} == {
        node.id for node in Workflow.load(path)
    }


def test_the_command_line_streams_the_same(path):
    command = [sys.executable, "-m", "bpaz_lab", "run", str(path), "--input", "question=tides", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert "Traceback" not in done.stderr
