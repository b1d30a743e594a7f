from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import bpaz_lab as bz
from bpaz_lab.engine.otel import CONTENT
from tests.support.flows import Flow

pytestmark = pytest.mark.unit


@pytest.fixture
def exported(monkeypatch):
    """The spans that were exported, by name."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    return lambda: {span.name: span for span in exporter.get_finished_spans()}


class Chat(bz.Node):
    """Tells what it used."""

    def run(self, text: str, context: bz.Context) -> str:
        context.usage(1000, 500, "gpt-4o")
        return text


def fails(value: Any) -> Any:
    """Fails."""
    raise bz.InputError("it is wrong")


def chat():
    flow = Flow()
    flow.add(Chat, id="chat")
    return flow


def test_a_run_and_its_nodes(exported):
    tracer = trace.get_tracer("test")
    with tracer.start_as_current_span("outer") as outer:
        result = chat().run(text="a private text", cache=False)
    spans = exported()
    run, node = spans["run Test"], spans["node chat"]
    assert run.parent.span_id == outer.get_span_context().span_id
    assert node.parent.span_id == run.context.span_id
    assert run.attributes["bpaz.run.id"] == result.id
    assert run.attributes["bpaz.run.status"] == "completed"
    assert node.attributes["gen_ai.usage.input_tokens"] == 1000
    assert node.attributes["gen_ai.usage.output_tokens"] == 500
    assert node.attributes["bpaz.cost_usd"] == 0.0075
    assert run.start_time <= node.start_time <= node.end_time <= run.end_time
    assert outer.start_time <= run.start_time
    assert "private" not in "".join(span.to_json() for span in spans.values())


def test_values_where_they_are_asked_for(exported, monkeypatch):
    monkeypatch.setenv(CONTENT, "true")
    chat().run(text="a private text", cache=False)
    assert exported()["node chat"].attributes["bpaz.node.output.text"] == "a private text"


def test_an_error_is_a_status(exported):
    flow = Flow()
    flow.put(fails, "fails")
    flow.start(value=1).wait(20)
    for name in ("node fails", "run Test"):
        span = exported()[name]
        assert span.status.status_code is trace.StatusCode.ERROR
        assert "it is wrong" in span.status.description
    assert exported()["node fails"].attributes["error.type"] == "input"


def test_what_is_inside_a_container_hangs_on_it(exported):
    wf = bz.Workflow("Each")
    with wf.add("ForEach", id="each") as body:
        item = body.add("Start", fields=[{"name": "item", "kind": "json"}], id="item")
        item >> body.add("End", fields=["item"], id="end")
    assert wf.run(items=[1, 2], cache=False).status == "completed"
    spans = exported()
    assert spans["node each/item"].parent.span_id == spans["node each"].context.span_id
    assert spans["node each"].parent.span_id == spans["run Each"].context.span_id


def test_a_pause_is_part_of_one_run(exported):
    wf = bz.Workflow("Ask")
    wf.add("HumanApproval", id="ok")
    run = wf.run(value="x")
    assert not exported()
    run.resume(approve=True)
    assert exported().keys() == {"run Ask", "node ok"}
    assert exported()["node ok"].attributes["bpaz.node.waited_seconds"] >= 0


def test_a_fault_of_somebodys_processor_fails_no_run(exported, caplog):
    class Faulty(SpanProcessor):
        def on_end(self, span):
            raise RuntimeError("the disk is full")

    trace.get_tracer_provider().add_span_processor(Faulty())
    assert chat().run(text="x", cache=False).status == "completed"
    assert "the disk is full" in caplog.text


def test_nothing_is_loaded_or_told_where_nobody_traces():
    code = (
        "import sys, bpaz_lab as bz; wf = bz.Workflow(); wf.add('PromptTemplate', template='Hi');"
        "wf.run(); print('opentelemetry.sdk' in sys.modules, 'langsmith' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False"]


def test_a_program_without_a_provider_is_left_alone():
    code = (
        "import opentelemetry.trace as trace, bpaz_lab as bz; wf = bz.Workflow();"
        "wf.add('PromptTemplate', template='Hi'); wf.run();"
        "print(type(trace.get_tracer_provider()).__name__)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "ProxyTracerProvider"
