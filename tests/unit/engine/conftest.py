from __future__ import annotations

import pytest

from tests.support.flows import Flow


@pytest.fixture(params=["direct", "langgraph", "durable"])
def through(request):
    """The ways of running a plan, which give the same results and events."""
    return request.param


@pytest.fixture
def flow():
    return Flow()
