"""Every template runs as it is, with the real local model and without network; nothing asserts on wisdom."""

from __future__ import annotations

import pytest

from bpaz_lab import Workflow
from bpaz_lab.templates.builtin import builtins, find

pytestmark = pytest.mark.workflows
FACTS = {
    "bees.md": "# Bees\n\nA honeybee visits about two million flowers to make one jar of honey.\n",
    "tides.md": "# Tides\n\nThe moon pulls the oceans, and so the tide rises twice a day.\n",
}


def brief(body):
    """Short answers: a test has no time for long ones."""
    for entry in body["nodes"].values():
        if entry["type"] == "LocalChat":
            entry["settings"]["max_tokens"] = min(12, entry["settings"].get("max_tokens", 12))
        brief(entry.get("body", {"nodes": {}}))


@pytest.fixture
def begun(tmp_path, monkeypatch):
    """A workflow of a template, in a folder with some files."""
    for name, text in FACTS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def begin(id):
        document = Workflow.from_dict(find(id).flow_data).to_dict()
        brief(document)
        return Workflow.from_dict(document), find(id).inputs

    return begin


def finished(run):
    return {event.node for event in run.events if event.type == "node.finished" and "/" not in event.node}


def test_every_template_is_run_below():
    names = [name.removeprefix("test_run_") for name in globals() if name.startswith("test_run_")]
    assert sorted(names) == sorted(each.id for each in builtins())


def test_run_ask_files(begun):
    wf, _ = begun("ask_files")
    first = wf.run(question="What pulls the oceans?", session="a conversation")
    passages = first["search"]["documents"]
    assert {each.page_content.strip() for each in passages} == {text.strip() for text in FACTS.values()}
    assert "moon" in passages[0].page_content
    assert first.output.strip()
    assert first["memory"]["messages"] == []
    second = wf.run(question="And what do bees do?", session="a conversation")
    assert [each.content for each in second["memory"]["messages"]] == ["What pulls the oceans?", first.output]


def test_run_classify_and_route(begun):
    wf, inputs = begun("classify_and_route")
    run = wf.run(**inputs)
    assert run.output["kind"].strip('"') in ("billing", "technical", "other")
    assert run.output["answer"].strip()
    taken = finished(run) & {"billing", "technical", "other"}
    assert len(taken) == 1
    assert run["kind"]["text"].strip('"') in taken


@pytest.mark.parametrize("approve", [True, False])
def test_run_approved_draft(begun, approve):
    wf, inputs = begun("approved_draft")
    run = wf.start(**inputs).wait()
    assert run.status == "paused"
    (question,) = run.questions.values()
    assert question.value.strip()
    run.resume(approve=approve, value="Closed on Friday.")
    assert run.output == (
        "Closed on Friday." if approve else f"Not sent. The draft was:\n\n{'Closed on Friday.'}"
    )


def test_run_summarise_table(begun):
    pandas = pytest.importorskip("pandas")
    wf, inputs = begun("summarise_table")
    run = wf.run(**inputs)
    assert run.output["rows"] == inputs["rows"]
    assert len(run.output["summaries"]) == len(inputs["rows"])
    assert all(summary.strip() for summary in run.output["summaries"])
    table = pandas.DataFrame({"city": ["Bern"], "people": [146_000]})
    assert wf.run(rows=table).output["rows"] == [{"city": "Bern", "people": 146_000}]


def test_run_compare_prompts(begun):
    wf, inputs = begun("compare_prompts")
    run = wf.run(**inputs)
    first, second = run["answer_first"]["text"], run["answer_second"]["text"]
    assert first.strip()
    assert second.strip()
    assert run.output == f"## First prompt\n\n{first}\n\n## Second prompt\n\n{second}"
