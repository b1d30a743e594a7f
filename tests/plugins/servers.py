"""Servers for tests: ``server`` in the profile local, ``shared`` with accounts, one each for a file of tests.

``serve(profile="shared", body_limit=2048)`` gives one of its own, with any settings.
"""

from __future__ import annotations

from contextlib import ExitStack

import pytest


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A real Jupyter server with the extension, for one person."""
    from tests.support.server import serving

    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """The same in the profile shared, where people sign up and in."""
    from tests.support.server import serving

    settings = {"profile": "shared", "accept_shared_risk": True}
    with serving(tmp_path_factory.mktemp("shared"), settings) as running:
        yield running


@pytest.fixture
def serve(tmp_path):
    """Starts servers with settings of their own; they stop at the end of the test, the last one first."""
    from tests.support.server import serving

    with ExitStack() as stack:
        yield lambda jupyter=None, **settings: stack.enter_context(serving(tmp_path, settings, jupyter))


@pytest.fixture
def api(server):
    """A client that Jupyter knows."""
    return server.client()
