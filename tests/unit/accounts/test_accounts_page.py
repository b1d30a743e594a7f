"""docs/accounts.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bpaz_lab.accounts.passwords import LONGEST, SHORTEST
from bpaz_lab.accounts.policy import PERMISSIONS, RULES
from bpaz_lab.accounts.throttle import Activity
from bpaz_lab.services.roles import BUILT_IN, Permission
from bpaz_lab.services.table import ROUTES
from bpaz_lab.settings import Settings

pytestmark = [pytest.mark.unit, pytest.mark.auth]

PAGE = (Path(__file__).parents[3] / "docs" / "accounts.md").read_text(encoding="utf-8")
REACH = {
    "server": "the server",
    "readable": "what one may read",
    "managed": "one's own",
    "organization": "an organisation, as its member",
}


def table(title):
    """The cells of the first table below a heading, without its own two lines."""
    part = PAGE.partition(f"## {title}\n")[2]
    rows = re.search(r"(?:^\|.*\n)+", part, re.MULTILINE).group().splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_the_actions():
    told = []
    for action, rule in RULES.items():
        place = REACH[rule.reach]
        place += f"; with `{rule.shared}` also what the organisation shares" if rule.shared else ""
        place += f"; with `{rule.public}` what is public" if rule.public else ""
        place += "" if rule.kernels else "; not a kernel"
        needs = ", ".join(f"`{each}`" for each in sorted(rule.needs)) or "being signed in"
        told.append([f"`{action}`", needs, place])
    assert table("Who may do what") == told


def test_the_permissions():
    assert table("Roles") == [[f"`{name}`", what] for name, what in PERMISSIONS.items()]
    assert set(Permission.__args__) == set(PERMISSIONS)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_the_roles(database):
    from sqlmodel import select

    from bpaz_lab.store.tables import Role

    async with database.session() as session:
        rows = (await session.exec(select(Role).order_by(Role.name))).all()
    assert [row.name for row in rows] == sorted(BUILT_IN)
    for row in rows:
        names = ", ".join(f"`{each}`" for each in row.permissions.split(","))
        assert f"| `{row.name}` | {names} |" in PAGE


def test_the_codes_of_activity():
    codes = sorted(Activity, key=lambda code: (code < 0, abs(code)))
    assert table("Login activity") == [[f"`{code.value}`", code.message] for code in codes]


def test_the_routes_of_signing_in():
    here = {f"{route.method} {route.path}" for route in ROUTES if route.path.startswith("auth/")}
    told = set()
    for cell, _ in table("Signing in"):
        *methods, path = [part for part in re.split(r"[` ]+", cell) if part]
        told |= {f"{method} {path}" for method in methods}
    assert told == here


def test_the_figures():
    fields = Settings.model_fields
    assert f"holds {fields['access_token_minutes'].default} minutes" in PAGE
    assert f"holds {fields['refresh_token_days'].default} days" in PAGE
    assert f"after {fields['refresh_family_days'].default} days" in PAGE
    assert f"for {fields['login_activity_days'].default} days" in PAGE
    assert f"has {SHORTEST} to {LONGEST} characters" in PAGE
