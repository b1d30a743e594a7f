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

from bpaz_lab.errors import CredentialError, Forbidden, NotFound
from bpaz_lab.guard.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


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
    "wolframalpha": Provider("WOLFRAM_ALPHA_APPID", ("api.wolframalpha.com", "www.wolframalpha.com")),
    "google_search": Provider("GOOGLE_API_KEY", ("customsearch.googleapis.com", "www.googleapis.com")),
    "github": Provider("GITHUB_TOKEN", ("github.com", "api.github.com", "raw.githubusercontent.com")),
    "pinecone": Provider("PINECONE_API_KEY", ("*.pinecone.io",)),
    "qdrant": Provider("QDRANT_API_KEY", ("*.qdrant.io",)),
}

FORMER_NAMES: Final = {"wolfram": "wolframalpha"}
"""What a provider was called before; documents that say so still find it."""

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def provider_of(name: str) -> Provider | None:
    """The provider of this name, or of this former name; None where it is no provider's."""
    plain = name.lower()
    return PROVIDERS.get(FORMER_NAMES.get(plain, plain))


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
        provider = provider_of(name)
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
        if host is None or is_this_machine(host) or may_go_to(host, allowed):
            return
        raise CredentialError(
            f"the credential {name!r} may not be sent to {host}",
            hint=f"It goes to {', '.join(allowed)}. If you trust {host}, set {own}_HOSTS={host}, "
            "or use another credential.",
        )

    def _others(self) -> str:
        set_ = [name for name, known in PROVIDERS.items() if self._environ.get(known.variable)]
        return f"Set already: {', '.join(set_)}." if set_ else ""


class Chain:
    """Credentials by name from where they are kept, else from the environment.

    The order for a node: the credential that it names, as kept by the server; else the environment variable
    of that name, or the usual one of the node's provider; else an error that says both ways. What is kept
    but refused (its kind or host does not fit) is an error at once: another key in its place would surprise.

    Args:
        named: Where credentials are kept; raises NotFound where there is none of a name.
        environment: The environment of the process by default.

    Example:
        >>> chain = Chain(EnvironmentResolver({"BPAZ_CREDENTIAL_WORK": "kept"}), EnvironmentResolver({}))
        >>> chain.resolve("work", kinds=["openai"], host=None)
        Secret(•••)
    """

    def __init__(self, named: Resolver, environment: Resolver | None = None) -> None:
        self._named = named
        self._environment = environment or EnvironmentResolver()

    def resolve(self, name: str, *, kinds: Sequence[str], host: str | None) -> Secret:
        """The secret of a credential; see :class:`Resolver`."""
        try:
            return self._named.resolve(name, kinds=kinds, host=host)
        except NotFound:
            pass
        except Forbidden as refused:
            raise CredentialError(refused.message, hint=refused.hint) from None
        # A provider's own variable serves a credential of any name; it still goes to its hosts alone.
        told: CredentialError | None = None
        for each in dict.fromkeys([name, *filter(provider_of, kinds)]):
            if _NAME.fullmatch(each):
                try:
                    return self._environment.resolve(each, kinds=kinds, host=host)
                except CredentialError as error:
                    told = told or (error if each == name else None)
        usual = [provider.variable for kind in kinds if (provider := provider_of(kind))]
        ways = [
            "Keep it on the server: `bz.connect().credentials.set(...)`.",
            f"Or: {told.hint}" if told else "",
            f"The usual variable of its kind serves too: {' or '.join(usual)}." if usual else "",
        ]
        message = told.message if told else f"there is no credential {name!r}"
        raise CredentialError(message, hint=" ".join(filter(None, ways)))


def may_go_to(host: str, patterns: Iterable[str]) -> bool:
    """Whether a host is one of these: ``host``, ``*.host`` for its subdomains, ``*`` for any.

    Example:
        >>> may_go_to("eu.models.example", ["*.models.example"])
        True
    """
    plain = host.lower().rstrip(".")
    return any(
        pattern == "*" or (plain.endswith(pattern[1:]) if pattern.startswith("*.") else plain == pattern)
        for pattern in map(str.lower, patterns)
    )


def is_this_machine(host: str) -> bool:
    """Whether a host names this machine by its spelling; a name that only resolves to it does not."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
