from __future__ import annotations

import pytest

from bpaz_lab.errors import EgressRefused
from bpaz_lab.guard.egress import EgressPolicy, literal

pytestmark = pytest.mark.unit

PUBLIC = ["93.184.215.14", "8.8.8.8", "1.1.1.1", "2606:2800:21f:cb07::1", "::ffff:8.8.8.8"]
PRIVATE = [
    "0.0.0.0",  # noqa: S104 (an address to refuse)
    "127.0.0.1", "127.255.255.254", "0.0.0.1", "10.0.0.1", "172.16.0.1", "172.31.255.255",
    "192.168.1.1", "100.64.0.1",
    "192.0.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.255.255.255",
    "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%1", "fec0::1", "fc00::1", "fd12::1",
    "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "2002:7f00:1::",
    "2002:a00:1::1",
    "64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::10.0.0.1", "2001:0:7f00:1::1",
]  # fmt: skip
METADATA = [
    "169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254",
    "fd20:ce::254", "::ffff:169.254.169.254", "64:ff9b::169.254.169.254", "2002:a9fe:a9fe::1",
    "::169.254.169.254",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_reached(address):
    EgressPolicy().check("host", 443, [address])


@pytest.mark.parametrize("address", [*PRIVATE, *METADATA])
def test_other_addresses_may_not(address):
    with pytest.raises(EgressRefused) as caught:
        EgressPolicy().check("host", 443, [address])
    assert caught.value.hint
    assert caught.value.path == "host"


@pytest.mark.parametrize("address", PRIVATE)
def test_one_private_address_among_public_ones_is_enough(address):
    with pytest.raises(EgressRefused):
        EgressPolicy().check("host", 443, ["8.8.8.8", address])


@pytest.mark.parametrize("address", PRIVATE)
def test_what_the_user_wrote_may_be_private(address):
    EgressPolicy.local().check("host", 443, [address])
    with pytest.raises(EgressRefused):
        EgressPolicy.local().chosen_elsewhere().check("host", 443, [address])


@pytest.mark.parametrize("address", METADATA)
@pytest.mark.parametrize(
    "policy", [EgressPolicy.local("host"), EgressPolicy(allow=("host", "host:80", "0.0.0.0/0", "::/0"))]
)
def test_nothing_allows_metadata_addresses(policy, address):
    with pytest.raises(EgressRefused, match="metadata"):
        policy.check("host", 80, [address])


@pytest.mark.parametrize("name", ["metadata.google.internal", "METADATA.google.internal.", "metadata"])
def test_nothing_allows_metadata_names(name):
    with pytest.raises(EgressRefused, match="metadata"):
        EgressPolicy.local(name).check(name, 80, ["8.8.8.8"])


@pytest.mark.parametrize(
    ("entry", "host", "port", "address", "allowed"),
    [
        ("models.lan", "Models.LAN.", 80, "10.0.0.1", True),
        ("models.lan", "other.lan", 80, "10.0.0.1", False),
        ("models.lan", "x.models.lan", 80, "10.0.0.1", False),
        ("models.lan:8080", "models.lan", 8080, "10.0.0.1", True),
        ("models.lan:8080", "models.lan", 80, "10.0.0.1", False),
        ("127.0.0.1:8080", "127.0.0.1", 8080, "127.0.0.1", True),
        ("127.0.0.1:8080", "127.0.0.1", 8081, "127.0.0.1", False),
        ("[::1]:80", "::1", 80, "::1", True),
        ("10.0.0.0/8", "any.lan", 80, "10.9.9.9", True),
        ("10.0.0.0/8", "any.lan", 80, "11.0.0.1", True),
        ("10.0.0.0/8", "any.lan", 80, "192.168.0.1", False),
        ("10.0.0.0/8", "any.lan", 80, "::ffff:10.9.9.9", True),
        ("::1", "localhost", 80, "::1", True),
        ("fd00::/8", "any.lan", 80, "fd12::1", True),
    ],
)
def test_allow_lists(entry, host, port, address, allowed):
    policy = EgressPolicy(allow=(entry,))
    if allowed:
        policy.check(host, port, [address])
    else:
        with pytest.raises(EgressRefused):
            policy.check(host, port, [address])


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("2130706433", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("10.0.0.1.", "10.0.0.1"),
        ("0xA9FEA9FE", "169.254.169.254"),
    ],
)
def test_spelled_addresses_are_recognised(host, address):
    assert literal(host) == [address]
    with pytest.raises(EgressRefused):
        EgressPolicy().check_name(host, 80)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "api.localhost"])
def test_local_names_are_refused_without_resolving_them(host):
    with pytest.raises(EgressRefused):
        EgressPolicy().check_name(host, 80)


def test_an_ordinary_name_spells_no_address():
    assert literal("example.org") == []
    EgressPolicy().check_name("example.org", 443)
