"""The pages of routes and settings say what the code has."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr

from bpaz_lab.server.errors import STATUS
from bpaz_lab.services import metrics
from bpaz_lab.services.openapi import description
from bpaz_lab.services.table import ROUTES
from bpaz_lab.settings import Settings

pytestmark = pytest.mark.unit

DOCS = Path(__file__).parents[3] / "docs"
WHO = {"public": "anybody", "anonymous": "whom Jupyter knows", "user": "a person", "kernel": "a kernel"}


def text(name):
    return (DOCS / name).read_text(encoding="utf-8")


def test_every_route_stands_in_its_group():
    page = text("server.md")
    groups = dict(re.findall(r"^### (\w+)\n\n(?:.+\n)+\n((?:\|.*\n)+)", page, re.MULTILINE))
    told = {name: rows.splitlines()[2:] for name, rows in groups.items()}
    wanted = {tag["name"].capitalize(): [] for tag in description()["tags"]}
    routes = {(route.path.strip("/"), route.method): route for route in ROUTES}
    for path, methods in description()["paths"].items():
        for method, operation in methods.items():
            route = routes[path.strip("/"), method.upper()]
            summary = operation["summary"].replace("``", "`")
            row = f"| `{route.method} {route.path}` | {WHO[route.access]} | {summary} |"
            wanted[operation["tags"][0].capitalize()].append(row)
    assert told == wanted


def test_every_status_of_an_error_is_told():
    told = {int(status) for status in re.findall(r"^\| (\d{3}) \|", text("server.md"), re.MULTILINE)}
    assert told == {*STATUS.values(), 500}


def test_every_figure_is_told():
    metrics.figures()
    told = set(re.findall(r"^\| `(\w+_\w+)` \|", text("server.md"), re.MULTILINE))
    there = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in REGISTRY.collect()
        if family.name.startswith("bpaz_")
    }
    assert told - {"process_resident_memory_bytes"} == there


def test_every_setting_is_told_with_its_trait_and_default():
    rows = re.findall(r"^\| `BPAZ_\w+` \| `BpazLab\..*$", text("settings.md"), re.MULTILINE)
    assert rows == [row(name, field) for name, field in Settings.model_fields.items()]


def row(name, field):
    value = field.get_default(call_default_factory=True)
    value = value.get_secret_value() if isinstance(value, SecretStr) else value
    shown = value if isinstance(value, str) else json.dumps(value)
    default = f" `{shown}` " if value not in ("", []) else "  "
    return f"| `BPAZ_{name.upper()}` | `BpazLab.{name}` |{default}| {field.description} |"
