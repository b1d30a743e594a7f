"""What the embedding models share: loading once a process, whichever thread comes first."""

from __future__ import annotations

import threading
from functools import cache, wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


def once(load: Callable[P, T]) -> Callable[P, T]:
    """Like :func:`functools.cache`, but threads that come at the same time wait for the first.

    A call that raises is not kept.

    Args:
        load: A function of hashable arguments.
    """
    remember, lock = cache(load), threading.Lock()

    @wraps(load)
    def loaded(*args: P.args, **kwargs: P.kwargs) -> T:
        with lock:
            return remember(*args, **kwargs)  # type: ignore[arg-type]

    return loaded
