"""Requests made up from the OpenAPI description, sensible and not: none of them is the server's fault."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode

from bpaz_lab.services.openapi import description
from bpaz_lab.services.route import Stream
from bpaz_lab.services.table import ROUTES

pytestmark = pytest.mark.api

# Runs and their streams have tests of their own: here they would only start kernels by the hundred.
APART = {"execute_document", "stream_document", "execute_workflow", "stream_workflow"}
APART |= {route.name for route in ROUTES if Stream in route.kinds}


def operations():
    for result in schemathesis.openapi.from_dict(description()).get_all_operations():
        operation = result.ok()
        if operation.definition.raw["operationId"] not in APART:
            yield operation


@pytest.mark.parametrize("operation", list(operations()), ids=lambda operation: operation.label)
def test_no_request_is_the_servers_fault(server, full, operation):
    client = server.client(headers={"Authorization": "token the-token-of-jupyter"})
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))

    @given(case=cases)
    @settings(
        max_examples=200 if full else 2, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def fuzz(case):
        case.headers = {**(case.headers or {}), "Authorization": "token the-token-of-jupyter"}
        response = case.call(base_url=f"{server.url}bpaz/api/v1", timeout=60)
        case.validate_response(response, checks=[not_a_server_error])

    fuzz()
    assert client.get("health").status_code == 200
