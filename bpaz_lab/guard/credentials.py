"""Credentials: from the name in a document to the secret, at run time and never before.

Example:
    >>> resolver = EnvironmentResolver({"OPENAI_API_KEY": "not-a-real-key"})
    >>> resolver.resolve("openai", kinds=["openai"], host="api.openai.com")
    Secret(•••)
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from bpaz_lab.errors import CredentialError
from bpaz_lab.guard.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Resolver(Protocol):
    """Where credentials come from: the environment, or a store."""

    def resolve(self, name: str, *, kinds: Sequence[str], host: str | None) -> Secret:
        """The secret of a credential.

        Args:
            name: The name in ``{"$cred": "<name>"}``.
            kinds: The kinds of credential that the node takes, for instance ``["openai"]``.
            host: Where the secret is about to be sent; None when it goes to no host.

        Raises:
            CredentialError: There is no such credential, or it may not be sent to this host.
        """
        ...


@dataclass(frozen=True)
class Provider:
    """The environment variable that a provider's own software reads, and the hosts it talks to."""

    variable: str
    hosts: tuple[str, ...]


PROVIDERS: Final[dict[str, Provider]] = {
    "openai": Provider("OPENAI_API_KEY", ("api.openai.com",)),
    "anthropic": Provider("ANTHROPIC_API_KEY", ("api.anthropic.com",)),
    "google": Provider("GOOGLE_API_KEY", ("*.googleapis.com",)),
    "cohere": Provider("COHERE_API_KEY", ("api.cohere.com", "api.cohere.ai")),
    "huggingface": Provider("HF_TOKEN", ("huggingface.co", "*.huggingface.co", "*.hf.co")),
    "tavily": Provider("TAVILY_API_KEY", ("api.tavily.com",)),
    "wolfram": Provider("WOLFRAM_ALPHA_APPID", ("api.wolframalpha.com", "www.wolframalpha.com")),
    "github": Provider("GITHUB_TOKEN", ("github.com", "api.github.com", "raw.githubusercontent.com")),
    "pinecone": Provider("PINECONE_API_KEY", ("*.pinecone.io",)),
    "qdrant": Provider("QDRANT_API_KEY", ("*.qdrant.io",)),
}

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


class EnvironmentResolver:
    """Credentials from environment variables, for one person on their own machine.

    The credential ``openai`` is ``BPAZ_CREDENTIAL_OPENAI``, else the provider's usual variable
    ``OPENAI_API_KEY``. A workflow from elsewhere must not carry a key away by its ``base_url``: a
    provider's credential goes to the provider's hosts and to this machine only, any credential
    with ``BPAZ_CREDENTIAL_<NAME>_HOSTS`` (commas; ``*.example.org`` for subdomains) to those.
    A credential of another name without such a list goes wherever its workflow sends it.
    Kinds are not checked, for a variable does not tell its kind.

    Args:
        environ: The variables; the process's own by default.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ

    def resolve(self, name: str, *, kinds: Sequence[str], host: str | None) -> Secret:
        """The secret of a credential; see :class:`Resolver`."""
        if not _NAME.fullmatch(name):
            raise CredentialError(
                f"{name!r} is not the name of a credential",
                hint="A name starts with a letter and holds letters, digits, '_' and '-'.",
            )
        own = f"BPAZ_CREDENTIAL_{name.upper().replace('-', '_')}"
        provider = PROVIDERS.get(name.lower())
        variables = [own, provider.variable] if provider else [own]
        self._check_host(name, own, provider, host)
        for variable in variables:
            if value := self._environ.get(variable, "").strip():
                return Secret(value)
        raise CredentialError(
            f"there is no credential {name!r}" + (f" (of kind {' or '.join(kinds)})" if kinds else ""),
            hint=f"Set the environment variable {' or '.join(variables)} before starting the kernel, or in "
            f"a cell: os.environ[{variables[-1]!r}] = getpass.getpass(). {self._others()}".rstrip(),
        )

    def _check_host(self, name: str, own: str, provider: Provider | None, host: str | None) -> None:
        listed = self._environ.get(f"{own}_HOSTS", "").replace(",", " ").split()
        allowed = [*listed] or [*(provider.hosts if provider else ["*"])]
        if host is None or _is_this_machine(host) or any(_fits(host, pattern) for pattern in allowed):
            return
        raise CredentialError(
            f"the credential {name!r} may not be sent to {host}",
            hint=f"It goes to {', '.join(allowed)}. If you trust {host}, set {own}_HOSTS={host}, "
            "or use another credential.",
        )

    def _others(self) -> str:
        set_ = [name for name, known in PROVIDERS.items() if self._environ.get(known.variable)]
        return f"Set already: {', '.join(set_)}." if set_ else ""


def _fits(host: str, pattern: str) -> bool:
    host, pattern = host.lower().rstrip("."), pattern.lower()
    if pattern == "*":
        return True
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def _is_this_machine(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
