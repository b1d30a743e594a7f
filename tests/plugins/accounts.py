"""A laboratory with accounts, and short ways to be somebody in it; on each kind of database."""

from __future__ import annotations

from dataclasses import replace

import pytest

PASSWORD = "a long walk in the rain"


class House:
    """A laboratory in the profile ``shared``; passwords are hashed quickly."""

    def __init__(self, lab):
        self.lab = lab

    def call(self, caller=None, **given):
        """A request, of nobody where no caller is named."""
        from bpaz_lab.services.call import Call
        from bpaz_lab.store.caller import Caller

        return Call(self.lab, caller or Caller(address="192.0.2.1"), **given)

    async def person(self, name, role="user", **columns):
        """Somebody with an account; gives the caller."""
        from bpaz_lab.store.repositories.users import standing
        from bpaz_lab.store.tables import User

        hashed = await self.lab.passwords.hash(PASSWORD)
        async with self.lab.database.session() as session:
            user = User(email=f"{name}@example.org", password_hash=hashed, role=role, **columns)
            session.add(user)
            await session.flush()
            return await standing(session, user.id)

    async def again(self, caller):
        """The same person, with what they may do now; None where they may not come in any more."""
        from bpaz_lab.store.repositories.users import standing

        async with self.lab.database.session() as session:
            return await standing(session, caller.user_id)

    async def organization(self, name, *members):
        """An organisation with members, pairs of caller and role; gives its id."""
        from bpaz_lab.store.repositories.roles import Roles
        from bpaz_lab.store.tables import Organization, OrganizationUser

        async with self.lab.database.session() as session:
            made = Organization(name=name)
            session.add(made)
            await session.flush()
            for caller, role in members:
                found = await Roles(session, caller).named(role)
                who = caller.user_id
                session.add(
                    OrganizationUser(
                        organization_id=made.id, user_id=who, role_id=found.id, created_by=who, updated_by=who
                    )
                )
            return made.id

    async def rows(self, table, **where):
        """The rows of a table, as they are in the database."""
        from sqlmodel import select

        statement = select(table)
        for name, value in where.items():
            statement = statement.where(getattr(table, name) == value)
        async with self.lab.database.session(read_only=True) as session:
            return list((await session.exec(statement)).all())

    async def add(self, *rows):
        """Puts rows into the database."""
        async with self.lab.database.session() as session:
            for row in rows:
                session.add(row)
                await session.flush()


@pytest.fixture
async def house(database_settings):
    """A laboratory with accounts, empty."""
    async with _opened(database_settings, profile="shared", accept_shared_risk=True) as made:
        yield made


@pytest.fixture
async def cottage(database_settings):
    """A laboratory of one owner, in the profile ``local``."""
    async with _opened(database_settings) as made:
        yield made


def _opened(settings, **given):
    from contextlib import asynccontextmanager

    from bpaz_lab.accounts.passwords import Passwords
    from bpaz_lab.services.lab import Lab

    @asynccontextmanager
    async def opened():
        lab = Lab.of(settings.model_copy(update=given))
        await lab.ready()
        lab._secrets = replace(lab.secrets, passwords=Passwords(lab.ring.pepper, 4))
        yield House(lab)
        await lab.close()

    return opened()
