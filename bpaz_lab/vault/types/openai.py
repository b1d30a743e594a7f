"""OpenAI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpaz_lab.vault.asking import Question
from bpaz_lab.vault.credential_type import CredentialType, api_key, bearer

if TYPE_CHECKING:
    from collections.abc import Mapping


class OpenAI(CredentialType):
    """A key of OpenAI's API. Asked is "List models" of its reference, which costs nothing."""

    name = "openai"
    title = "OpenAI"
    fields = (api_key("Starts with sk-; from platform.openai.com, API keys."),)
    usual_base = "https://api.openai.com/v1"

    def question(self, fields: Mapping[str, str]) -> Question:
        """Lists the models."""
        return Question(f"{self.base}/models", bearer(fields["api_key"]))
