from __future__ import annotations

import pytest

from bpaz_lab.errors import SettingsError
from bpaz_lab.settings import Settings
from bpaz_lab.store.address import address, file_of, libpq, place

pytestmark = pytest.mark.unit


def of(url):
    return address(Settings(database_url=url))


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg2"])
def test_every_spelling_of_postgres_gets_the_driver(scheme):
    url = of(f"{scheme}://ann:pa%40ss@db.example:6543/lab")
    assert url.drivername == "postgresql+psycopg"
    assert (url.username, url.password, url.host, url.port, url.database) == (
        "ann", "pa@ss", "db.example", 6543, "lab",
    )  # fmt: skip


def test_connections_carry_a_name_and_do_without_jit():
    assert dict(of("postgresql://db/lab").query) == {"application_name": "bpaz_lab", "options": "-c jit=off"}
    told = of("postgresql://db/lab?application_name=mine&options=-c%20search_path%3Dlab&ssl=require").query
    assert dict(told) == {
        "application_name": "mine",
        "options": "-c search_path=lab -c jit=off",
        "sslmode": "require",
    }


def test_parts_of_an_address_make_one():
    settings = Settings(
        postgres_host="db", postgres_user="ann", postgres_password="p/s@x", postgres_port=6543
    )
    url = address(settings)
    assert (url.host, url.port, url.username, url.password, url.database) == (
        "db", 6543, "ann", "p/s@x", "bpaz_lab",
    )  # fmt: skip
    assert url.query["options"] == "-c jit=off"


def test_the_url_goes_before_its_parts():
    assert address(Settings(database_url="postgresql://one/lab", postgres_host="two")).host == "one"


def test_without_any_it_is_a_file_in_the_data_folder(tmp_path):
    url = address(Settings(data_folder=str(tmp_path)))
    assert url.drivername == "sqlite+aiosqlite"
    assert file_of(url) == tmp_path / "bpaz_lab.sqlite3"


def test_a_file_may_be_named(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert file_of(of(f"sqlite:///{tmp_path}/my.db")) == tmp_path / "my.db"
    assert file_of(of("sqlite+aiosqlite:///~/my.db")) == tmp_path / "my.db"


@pytest.mark.parametrize(
    "url",
    [
        "canary",
        "mysql://ann:canary@db/lab",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql://ann:canary@db:x/l",
    ],
)
def test_what_is_no_address_is_refused_and_not_repeated(url):
    with pytest.raises(SettingsError, match="BPAZ_DATABASE_URL") as caught:
        of(url)
    assert "canary" not in str(caught.value)


def test_programs_of_postgres_get_the_password_apart():
    words, secret = libpq(of("postgresql://ann:can%40ry@db:6543/lab"))
    assert "can" not in words
    assert {"host=db", "port=6543", "user=ann", "dbname=lab", "application_name=bpaz_lab"} <= set(
        words.split()
    )
    assert secret == {"PGPASSWORD": "can@ry"}
    assert libpq(of("postgresql://db/lab"))[1] == {}


def test_people_read_where_it_is_and_no_secret():
    assert place(of("postgresql://ann:canary@db/lab?password=canary")) == "Postgres, lab on db"
    assert place(of("postgresql:///lab?host=/run/pg")) == "Postgres, lab on /run/pg"
    assert place(of("sqlite:////srv/lab.db")) == "SQLite, /srv/lab.db"
