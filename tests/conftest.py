"""What every test shares: no network but loopback, and the long tests only when asked for."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
import tempfile

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.plugins.accounts", "tests.plugins.databases", "tests.plugins.servers"]


LONG = ("browser/", "crash/", "withstand/", "api/", "auth/", "workflows/", "unit/test_")
"""The tests that start processes; they begin first, so that the workers end together."""


class NetworkBlocked(RuntimeError):
    """A test reached for the network; no test may need it."""


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="run the long tests too, at full length")


def pytest_configure(config):
    config.addinivalue_line("markers", "full: takes long; only `make test-all` runs it")
    sys.addaudithook(_only_loopback)
    settings.register_profile(
        "tests",
        max_examples=400 if config.getoption("--full") else 50,
        deadline=None,  # how long an example takes says how busy the machine is
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("tests")
    folder = tempfile.TemporaryDirectory(prefix="bpaz-tests-")  # nothing of the person who runs the tests
    os.environ["BPAZ_DATA_FOLDER"] = folder.name
    config.add_cleanup(folder.cleanup)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A worker gets whole files, and all browser tests in one: two browsers at once are slow ones."""
    from xdist.scheduler import LoadFileScheduling

    class Files(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            return "browser" if _rank(file) == 0 else file

    return Files(config, log)


def pytest_collection_modifyitems(config, items):
    items.sort(key=lambda item: _rank(item.nodeid))
    for item in items:
        if config.getoption("--full"):
            item.add_marker(pytest.mark.timeout(3600), append=False)
        elif item.get_closest_marker("full"):
            item.add_marker(pytest.mark.skip(reason="long; run with --full"))


@pytest.fixture(scope="session")
def full(request):
    """Whether tests shall run at full length."""
    return request.config.getoption("--full")


def _rank(nodeid):
    return next((rank for rank, start in enumerate(LONG) if nodeid.startswith(f"tests/{start}")), len(LONG))


def _only_loopback(event, arguments):
    # Audit events come from the interpreter itself, so asyncio and every HTTP library are covered.
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        if not isinstance(address, tuple) or _is_loopback(address[0]):
            return
        raise NetworkBlocked(f"connection to {address[0]}:{address[1]}: tests have no network but loopback")
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0].decode() if isinstance(arguments[0], bytes) else arguments[0]
        if not host or host == socket.gethostname() or _is_loopback(host) or _is_address(host):
            return
        if host.endswith(".invalid"):  # RFC 6761: such a name never resolves, network or not
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        raise NetworkBlocked(f"look-up of {host}: tests have no network but loopback")


def _is_address(host):
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def _is_loopback(host):
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)
