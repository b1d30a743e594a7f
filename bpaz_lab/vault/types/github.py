"""GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpaz_lab.vault.asking import Question
from bpaz_lab.vault.credential_type import CredentialType, api_key, bearer

if TYPE_CHECKING:
    from collections.abc import Mapping


class GitHub(CredentialType):
    """A token of GitHub, of any kind.

    Asked is ``GET /rate_limit`` of its reference, which every token may call, and which counts against no
    limit.
    """

    name = "github"
    title = "GitHub"
    fields = (api_key("Starts with ghp_ or github_pat_; from the developer settings.", title="Token"),)
    usual_base = "https://api.github.com"

    def question(self, fields: Mapping[str, str]) -> Question:
        """Asks for the limits."""
        headers = {"x-github-api-version": "2022-11-28", **bearer(fields["api_key"])}
        return Question(f"{self.base}/rate_limit", headers)
