"""What every list takes and gives."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import Field

from bpaz_lab.services.route import Model

Item = TypeVar("Item")


class Listing(Model):
    """Which page of a list, and in which order."""

    limit: int = Field(50, ge=1, le=200, description="Items of a page.")
    cursor: str = Field("", max_length=2000, description="`next` of the page before; empty for the first.")
    sort: str = Field("-created_at", max_length=50, description="A field; `-` before it turns the order.")


class Page(Model, Generic[Item]):
    """One page of a list; ``next`` is empty at the end."""

    items: list[Item]
    next: str = ""
