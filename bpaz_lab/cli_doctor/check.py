"""What one look at an installation has found."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

State = Literal["ok", "warning", "fault"]


@dataclass(frozen=True)
class Check:
    """What one look has found.

    Attributes:
        name: What was looked at.
        state: ``ok``, ``warning`` (it works, and somebody should know) or ``fault``.
        said: What is there.
        hint: What to do; empty where nothing is to be done.
    """

    name: str
    state: State
    said: str
    hint: str = ""


def open_to_others(path: Path) -> bool:
    """Whether a file or folder is there, and not for its owner alone."""
    return os.name == "posix" and path.exists() and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
