"""The page that shows the API: one file, drawn from openapi.json, that asks nobody else for anything."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Final

from bpaz_lab.services.call import Call  # noqa: TC001 (routes are made from the hints)
from bpaz_lab.services.route import Raw, route

PAGE: Final = Path(__file__).with_name("docs.html")


@route("GET", "docs", access="anonymous")
async def read_docs(call: Call) -> Raw:  # noqa: ARG001 (every route has it)
    """A page that shows every route."""
    text, policy = _page()
    return Raw(text, "text/html; charset=utf-8", {"Content-Security-Policy": policy})


@cache
def _page() -> tuple[str, str]:
    """The page, and the policy that allows it its own script and style, and to ask its own server."""
    text = PAGE.read_text(encoding="utf-8")
    allowed = {kind: _hash(text, kind) for kind in ("script", "style")}
    policy = [
        "default-src 'none'",
        "connect-src 'self'",
        f"script-src {allowed['script']}",
        f"style-src {allowed['style']}",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    ]
    return text, "; ".join(policy)


def _hash(text: str, element: str) -> str:
    found = re.search(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
    assert found is not None, f"the page has a {element}"
    digest = hashlib.sha256(found[1].encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
