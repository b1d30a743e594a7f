"""Pinecone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpaz_lab.vault.asking import Question
from bpaz_lab.vault.credential_type import CredentialType, api_key

if TYPE_CHECKING:
    from collections.abc import Mapping


class Pinecone(CredentialType):
    """A key of a Pinecone project. Asked is "List indexes" of its reference."""

    name = "pinecone"
    title = "Pinecone"
    fields = (api_key("Starts with pcsk_; from the console, API keys."),)
    usual_base = "https://api.pinecone.io"

    def question(self, fields: Mapping[str, str]) -> Question:
        """Lists the indexes."""
        headers = {"api-key": fields["api_key"], "x-pinecone-api-version": "2025-10"}
        return Question(f"{self.base}/indexes", headers)
