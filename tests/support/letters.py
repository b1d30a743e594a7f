"""Workflows for the tests of durable runs, and words that their nodes leave behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpaz_lab as bz

if TYPE_CHECKING:
    from pathlib import Path


def letter() -> bz.Workflow:
    """A workflow that asks a person: ``who -> draft -> ask -> out``."""
    wf = bz.Workflow("Letter")
    draft = wf.add("PromptTemplate", id="draft", template="Dear {name}, your parcel is late.")
    ask = wf.add("HumanApproval", id="ask", question="Send it?", edit=True)
    wf.add("ChatInput", id="who", name="name") >> draft >> ask["value"]
    ask["approved"] >> wf.add("ChatOutput", id="out")
    return wf


def double(value):
    """Twice the value."""
    return value * 2


def say(path: Path, word: object) -> None:
    """Leaves a word: a list that a node fills would count as a change of its code."""
    with path.open("a") as file:
        file.write(f"{word} ")


def said(path: Path) -> list[str]:
    """The words since this was asked last."""
    words = path.read_text().split() if path.exists() else []
    path.unlink(missing_ok=True)
    return words
