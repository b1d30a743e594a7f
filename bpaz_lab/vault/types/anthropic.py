"""Anthropic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpaz_lab.vault.asking import Question
from bpaz_lab.vault.credential_type import CredentialType, api_key

if TYPE_CHECKING:
    from collections.abc import Mapping


class Anthropic(CredentialType):
    """A key of Anthropic's API. Asked is "List Models" of its reference, for one model."""

    name = "anthropic"
    title = "Anthropic"
    fields = (api_key("Starts with sk-ant-; from the console, API keys."),)
    usual_base = "https://api.anthropic.com/v1"

    def question(self, fields: Mapping[str, str]) -> Question:
        """Lists one model."""
        headers = {"x-api-key": fields["api_key"], "anthropic-version": "2023-06-01"}
        return Question(f"{self.base}/models", headers, query={"limit": "1"})
