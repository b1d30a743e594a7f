"""Which addresses a run may reach, decided on the resolved address and never on its spelling.

The policy sees what the resolver gave, so ``2130706433``, ``0x7f.1`` and a name that resolves to
``127.0.0.1`` are all the same loopback address. IPv6 forms that carry an IPv4 address (mapped,
compatible, 6to4, NAT64, Teredo) are judged by what they carry. ``http`` connects to the very
address that was checked.

Metadata addresses of cloud machines hand out the machine's own keys: nothing allows them.

Example:
    >>> EgressPolicy(allow=("models.lan:8080", "10.1.0.0/16")).check("models.lan", 8080, ["10.9.9.9"])
    >>> EgressPolicy().check("localhost", 80, ["127.0.0.1"])
    Traceback (most recent call last):
    bpaz_lab.errors.EgressRefused: localhost: 127.0.0.1 is a loopback address, which may not be reached
      hint: If you trust it, allow 'localhost', 'localhost:80' or '127.0.0.1/32' in the egress policy.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from bpaz_lab.errors import EgressRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

METADATA: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "169.254.0.0/16",  # AWS, Azure, Google, Oracle and most others, within IPv4 link-local
        "100.100.100.200/32",  # Alibaba
        "168.63.129.16/32",  # Azure's wire server, a public address by its number
        "192.0.0.192/32",  # Oracle
        "fd00:ec2::/32",  # AWS
        "fd20:ce::254/128",  # Google
    )
)
"""Where cloud machines serve their own credentials, from their providers' documentation."""

METADATA_NAMES: Final = frozenset({"metadata", "metadata.google.internal", "instance-data"})

_NAT64: Final = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE: Final = ipaddress.IPv6Network("::/96")


@dataclass(frozen=True)
class EgressPolicy:
    """What a client may reach, and how much it may bring home.

    The plain policy is for addresses that a model, a document or a stranger chose: the public
    internet only.

    Args:
        allow: Private places that may be reached: ``host``, ``host:port``, an address or a CIDR.
        private: Whether the URL of a request (not the redirects it leads to) may be private.
        max_bytes: The longest response body, in bytes.
        max_seconds: The longest time from request to the end of the body, redirects included.
        max_redirects: How many redirects are followed.
        trust_env: Whether ``HTTP_PROXY``, ``HTTPS_PROXY`` and ``NO_PROXY`` count. A proxy resolves
            names itself: then only the spelling of a host can be checked, and the proxy must guard
            the private addresses.
    """

    allow: tuple[str, ...] = ()
    private: bool = False
    max_bytes: int = 20 * 2**20
    max_seconds: float = 60
    max_redirects: int = 5
    trust_env: bool = False

    @classmethod
    def local(cls, *allow: str) -> EgressPolicy:
        """For addresses that the user wrote: localhost and the local network too, metadata never.

        Redirects are chosen by the server and not by the user: to private addresses they are
        refused, unless they stay on the same origin. Time is a run's 30 minutes.
        """
        return cls(allow=allow, private=True, max_bytes=200 * 2**20, max_seconds=1800, trust_env=True)

    def chosen_elsewhere(self) -> EgressPolicy:
        """The same policy for an address that a redirect chose."""
        return replace(self, private=False)

    def check(self, host: str, port: int, addresses: Iterable[str]) -> None:
        """Refuse unless every resolved address of the host may be reached.

        Raises:
            EgressRefused: One of the addresses may not be reached.
        """
        if _plain(host) in METADATA_NAMES:
            raise _never(host, host)
        for text in addresses:
            address = ipaddress.ip_address(text)
            forms = list(_forms(address))
            if any(form in network for form in forms for network in METADATA):
                raise _never(host, text)
            kind = next((kind for form in forms if (kind := kind_of(form))), "")
            if kind and not self.private and not self._allows(host, port, forms):
                raise EgressRefused(
                    f"{text} is a {kind} address, which may not be reached",
                    hint=f"If you trust it, allow {host!r}, '{host}:{port}' or "
                    f"'{text}/{address.max_prefixlen}' in the egress policy.",
                    path=host,
                )

    def check_name(self, host: str, port: int) -> None:
        """Check what the spelling of a host tells, for where a proxy resolves it.

        Raises:
            EgressRefused: The host is a literal address or local name that may not be reached.
        """
        plain = _plain(host)
        local = plain == "localhost" or plain.endswith(".localhost")
        self.check(host, port, ["127.0.0.1"] if local else literal(plain))

    def _allows(self, host: str, port: int, forms: list[Address]) -> bool:
        names = {_plain(host), f"{_plain(host)}:{port}", f"[{_plain(host)}]:{port}"}
        for entry in self.allow:
            if entry.lower().rstrip(".") in names:
                return True
            network = _network(entry)
            if network is not None and any(form in network for form in forms):
                return True
        return False


def kind_of(address: Address) -> str:
    """Why an address is not an ordinary public one; empty if it is."""
    for kind in ("unspecified", "loopback", "link_local", "multicast", "reserved"):
        if getattr(address, f"is_{kind}"):
            return kind.replace("_", "-")
    return "" if address.is_global and not getattr(address, "is_site_local", False) else "private"


def literal(host: str) -> list[str]:
    """The address that a host spells out, in any form that resolvers take; none for a name."""
    plain = _plain(host)
    try:
        return [str(ipaddress.ip_address(plain))]
    except ValueError:
        pass
    try:
        return [socket.inet_ntoa(socket.inet_aton(plain))]  # 2130706433, 0x7f.1, 0177.0.0.1
    except (OSError, UnicodeError):
        return []


def _forms(address: Address) -> Iterator[Address]:
    """The address and every IPv4 address that it carries."""
    carried: list[ipaddress.IPv4Address | None] = []
    if isinstance(address, ipaddress.IPv6Address):
        low = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        carried = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        compatible = address in _COMPATIBLE and int(address) > 1
        if compatible or any(address in network for network in _NAT64):
            carried.append(low)
    found = [form for form in carried if form is not None]
    yield from found
    # A mapped address is nothing but what it carries; the other wrappings are judged as well.
    if not found or getattr(address, "ipv4_mapped", None) is None:
        yield address


def _never(host: str, address: str) -> EgressRefused:
    return EgressRefused(
        f"{address} may be a metadata address of a cloud machine, which is never reached",
        hint="Use the service's own address; if you need the machine's credentials, read them yourself.",
        path=host,
    )


def _plain(host: str) -> str:
    return host.lower().strip("[]").rstrip(".")


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return None
