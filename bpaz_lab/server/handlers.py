"""The one handler: it serves the whole table of routes below ``bpaz/api/v1``.

**XSRF**: Jupyter's own check, on every request that is no GET. A request without a cookie that carries
one of our own headers needs no ``_xsrf``: without a cookie there is nothing that a browser would add by
itself, and no page of another origin can add such a header without asking first by OPTIONS, which
answers yes to the listed origins only.

**CORS**: only the origins of the setting ``allowed_origins``; Jupyter's own setting does not count here.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs
from uuid import uuid4

import structlog
from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import APIHandler
from jupyter_server.prometheus.log_functions import prometheus_log_method
from pydantic_core import to_json
from tornado.web import HTTPError, stream_request_body

from bpaz_lab.errors import Forbidden, Invalid, MethodNotAllowed, TooLarge, WrongMediaType
from bpaz_lab.server import errors, identity
from bpaz_lab.server.log import fault
from bpaz_lab.services.route import BYTES, LARGEST

if TYPE_CHECKING:
    from bpaz_lab.server.backend import Backend
    from bpaz_lab.services.route import Answer, Raw, Route, Stream
    from bpaz_lab.store.caller import Caller

BASE: Final = "bpaz/api/v1"
RESOURCE: Final = "bpaz_lab"
"""What Jupyter's authorizer is asked about."""
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MOST_PARAMETERS: Final = 50
_EXPOSED: Final = "ETag, Location, Retry-After, X-Request-Id"
_ALLOWED: Final = (
    "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, "
    f"X-Request-Id, X-XSRFToken, {identity.HEADER}, {identity.CLIENT}"
)


@stream_request_body
class Handler(APIHandler):
    """Serves every route."""

    def initialize(self, backend: Backend) -> None:
        """Tornado calls this with what `app.py` registered."""
        self.backend = backend
        self.caller: Caller | None = None
        self.route: Route | None = None
        self.code = ""
        self._body = bytearray()
        self._size = 0
        self._gone = asyncio.Event()
        self._refused: Exception | None = None

    # ---- before --------------------------------------------------------------------------------------

    def data_received(self, chunk: bytes) -> None:
        """Keeps what came of the body, no more than is accepted."""
        self._size += len(chunk)
        if self._size <= max(self.backend.settings.body_limit, LARGEST):
            self._body += chunk

    async def prepare(self) -> None:  # type: ignore[override]
        """Asks Jupyter who this is, and whether the request comes from a page that may send it.

        A refusal waits until the body is read: an answer in the middle of it costs the client its connection,
        and often the answer.
        """
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=self.request_id)
        try:
            await super().prepare()
        except Exception as error:  # noqa: BLE001 (raised by `_serve`)
            self._refused = error

    @property
    def request_id(self) -> str:
        """The id that the client gave the request, or a new one."""
        if not hasattr(self, "_request_id"):
            given = self.request.headers.get("X-Request-Id", "")
            self._request_id = given if _ID.fullmatch(given) else uuid4().hex
        return self._request_id

    def check_xsrf_cookie(self) -> None:
        """Jupyter's check, where a browser could have added something by itself."""
        headers = self.request.headers
        ours = identity.HEADER in headers or identity.CLIENT in headers
        if not (ours and "Cookie" not in headers):
            super().check_xsrf_cookie()

    @property
    def allow_origin(self) -> str:
        """The page that asks, if it is one of the listed ones."""
        origin = self.get_origin() or ""
        return origin if origin in self.backend.settings.allowed_origins else ""

    @property
    def allow_origin_pat(self) -> str | None:
        """None: origins are listed, not described."""
        return None

    def set_cors_headers(self) -> None:
        """Only for the listed origins."""
        self.clear_header("Access-Control-Allow-Origin")
        if self.backend.settings.allowed_origins:
            self.set_header("Vary", "Origin")
        if self.allow_origin:
            self.set_header("Access-Control-Allow-Origin", self.allow_origin)
            self.set_header("Access-Control-Expose-Headers", _EXPOSED)

    def set_default_headers(self) -> None:
        """What every answer carries."""
        super().set_default_headers()
        self.clear_header("Server")
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("X-Request-Id", self.request_id)

    # ---- serving -------------------------------------------------------------------------------------

    @allow_unauthenticated
    async def get(self) -> None:
        """Serves a GET; `_serve` decides who may."""
        await self._serve("GET")

    @allow_unauthenticated
    async def head(self) -> None:
        """Serves a GET without its body."""
        await self._serve("HEAD")

    @allow_unauthenticated
    async def post(self) -> None:
        """Serves a POST."""
        await self._serve("POST")

    @allow_unauthenticated
    async def put(self) -> None:
        """Serves a PUT."""
        await self._serve("PUT")

    @allow_unauthenticated
    async def delete(self) -> None:
        """Serves a DELETE."""
        await self._serve("DELETE")

    @allow_unauthenticated
    async def patch(self) -> None:
        """No route has it."""
        await self._serve("PATCH")

    @allow_unauthenticated
    async def options(self) -> None:  # type: ignore[override]
        """Says which methods a path has, and to a page of a listed origin what it may send."""
        if self._refused is not None:
            raise self._refused
        await self.backend.lab()
        from bpaz_lab.services import table

        allowed = table.methods(self._path)
        if not allowed:
            table.find("GET", self._path)  # raises NotFound
        self.set_header("Allow", ", ".join([*allowed, "OPTIONS"]))
        if self.allow_origin:
            self.set_header("Access-Control-Allow-Methods", ", ".join(allowed))
            self.set_header("Access-Control-Allow-Headers", _ALLOWED)
            self.set_header("Access-Control-Max-Age", "600")
        self.set_status(204)
        await self.finish()

    async def _serve(self, method: str) -> None:
        if self._refused is not None:
            raise self._refused
        lab = await self.backend.lab()
        from bpaz_lab.services import dispatch, table
        from bpaz_lab.services.call import Call
        from bpaz_lab.services.route import Stream

        self.route, parameters = table.find("GET" if method == "HEAD" else method, self._path)
        if method == "HEAD" and Stream in self.route.kinds:
            allowed = table.methods(self._path)
            raise MethodNotAllowed("a stream has no HEAD", hint="Use GET.", allowed=allowed)
        self.caller = await self._identified(self.route)
        structlog.contextvars.bind_contextvars(user_id=str(self.caller.user_id or ""))
        headers = {name.lower(): value for name, value in self.request.headers.get_all()}
        cookies = {name: morsel.value for name, morsel in self.request.cookies.items()}
        call = Call(lab, self.caller, headers, cookies)
        sent = self._sent(self.route)
        await self._tell(await dispatch.serve(call, self.route, parameters, self._query(), sent))

    async def _identified(self, route: Route) -> Caller:
        from bpaz_lab.store.caller import Caller

        header = self.request.headers.get(identity.HEADER, "")
        known, address = self.current_user, self.request.remote_ip or ""
        if route.access != "public":
            identity.let_in(known, header)
        if route.access in ("public", "anonymous"):
            return Caller(request_id=self.request_id, address=address)
        if known is not None:
            action = "read" if route.method == "GET" else "write"
            if not await ensure_async(self.authorizer.is_authorized(self, known, action, RESOURCE)):
                raise Forbidden(f"Jupyter does not allow you to {action} here", hint="Ask its administrator.")
        lab = await self.backend.lab()
        return await identity.identify(lab, header, request_id=self.request_id, address=address)

    @property
    def _path(self) -> str:
        return self.request.path.removeprefix(self._base)

    @property
    def _base(self) -> str:
        return f"{self.base_url}{BASE}"

    def _query(self) -> dict[str, list[str]]:
        try:
            return parse_qs(
                self.request.query,
                keep_blank_values=True,
                strict_parsing=bool(self.request.query),
                errors="strict",
                max_num_fields=_MOST_PARAMETERS,
            )
        except ValueError as error:
            raise Invalid(
                "the query string cannot be read", path="query", hint="Write it as name=value&name=value."
            ) from error

    def _sent(self, route: Route) -> bytes | None:
        limit = route.most(self.backend.settings.body_limit)
        if self._size > limit:
            raise TooLarge(
                f"the body has {self._size:,} bytes, more than the {limit:,} accepted",
                hint="Send less, or let an administrator raise BPAZ_BODY_LIMIT.",
            )
        if not self._body:
            return None
        kind, _, options = self.request.headers.get("Content-Type", "").partition(";")
        charset = options.strip().lower().replace('"', "")
        wanted, what = (BYTES, "bytes") if route.raw else ("application/json", "JSON")
        if kind.strip().lower() != wanted or charset not in ("", "charset=utf-8"):
            raise WrongMediaType(f"the body is not said to be {what}", hint=f"Send 'Content-Type: {wanted}'.")
        return bytes(self._body)

    # ---- answering -----------------------------------------------------------------------------------

    async def _tell(self, answer: Answer[Any] | Raw | Stream) -> None:
        from bpaz_lab.services.route import Raw, Stream

        for name, value in (answer.headers or {}).items():
            relative = name == "Location" and "://" not in value and not value.startswith("/")
            self.set_header(name, f"{self._base}/{value}" if relative else value)
        if isinstance(answer, Stream):
            await self._stream(answer)
        elif isinstance(answer, Raw):
            await self.finish(answer.content, set_content_type=answer.media_type)
        else:
            self.set_status(answer.status)
            for cookie, (content, attributes) in (answer.cookies or {}).items():
                self._set_cookie(cookie, content, dict(attributes))
            empty = answer.status == 204
            await self.finish(None if empty else to_json(answer.value, inf_nan_mode="null"))

    async def _stream(self, answer: Stream) -> None:
        from bpaz_lab.server import sse

        self.set_header("Content-Type", "text/event-stream")
        self.set_header("X-Accel-Buffering", "no")  # proxies in front shall not hold messages back
        self.update_api_activity()
        stop = asyncio.ensure_future(self.backend.stopping.wait())
        stop.add_done_callback(lambda _: self._gone.set())
        try:
            await sse.send(
                self,
                answer.messages,
                heartbeat=self.backend.settings.heartbeat,
                ended=self._gone,
                failure=self._failure,
            )
        finally:
            stop.cancel()
        if not self.request.connection.stream.closed():  # type: ignore[union-attr]
            await self.finish(set_content_type="text/event-stream")

    def on_connection_close(self) -> None:
        """The client has gone: a stream ends."""
        self._gone.set()

    def _set_cookie(self, name: str, value: str | None, attributes: dict[str, Any]) -> None:
        path = attributes.pop("path", "")
        attributes["path"] = path if path.startswith("/") else f"{self._base}/{path}".rstrip("/")
        if self.request.protocol == "https":
            attributes.setdefault("secure", True)
        if value is None:
            self.clear_cookie(name, path=attributes["path"])
        else:
            self.set_cookie(name, value, **attributes)

    def compute_etag(self) -> str | None:
        """That of the route: what changes is compared by its version, not by its bytes."""
        return self._headers.get("ETag")

    # ---- errors and the log --------------------------------------------------------------------------

    def _failure(self, error: BaseException) -> dict[str, Any]:
        """The body of an error; an unexpected one is written to the log."""
        body = errors.body_of(error, self.request_id)
        self.code = body["error"]["code"]
        if errors.status_of(error) == 500:
            self.backend.log.error("unexpected", **fault(error, self.backend.settings))
        return body

    def log_exception(self, *details: Any) -> None:
        """Nothing: `_failure` and `_log` say what there is to say."""

    def write_error(self, status_code: int, **details: Any) -> None:
        """Any error of any stage, in the one form that errors have."""
        error = details["exc_info"][1] if "exc_info" in details else HTTPError(status_code)
        self.set_cors_headers()
        self.set_status(errors.status_of(error))
        for name, value in errors.headers_of(error).items():
            self.set_header(name, value)
        self.finish(to_json(self._failure(error), inf_nan_mode="null", fallback=str))

    def _log(self) -> None:
        """One line a request, and its figures; without the query string, which may hold anything."""
        status, seconds = self.get_status(), self.request.request_time()
        name = self.route.name if self.route else "unknown"
        told = {"method": self.request.method, "route": name, "status": status, "seconds": round(seconds, 4)}
        if self.code:
            told["code"] = self.code
        if self.route is not None and self.route.path.startswith("executions/{id}"):
            told["run_id"] = self._path.split("/")[2]
        if self.caller is not None and self.caller.kernel_id:
            told["kernel_id"] = self.caller.kernel_id
        log = self.backend.log
        (log.error if status >= 500 else log.warning if status >= 400 else log.info)("request", **told)
        if getattr(self.serverapp, "record_http_request_metrics", False):
            prometheus_log_method(self)  # type: ignore[no-untyped-call]
        from bpaz_lab.services import metrics

        metrics.request_finished(name, self.request.method or "", seconds, self.code)
