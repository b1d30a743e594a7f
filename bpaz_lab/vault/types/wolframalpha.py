"""Wolfram|Alpha."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bpaz_lab.vault.asking import Question, Reply
from bpaz_lab.vault.credential_type import CredentialType, api_key

if TYPE_CHECKING:
    from collections.abc import Mapping

_ERROR: Final = re.compile(r"<error>\s*<code>(\d+)</code>")
_NO_ID: Final = ("1", "2")
"""Codes of an AppID that is invalid, or missing."""


class WolframAlpha(CredentialType):
    """An AppID of Wolfram|Alpha's Full Results API.

    Asked is ``validatequery`` of its reference, which only parses. This API takes the AppID in the address
    and nowhere else.
    """

    name = "wolframalpha"
    title = "Wolfram|Alpha"
    fields = (api_key("From the developer portal; of the Full Results API.", name="app_id", title="AppID"),)
    usual_base = "https://api.wolframalpha.com/v2"

    def question(self, fields: Mapping[str, str]) -> Question:
        """Has a short query parsed."""
        return Question(f"{self.base}/validatequery", query={"appid": fields["app_id"], "input": "1"})

    def taken(self, reply: Reply) -> bool | None:
        """Errors come with status 200, in XML."""
        error = _ERROR.search(reply.text)
        if error:
            return False if error[1] in _NO_ID else None
        return super().taken(reply)
