"""What the embedding models share: loading once a process, whichever thread comes first."""

from __future__ import annotations

import threading
from functools import cache, wraps
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def once(load: Callable[[], T]) -> Callable[[], T]:
    """Like :func:`functools.cache`, but threads that come at the same time wait for the first.

    A call that raises is not kept: the next one tries again.

    Args:
        load: What makes the value.

    Example:
        >>> number = once(lambda: 1)
        >>> number()
        1
    """
    remember, lock = cache(load), threading.Lock()

    @wraps(load)
    def loaded() -> T:
        with lock:
            return remember()

    return loaded
