"""Hugging Face."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpaz_lab.vault.asking import Question
from bpaz_lab.vault.credential_type import CredentialType, api_key, bearer

if TYPE_CHECKING:
    from collections.abc import Mapping


class HuggingFace(CredentialType):
    """A user access token of Hugging Face. Asked is ``whoami-v2`` of the Hub API."""

    name = "huggingface"
    title = "Hugging Face"
    fields = (api_key("Starts with hf_; from the settings of your account.", title="Access token"),)
    usual_base = "https://huggingface.co/api"

    def question(self, fields: Mapping[str, str]) -> Question:
        """Asks whose token it is."""
        return Question(f"{self.base}/whoami-v2", bearer(fields["api_key"]))
