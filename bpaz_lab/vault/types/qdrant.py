"""Qdrant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpaz_lab.vault.asking import Question
from bpaz_lab.vault.credential_type import CredentialType, Field, api_key

if TYPE_CHECKING:
    from collections.abc import Mapping


class Qdrant(CredentialType):
    """A Qdrant server and its key. Asked is "List all collections" of its reference."""

    name = "qdrant"
    title = "Qdrant"
    fields = (
        Field("url", "Address", help="Such as https://name.cloud.qdrant.io:6333.", kind="url"),
        api_key("Of this server, or of the cluster."),
    )

    def question(self, fields: Mapping[str, str]) -> Question:
        """Lists the collections."""
        return Question(f"{fields['url']}/collections", {"api-key": fields["api_key"]})
