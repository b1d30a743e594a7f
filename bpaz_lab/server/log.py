"""The log of requests: one line of JSON each, with ids to find it by.

It holds no body, no header and no value of a query string, so no secret either. Where an unexpected
error came from is told by file and line; its message only with the setting ``debug``, because a message
may quote what was sent.
"""

from __future__ import annotations

import logging
import sys
import traceback
from typing import TYPE_CHECKING, Any, Final

import structlog

if TYPE_CHECKING:
    from bpaz_lab.settings import Settings

NAME: Final = "bpaz_lab.server"
_FRAMES: Final = 4


def open_log(settings: Settings) -> Any:
    """A logger that writes lines of JSON to the server's standard error.

    Args:
        settings: Its ``log_level`` counts.

    Returns:
        A structlog logger; what a request binds by ``structlog.contextvars`` is in each line.
    """
    logger = logging.getLogger(NAME)
    logger.setLevel(_level(settings.log_level))
    logger.propagate = False
    logger.handlers = [logging.StreamHandler(sys.stderr)]
    return structlog.wrap_logger(
        logger,
        wrapper_class=structlog.stdlib.BoundLogger,
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(),
        ],
    )


def fault(error: BaseException, settings: Settings) -> dict[str, Any]:
    """What the log tells of an unexpected error."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    told: dict[str, Any] = {
        "error": type(error).__name__,
        "where": [f"{frame.filename}:{frame.lineno}" for frame in frames],
    }
    if isinstance(error, ImportError):
        told["module"] = error.name
    if settings.debug:
        told["traceback"] = "".join(traceback.format_exception(error))
    return told


def _level(name: str) -> int:
    return logging.getLevelNamesMapping().get(name.upper(), logging.INFO)
