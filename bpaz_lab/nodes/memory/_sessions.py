"""What this process remembers of conversations: those of runs with a session that no store keeps.

Example:
    >>> memory = Sessions()
    >>> memory.add("monday", "Hi", "Hello!")
    >>> [message["content"] for message in memory.messages("monday", 10)]
    ['Hi', 'Hello!']
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from typing import Final

SESSIONS: Final = 1000
"""Conversations that are kept; the one that was silent for longest is forgotten first."""
MESSAGES: Final = 1000
"""Messages of a conversation that are kept."""


class Sessions:
    """Conversations by session. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, deque[dict[str, str]]] = OrderedDict()

    def add(self, session: str, asked: str, answered: str) -> None:
        """Keeps a question and its answer."""
        with self._lock:
            messages = self._known.setdefault(session, deque(maxlen=MESSAGES))
            messages.append({"role": "user", "content": asked})
            messages.append({"role": "assistant", "content": answered})
            self._known.move_to_end(session)
            if len(self._known) > SESSIONS:
                self._known.popitem(last=False)

    def messages(self, session: str, limit: int) -> list[dict[str, str]]:
        """The last messages of a conversation, oldest first."""
        with self._lock:
            return list(self._known.get(session, ()))[-limit:]


PROCESS: Final = Sessions()
"""What this process remembers."""
