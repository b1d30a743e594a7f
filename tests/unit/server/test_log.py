from __future__ import annotations

import json
import logging

import pytest
import structlog

from bpaz_lab.server.log import NAME, fault, open_log
from bpaz_lab.settings import Settings

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def keeps_the_logger():
    logger = logging.getLogger(NAME)
    before = logger.handlers, logger.level, logger.propagate
    yield
    logger.handlers, logger.propagate = before[0], before[2]
    logger.setLevel(before[1])
    structlog.contextvars.clear_contextvars()


def raised(message):
    try:
        int(message)
    except ValueError as error:
        return error


def test_a_line_is_json_with_what_the_request_has_bound(capsys):
    log = open_log(Settings())
    structlog.contextvars.bind_contextvars(request_id="r1", user_id="u1")
    log.info("request", status=200)
    line = json.loads(capsys.readouterr().err)
    assert {
        "event": "request",
        "status": 200,
        "request_id": "r1",
        "user_id": "u1",
        "level": "info",
    }.items() <= line.items()
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize(("level", "lines"), [("debug", 3), ("info", 2), ("warning", 1), ("nonsense", 2)])
def test_the_level_is_the_settings(level, lines, capsys):
    log = open_log(Settings(log_level=level))
    log.debug("a")
    log.info("b")
    log.warning("c")
    assert len(capsys.readouterr().err.splitlines()) == lines


def test_an_unexpected_error_is_told_by_its_place():
    told = fault(raised("sk-canary"), Settings())
    assert told["error"] == "ValueError"
    assert "test_log.py:" in told["where"][-1]
    assert "canary" not in str(told)


def test_its_message_only_for_who_debugs():
    assert "sk-canary" in fault(raised("sk-canary"), Settings(debug=True))["traceback"]
