"""The providers of credentials on loopback: each answers as its own API does, success and errors.

Sources: the API references of the providers, and error bodies as they are quoted in the issues of their
client libraries. ``{key}`` in an error body is the key that was sent: some providers print it.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

GOOD = "good-key-0123456789-abcdefghij"


@dataclass(frozen=True)
class Provider:
    """How a provider is asked, and what it answers: (status, body)."""

    method: str
    path: str
    sent: tuple[str, str]
    """Where the key stands: ("header", name) or ("query", name)."""
    good: tuple[int, object]
    bad: tuple[int, object]
    busy: tuple[int, object]
    bearer: bool = False
    needs: dict = field(default_factory=dict)
    """Query parameters and headers that the API demands."""


def _google(reason, message, service):
    return {
        "error": {
            "code": 400,
            "message": message,
            "status": "INVALID_ARGUMENT",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": reason,
                    "domain": "googleapis.com",
                    "metadata": {"service": service},
                },
                {"@type": "type.googleapis.com/google.rpc.DebugInfo", "detail": "Invalid API key: {key}"},
            ],
        }
    }


_QUOTA = {"error": {"code": 429, "message": "Quota exceeded for {key}.", "status": "RESOURCE_EXHAUSTED"}}
_BAD_GOOGLE = "API key not valid. Please pass a valid API key."

PROVIDERS = {
    "openai": Provider(
        "GET",
        "/v1/models",
        ("header", "authorization"),
        (200, {"object": "list", "data": [{"id": "gpt-test", "object": "model", "owned_by": "openai"}]}),
        (
            401,
            {
                "error": {
                    "message": "Incorrect API key provided: {key}. You can find your API key at https://….",
                    "type": "invalid_request_error",
                    "param": None,
                    "code": "invalid_api_key",
                }
            },
        ),
        (429, {"error": {"message": "Rate limit reached for {key}.", "type": "requests", "code": "rate"}}),
        bearer=True,
    ),
    "anthropic": Provider(
        "GET",
        "/v1/models",
        ("header", "x-api-key"),
        (200, {"data": [{"type": "model", "id": "claude-test"}], "has_more": False}),
        (401, {"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}}),
        (
            429,
            {"type": "error", "error": {"type": "rate_limit_error", "message": "Too many: {key}"}},
        ),
        needs={"anthropic-version": "2023-06-01", "limit": "1"},
    ),
    "google": Provider(
        "GET",
        "/v1beta/models",
        ("header", "x-goog-api-key"),
        (200, {"models": [{"name": "models/gemini-test"}], "nextPageToken": "x"}),
        (400, _google("API_KEY_INVALID", _BAD_GOOGLE, "generativelanguage.googleapis.com")),
        (429, _QUOTA),
        needs={"pageSize": "1"},
    ),
    "google_search": Provider(
        "GET",
        "/customsearch/v1",
        ("header", "x-goog-api-key"),
        (200, {"kind": "customsearch#search"}),
        (400, _google("API_KEY_INVALID", _BAD_GOOGLE, "customsearch.googleapis.com")),
        (429, _QUOTA),
        needs={"cx": "engine-1", "num": "1"},
    ),
    "cohere": Provider(
        "POST",
        "/v1/check-api-key",
        ("header", "authorization"),
        (200, {"valid": True, "organization_id": "o", "owner_id": "p"}),
        (401, {"id": "1", "message": "invalid api token"}),
        (429, {"id": "1", "message": "You are using a Trial key {key}, which is limited"}),
        bearer=True,
    ),
    "huggingface": Provider(
        "GET",
        "/api/whoami-v2",
        ("header", "authorization"),
        (200, {"type": "user", "name": "somebody", "auth": {"type": "access_token"}}),
        (401, {"error": "Invalid credentials in Authorization header"}),
        (429, {"error": "Too many requests with {key}"}),
        bearer=True,
    ),
    "tavily": Provider(
        "GET",
        "/usage",
        ("header", "authorization"),
        (200, {"key": {"usage": 150, "limit": 1000}, "account": {"current_plan": "Bootstrap"}}),
        (401, {"detail": {"error": "Unauthorized: missing or invalid API key."}}),
        (429, {"detail": {"error": "Too Many Requests: {key}"}}),
        bearer=True,
    ),
    "wolframalpha": Provider(
        "GET",
        "/v2/validatequery",
        ("query", "appid"),
        (200, "<validatequeryresult success='true' error='false' timing='0.1' version='2.6'/>"),
        (
            200,
            "<queryresult error='true'><error>\n  <code>1</code>\n  <msg>Invalid appid {key}</msg></error>",
        ),
        (200, "<queryresult error='true'><error><code>1000</code><msg>{key}</msg></error></queryresult>"),
    ),
    "github": Provider(
        "GET",
        "/rate_limit",
        ("header", "authorization"),
        (200, {"resources": {"core": {"limit": 5000, "remaining": 4999}}}),
        (401, {"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest"}),
        (429, {"message": "API rate limit exceeded for {key}."}),
        bearer=True,
        needs={"x-github-api-version": "2022-11-28"},
    ),
    "pinecone": Provider(
        "GET",
        "/indexes",
        ("header", "api-key"),
        (200, {"indexes": []}),
        (401, {"error": {"code": "UNAUTHENTICATED", "message": "Invalid API key."}, "status": 401}),
        (429, {"error": {"code": "RESOURCE_EXHAUSTED", "message": "Too many: {key}"}, "status": 429}),
        needs={"x-pinecone-api-version": "2025-10"},
    ),
    "qdrant": Provider(
        "GET",
        "/collections",
        ("header", "api-key"),
        (200, {"result": {"collections": []}, "status": "ok", "time": 0.1}),
        (401, "Invalid API key or JWT {key}"),
        (429, {"status": {"error": "Rate limiting exceeded for {key}"}, "time": 0.1}),
    ),
    "openai_compatible": Provider(
        "GET",
        "/v1/models",
        ("header", "authorization"),
        (200, {"object": "list", "data": []}),
        (401, {"detail": "Unauthorized {key}"}),
        (429, {"error": "slow down {key}"}),
        bearer=True,
    ),
}


class ProviderServer:
    """One provider. Use it as an async context manager; ``root`` is where it listens.

    Args:
        name: The type of credential.
        answer: ``own`` (right key or wrong), ``bad``, ``busy``, ``moved``, ``silent``, or (status, body).
    """

    def __init__(self, name, answer="own"):
        self.provider = PROVIDERS[name]
        self.answer = answer
        self.requests = []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.root = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self._open = set()
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader, writer):
        self._open.add(asyncio.current_task())
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.rstrip().split("\r\n")
            method, target, _ = first.split(" ")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            self.requests.append({"method": method, "target": target, "headers": headers})
            status, body = await self._replied(method, urlsplit(target), headers)
            text = body if isinstance(body, str) else json.dumps(body)
            data = text.encode()
            more = "location: https://evil.example/\r\n" if status == 302 else ""
            writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: {len(data)}\r\n{more}\r\n".encode() + data)
            await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _replied(self, method, target, headers):
        query = {name: values[0] for name, values in parse_qs(target.query).items()}
        provider, (where, name) = self.provider, self.provider.sent
        key = (headers if where == "header" else query).get(name, "")
        if provider.bearer:
            kind, _, key = key.partition(" ")
            if kind != "Bearer":
                return 400, "no bearer token"
        if (method, target.path) != (provider.method, provider.path):
            return 404, "there is nothing here"
        if any((headers | query).get(need) != value for need, value in provider.needs.items()):
            return 422, "something is missing"
        if self.answer == "silent":
            await asyncio.Event().wait()
        answers = {"bad": provider.bad, "busy": provider.busy, "moved": (302, "")}
        own = provider.good if key == GOOD else provider.bad
        status, body = self.answer if isinstance(self.answer, tuple) else answers.get(self.answer, own)
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        return status, text.replace("{key}", key)
