"""Prints the JSON schema of all messages, for ``npm run schema``."""

from __future__ import annotations

import json
import sys
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from bpaz_lab.engine.events import Event
from bpaz_lab.graph.document import Document
from bpaz_lab.graph.spec import CatalogueSpec
from bpaz_lab.widget.messages import FromPage, ToPage


def schema() -> dict[str, Any]:
    """One JSON schema with a definition for each model that crosses to TypeScript."""
    definitions: dict[str, Any] = {}
    kinds: dict[str, Any] = {"FromPage": FromPage, "ToPage": ToPage, "Event": Event, "Document": Document}
    for name, kind in kinds.items():
        part = TypeAdapter(kind).json_schema(mode="serialization")
        definitions.update(part.pop("$defs", {}))
        if "$ref" not in part:
            definitions[name] = part
    _, whole = models_json_schema([(CatalogueSpec, "serialization")])
    definitions.update(whole["$defs"])
    return {
        "title": "Schema",
        "type": "object",
        "properties": {
            name: {"$ref": f"#/$defs/{name}"} for name in ("FromPage", "ToPage", "Event", "Document")
        },
        "required": ["FromPage", "ToPage", "Event", "Document"],
        "$defs": definitions,
    }


if __name__ == "__main__":
    json.dump(schema(), sys.stdout, indent=1, sort_keys=True)
