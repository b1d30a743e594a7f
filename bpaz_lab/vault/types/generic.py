"""Anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bpaz_lab.vault.credential_type import CredentialType, Field

if TYPE_CHECKING:
    from collections.abc import Mapping


class Generic(CredentialType):
    """A secret of one's own. It goes to the hosts that one allows, to none by itself; nobody can be asked."""

    name = "generic"
    title = "Generic secret"
    fields = (Field("value", "Value", secret=True, help="A password, a token."),)

    def question(self, fields: Mapping[str, str]) -> None:  # noqa: ARG002 (the base's signature)
        """There is nobody to ask."""
        return
