"""Cohere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bpaz_lab.vault.asking import Question, Reply
from bpaz_lab.vault.credential_type import CredentialType, api_key, bearer

if TYPE_CHECKING:
    from collections.abc import Mapping


class Cohere(CredentialType):
    """A key of Cohere's API. Asked is "Check API key" of its reference, which is made for this."""

    name = "cohere"
    title = "Cohere"
    fields = (api_key("From the dashboard, API keys."),)
    usual_base = "https://api.cohere.com/v1"

    def question(self, fields: Mapping[str, str]) -> Question:
        """Has the key checked."""
        return Question(f"{self.base}/check-api-key", bearer(fields["api_key"]), method="POST")

    def taken(self, reply: Reply) -> bool | None:
        """The answer says it in a field, with status 200."""
        usual = super().taken(reply)
        if not usual:
            return usual
        try:
            valid = json.loads(reply.text)["valid"]
        except (ValueError, KeyError, TypeError):
            return None
        return valid is True
