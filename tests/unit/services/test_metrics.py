from __future__ import annotations

from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from bpaz_lab.errors import Forbidden
from bpaz_lab.services import metrics
from bpaz_lab.services.call import Call
from bpaz_lab.services.dispatch import dispatch
from bpaz_lab.services.lab import Lab
from bpaz_lab.settings import Settings
from bpaz_lab.store.caller import Caller

pytestmark = pytest.mark.unit


def value(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_requests_are_counted_by_route_and_their_errors_by_code():
    before = value("bpaz_request_seconds_count", route="a", method="GET")
    metrics.request_finished("a", "GET", 0.2)
    metrics.request_finished("a", "GET", 0.3, "not_found")
    assert value("bpaz_request_seconds_count", route="a", method="GET") == before + 2
    assert value("bpaz_request_errors_total", route="a", code="not_found") >= 1


def test_nodes_are_counted_by_type_and_those_of_cells_together():
    before = value("bpaz_node_seconds_count", type="other")
    metrics.node_finished("PromptTemplate", 0.1)
    metrics.node_finished("of_a_cell", 0.1)
    metrics.node_finished("of_another_cell", 0.1)
    assert value("bpaz_node_seconds_count", type="PromptTemplate") >= 1
    assert value("bpaz_node_seconds_count", type="other") == before + 2
    assert REGISTRY.get_sample_value("bpaz_node_seconds_count", {"type": "of_a_cell"}) is None


def test_runs_that_are_under_way_are_counted():
    before = value("bpaz_active_runs")
    metrics.run_started()
    assert value("bpaz_active_runs") == before + 1
    metrics.run_ended("completed")
    assert value("bpaz_active_runs") == before
    assert value("bpaz_runs_total", status="completed") >= 1


async def test_the_figures_are_for_those_who_may_see_them(tmp_path):
    lab = Lab.of(Settings(data_folder=str(tmp_path)))
    raw = await dispatch(Call(lab, Caller(uuid4(), "ada", frozenset({"view_metrics"}))), "GET", "metrics")
    assert raw.media_type.startswith("text/plain")
    assert b"bpaz_active_runs" in raw.content
    assert b"process_resident_memory_bytes" in raw.content
    with pytest.raises(Forbidden):
        await dispatch(Call(lab, Caller(uuid4(), "bob", frozenset({"create_workflow"}))), "GET", "metrics")
