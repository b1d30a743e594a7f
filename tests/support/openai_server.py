"""A server on loopback that speaks OpenAI's chat interface, shapes and error bodies included.

Source: OpenAI's API reference, "Create chat completion", "Streaming" and "Error codes".
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

ERRORS = {
    401: ("Incorrect API key provided: •••.", "invalid_request_error", "invalid_api_key"),
    404: ("The model `nope` does not exist.", "invalid_request_error", "model_not_found"),
    429: ("Rate limit reached for gpt-test on requests per min (RPM).", "requests", "rate_limit_exceeded"),
    500: ("The server had an error while processing your request.", "server_error", None),
}


@dataclass
class OpenAIServer:
    """What the next answers are, and what was asked. Use it as an async context manager."""

    pieces: list[str] = field(default_factory=lambda: ["A kernel", " runs", " code."])
    fails: list[int] = field(default_factory=list)
    """Statuses of the next answers, each used once."""
    gap: float = 0
    """Seconds between two pieces."""
    silent: bool = False
    """Never answers."""
    broken_after: int | None = None
    """Hangs up after so many pieces."""
    requests: list[dict] = field(default_factory=list)
    dropped: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client closes a stream before its end."""

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.url = f"http://{host}:{port}/v1"
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
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            body = json.loads(await reader.readexactly(int(headers.get("content-length", 0))) or "{}")
            method, path, _ = first.split(" ")
            self.requests.append({"method": method, "path": path, "headers": headers, "body": body})
            if self.silent:
                await asyncio.Event().wait()
            if self.fails:
                self._fail(writer, self.fails.pop(0))
            elif body.get("stream"):
                await self._stream(reader, writer, body)
            else:
                self._whole(writer, body)
            await writer.drain()
        except ConnectionError:
            self.dropped.set()
        except asyncio.CancelledError:
            pass
        finally:
            writer.close()

    def _head(self, writer, status, kind, length=None):
        size = "transfer-encoding: chunked\r\n" if length is None else f"content-length: {length}\r\n"
        writer.write(
            f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\n{size}connection: close\r\n\r\n".encode()
        )

    def _json(self, writer, status, value):
        data = json.dumps(value).encode()
        self._head(writer, status, "application/json", len(data))
        writer.write(data)

    def _fail(self, writer, status):
        message, kind, code = ERRORS[status]
        self._json(writer, status, {"error": {"message": message, "type": kind, "param": None, "code": code}})

    def _usage(self, body):
        spent = sum(len(str(message["content"]).split()) for message in body["messages"])
        made = len(self.pieces)
        return {"prompt_tokens": spent, "completion_tokens": made, "total_tokens": spent + made}

    def _whole(self, writer, body):
        message = {"role": "assistant", "content": "".join(self.pieces), "refusal": None, "annotations": []}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        self._json(
            writer,
            200,
            self._common(body, "chat.completion") | {"choices": [choice], "usage": self._usage(body)},
        )

    def _common(self, body, kind):
        return {
            "id": "chatcmpl-Bx1",
            "object": kind,
            "created": 1750000000,
            "model": body["model"],
            "service_tier": "default",
            "system_fingerprint": "fp_0",
        }

    async def _stream(self, reader, writer, body):
        self._head(writer, 200, "text/event-stream; charset=utf-8")
        common = self._common(body, "chat.completion.chunk")
        usage = {"usage": None} if body.get("stream_options", {}).get("include_usage") else {}

        async def event(text):
            data = f"data: {text}\n\n".encode()
            writer.write(b"%x\r\n%s\r\n" % (len(data), data))
            await writer.drain()
            if reader.at_eof():
                raise ConnectionError

        async def send(delta, reason=None):
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
            await event(json.dumps(common | {"choices": [choice]} | usage))

        await send({"role": "assistant", "content": "", "refusal": None})
        for number, piece in enumerate(self.pieces):
            if number == self.broken_after:
                return
            await send({"content": piece})
            await asyncio.sleep(self.gap)
        await send({}, "stop")
        if usage:
            await event(json.dumps(common | {"choices": [], "usage": self._usage(body)}))
        await event("[DONE]")
        writer.write(b"0\r\n\r\n")
