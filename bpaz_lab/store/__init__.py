"""Remembering: tables, sessions for SQLite and Postgres, one repository for each resource, migrations.

Nothing here knows of HTTP, of secrets in the clear, or of what may be done by whom: a repository is told
who asks, and sees only what that person may read. Other rooms import no SQLModel and no SQLAlchemy.
"""
