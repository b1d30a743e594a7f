import pytest

from bpaz_lab.api.leases import Leases
from bpaz_lab.errors import NotFound


class Lender:
    """A server that lends two credentials."""

    def __init__(self):
        self.asked = []

    def call(self, method, path, *, body=None, **_):
        assert (method, path) == ("POST", "credentials/lease")
        self.asked.append(body)
        if body["name"] not in ("work", "home"):
            raise NotFound("there is no such credential")
        return {"value": f"secret-of-{body['name']}", "hosts": []}


def test_a_secret_is_lent_once_for_each_use_and_bound_to_the_execution():
    lender = Lender()
    leases = Leases(lender, "execution-1")
    for _ in range(2):
        assert leases.resolve("work", kinds=("openai",), host="a.example").reveal() == "secret-of-work"
    leases.resolve("work", kinds=("openai",), host="b.example")
    assert [each["host"] for each in lender.asked] == ["a.example", "b.example"]
    assert lender.asked[0] == {
        "name": "work", "kinds": ["openai"], "host": "a.example", "execution_id": "execution-1",
    }  # fmt: skip


def test_what_the_server_does_not_know_is_told_each_time():
    leases = Leases(Lender(), "execution-1")
    for _ in range(2):
        with pytest.raises(NotFound):
            leases.resolve("other", kinds=(), host=None)
