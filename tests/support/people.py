"""The smallest rows to write and read where a test is about the database."""

from __future__ import annotations

from sqlmodel import select

from bpaz_lab.store.tables import User


async def emails(database):
    """The addresses of everybody, sorted."""
    async with database.session(read_only=True) as session:
        return sorted((await session.exec(select(User.email))).all())


async def add(database, *names):
    """Adds people, in one transaction."""
    async with database.session() as session:
        session.add_all([User(email=name) for name in names])
