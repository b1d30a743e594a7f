"""Tavily."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpaz_lab.vault.asking import Question
from bpaz_lab.vault.credential_type import CredentialType, api_key, bearer

if TYPE_CHECKING:
    from collections.abc import Mapping


class Tavily(CredentialType):
    """A key of Tavily's search. Asked is ``GET /usage`` of its reference, which uses no credit."""

    name = "tavily"
    title = "Tavily"
    fields = (api_key("Starts with tvly-; from the dashboard."),)
    usual_base = "https://api.tavily.com"

    def question(self, fields: Mapping[str, str]) -> Question:
        """Asks how much was used."""
        return Question(f"{self.base}/usage", bearer(fields["api_key"]))
