"""Google's Gemini API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpaz_lab.vault.asking import Question, Reply
from bpaz_lab.vault.credential_type import CredentialType, api_key

if TYPE_CHECKING:
    from collections.abc import Mapping


def google_taken(reply: Reply, usual: bool | None) -> bool | None:
    """Google answers 400, with a reason, to a key that it does not know."""
    return False if reply.status == 400 and "API_KEY_INVALID" in reply.text else usual


class Google(CredentialType):
    """A key of Google's Gemini API. Asked is ``models.list`` of its reference, for one model."""

    name = "google"
    title = "Google Gemini"
    fields = (api_key("Starts with AIza; from Google AI Studio."),)
    usual_base = "https://generativelanguage.googleapis.com/v1beta"

    def question(self, fields: Mapping[str, str]) -> Question:
        """Lists one model."""
        return Question(f"{self.base}/models", {"x-goog-api-key": fields["api_key"]}, query={"pageSize": "1"})

    def taken(self, reply: Reply) -> bool | None:
        """See `google_taken`."""
        return google_taken(reply, super().taken(reply))
