"""Any server that speaks OpenAI's interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpaz_lab.vault.asking import Question
from bpaz_lab.vault.credential_type import CredentialType, Field, api_key, bearer

if TYPE_CHECKING:
    from collections.abc import Mapping


class OpenAICompatible(CredentialType):
    """A server that speaks OpenAI's interface, and its key. Asked is "List models", as of OpenAI."""

    name = "openai_compatible"
    title = "OpenAI-compatible server"
    serves = ("openai",)
    fields = (
        Field("base_url", "Base URL", help="Such as https://models.example/v1.", kind="url"),
        api_key("Of this server."),
    )

    def question(self, fields: Mapping[str, str]) -> Question:
        """Lists the models."""
        return Question(f"{fields['base_url']}/models", bearer(fields["api_key"]))
