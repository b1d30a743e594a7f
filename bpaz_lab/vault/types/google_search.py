"""Google's programmable search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpaz_lab.vault.asking import Question, Reply
from bpaz_lab.vault.credential_type import CredentialType, Field, api_key
from bpaz_lab.vault.types.google import google_taken

if TYPE_CHECKING:
    from collections.abc import Mapping


class GoogleSearch(CredentialType):
    """A key of Google's Custom Search JSON API and the engine that it searches with.

    Asked is ``cse.list`` of its reference, the only method there is: it takes one query of the day's quota.
    """

    name = "google_search"
    title = "Google Search"
    fields = (
        api_key("Starts with AIza; from the Google Cloud console, where the Custom Search API is enabled."),
        Field("engine_id", "Search engine ID", help="The `cx` of the engine, from its control panel."),
    )
    usual_base = "https://customsearch.googleapis.com"

    def question(self, fields: Mapping[str, str]) -> Question:
        """Searches once, for one result."""
        query = {"cx": fields["engine_id"], "q": "test", "num": "1", "fields": "kind"}
        return Question(f"{self.base}/customsearch/v1", {"x-goog-api-key": fields["api_key"]}, query=query)

    def taken(self, reply: Reply) -> bool | None:
        """See `google_taken`."""
        return google_taken(reply, super().taken(reply))
