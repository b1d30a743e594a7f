"""What a script needs beside its nodes: branches not taken, policies, credentials.

These functions are copied into scripts; they use nothing but the standard library.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

MISSING = object()
"""What a branch gives that was not taken."""


def step(
    function: Callable[..., Any], needed: tuple[str, ...], wires: dict[str, Any], /, **settings: Any
) -> Any:
    """Calls the function with what came, unless the branches that feed it were not taken."""
    came = {name: value for name, value in wires.items() if value is not MISSING}
    if not came or any(name not in came for name in needed):
        return MISSING
    return function(**came, **settings)


def way(found: Any, name: str) -> Any:
    """One output of a step, if it was taken."""
    return found if found is MISSING else found.get(name, MISSING)


def via(convert: Callable[[Any], Any], value: Any) -> Any:
    """The value converted, if it came."""
    return value if value is MISSING else convert(value)


def several(*values: Any) -> Any:
    """The values that came."""
    came = [value for value in values if value is not MISSING]
    return came or MISSING


def gathered(**values: Any) -> dict[str, Any]:
    """The results that came, by name."""
    return {name: value for name, value in values.items() if value is not MISSING}


def reached(ends: dict[str, Any]) -> Any:
    """What the end gives that was reached; of several a dict."""
    found = {name: value for name, value in ends.items() if value is not MISSING}
    return next(iter(found.values())) if len(found) == 1 else (found or None)


def told(error: Exception) -> dict[str, str]:
    """An error as data."""
    code, message = getattr(error, "code", "node_failed"), getattr(error, "message", "")
    said = message or (f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
    return {
        "code": code if isinstance(code, str) else "node_failed",
        "message": said,
        "hint": getattr(error, "hint", ""),
        "path": getattr(error, "path", ""),
    }


def tried(  # noqa: C901 (copied into scripts, where it reads best as one)
    function: Callable[..., Any],
    *,
    retries: int = 0,
    wait: float = 1.0,
    retry_on: tuple[str, ...] | None = None,
    timeout: float | None = None,
    on_error: str = "fail",
    default: Any = None,
    main: str = "",
) -> Callable[..., Any]:
    """The function with repeats, a time limit, and something to give where it fails.

    ``main`` names its output where the result is a dict by output. Waits double at random up to a minute.
    """

    def once(**inputs: Any) -> Any:
        if timeout is None:
            return function(**inputs)
        pool = ThreadPoolExecutor(1)
        try:
            return pool.submit(function, **inputs).result(timeout)
        finally:
            pool.shutdown(wait=False)

    def worth(error: Exception) -> bool:
        if retry_on is None:
            return not isinstance(error, TypeError | SyntaxError | NotImplementedError)
        return bool({cls.__name__ for cls in type(error).__mro__} & set(retry_on))

    def call(**inputs: Any) -> Any:
        for number in range(retries + 1):
            try:
                return once(**inputs)
            except Exception as error:
                if number < retries and worth(error):
                    time.sleep(random.uniform(0, min(60.0, wait * 2**number)))  # noqa: S311 (no secret)
                elif on_error == "port":
                    return {"error": told(error)}
                elif on_error == "default":
                    return {main: default} if main else default
                else:
                    raise
        return None

    return call


def named(function: Callable[..., Any], output: str) -> Callable[..., Any]:
    """The function with its result under the name of its output."""
    return lambda **inputs: {output: function(**inputs)}


def credential(variable: str) -> str:
    """A key from an environment variable."""
    if value := os.environ.get(variable, "").strip():
        return value
    raise SystemExit(f"set the environment variable {variable}")
