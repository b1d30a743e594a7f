"""Code and back is the same, for any workflow; and a cell that runs the code gets the same too."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

import bpaz_lab as bz
from bpaz_lab.code.python import to_python
from bpaz_lab.graph.changes import same
from bpaz_lab.nodes.catalogue import catalogue

sys.path.insert(0, str(Path(__file__).parent))
from workflows import documents

pytestmark = pytest.mark.unit
MANY = settings(
    max_examples=100,
    deadline=None,
    phases=set(Phase) - {Phase.explain, Phase.shrink},
    suppress_health_check=list(HealthCheck),
)


def begin(told):
    return bz.Workflow(told) if isinstance(told, str) else bz.Workflow.from_dict(told)


@MANY
@given(documents)
def test_reading_the_code_gives_the_same(document):
    source = to_python(document, catalogue())
    assert to_python(document, catalogue()) == source
    again = bz.Workflow.from_python(source)
    assert same(again.history.document, document), source
    assert bz.Workflow.from_python(again.to_python()).to_python() == again.to_python()


@MANY
@given(documents)
def test_running_the_code_gives_the_same(document):
    source = to_python(document, catalogue())
    cell = {}
    exec(compile(source, "cell", "exec", dont_inherit=True), cell)  # noqa: S102
    assert same(cell["wf"].history.document, document), source


@MANY
@given(documents)
def test_code_without_layout_is_dressed_again(document):
    workflow = bz.Workflow.from_dict(document)
    bare = workflow.to_python(layout=False)
    assert same(bz.Workflow.from_python(bare, like=workflow).history.document, workflow.history.document)
