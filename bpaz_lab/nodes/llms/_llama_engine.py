"""One llama.cpp model in this process, and the thread that works for it.

Engines are shared: the same file with the same options is loaded once, however many chat models,
nodes and runs use it. Each engine has one worker thread, so calls queue up and nobody's event loop
ever waits for the model. llama.cpp releases the interpreter lock while it computes.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from bpaz_lab.errors import MissingPackage
from bpaz_lab.nodes.llms._weights import LocalModelError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from pathlib import Path

Body = dict[str, Any]
Chunk = dict[str, Any]
Item = Chunk | BaseException | None

# How many models stay loaded: the one in use and the one before (a changed context length).
KEPT = 2
# Tokens of a prompt between two looks at whether the caller still wants the answer; smaller than
# llama.cpp's 512 because one step then takes half a second on one core, at no loss of speed.
STEP = 64

_engines: OrderedDict[tuple[Path, int, int, int], Engine] = OrderedDict()
_lock = threading.Lock()


class Engine:
    """A model, loaded at its first call, that answers one chat request after another.

    Args:
        path: The GGUF file.
        n_ctx: Context length in tokens, prompt and answer together.
        n_threads: Threads that llama.cpp computes with.
    """

    def __init__(self, path: Path, n_ctx: int, n_threads: int) -> None:
        self.path = path
        self.n_ctx = n_ctx
        self.n_threads = n_threads
        self._server: Any = None
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="bpaz-llama")

    @property
    def loaded(self) -> bool:
        """Whether the weights are in memory."""
        return self._server is not None

    def stream(self, body: Body) -> Generator[Chunk, None, None]:
        """The chunks of an answer, in llama.cpp's OpenAI-style form.

        Closing the iterator stops the model at its next token.

        Args:
            body: An OpenAI-style chat request.

        Raises:
            LocalModelError: The model does not load or refuses the request.
            MissingPackage: ``xllamacpp`` is not installed.
        """
        inbox: SimpleQueue[Item] = SimpleQueue()
        stop = threading.Event()
        future = self._submit(body, inbox.put, stop)
        try:
            while (item := inbox.get()) is not None:
                yield _checked(item)
        finally:
            stop.set()
            future.cancel()

    async def astream(self, body: Body) -> AsyncGenerator[Chunk, None]:
        """Like :meth:`stream`, for an event loop; cancelling the consumer stops the model."""
        loop = asyncio.get_running_loop()
        inbox: asyncio.Queue[Item] = asyncio.Queue()
        stop = threading.Event()

        def deliver(item: Item) -> None:
            try:
                loop.call_soon_threadsafe(inbox.put_nowait, item)
            except RuntimeError:  # the loop was closed in the meantime: nobody listens any more
                stop.set()

        future = self._submit(body, deliver, stop)
        try:
            while (item := await inbox.get()) is not None:
                yield _checked(item)
        finally:
            stop.set()
            future.cancel()

    def _submit(self, body: Body, deliver: Callable[[Item], None], stop: threading.Event) -> Future[None]:
        def finish(future: Future[None]) -> None:
            if not future.cancelled():
                deliver(future.exception())

        future = self._worker.submit(self._answer, body, deliver, stop)
        future.add_done_callback(finish)
        return future

    def _answer(self, body: Body, deliver: Callable[[Item], None], stop: threading.Event) -> None:
        def on_chunk(chunk: Chunk) -> bool:
            if not stop.is_set():
                deliver(chunk)
            return stop.is_set()  # true tells llama.cpp to drop the request

        if self._server is None:
            self._server = _load(self.path, self.n_ctx, self.n_threads)
        try:
            self._server.handle_chat_completions(body, on_chunk)
        except (ValueError, RuntimeError) as error:
            raise LocalModelError(f"the local model refused the request: {error}") from error


def engine_for(path: Path, n_ctx: int, n_threads: int) -> Engine:
    """The engine of this file and these options; a file that has changed gets a new one."""
    path = path.resolve()
    key = (path, path.stat().st_mtime_ns, n_ctx, n_threads)
    with _lock:
        engine = _engines.setdefault(key, Engine(path, n_ctx, n_threads))
        _engines.move_to_end(key)
        while len(_engines) > KEPT:  # whoever still holds a dropped engine goes on using it
            _engines.popitem(last=False)
    return engine


def _load(path: Path, n_ctx: int, n_threads: int) -> Any:
    try:
        import xllamacpp
    except ImportError as error:
        raise MissingPackage(
            "the local model needs the package xllamacpp", hint="pip install 'bpaz-lab[local]'"
        ) from error

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {path.stem}
    params.n_ctx = n_ctx
    params.n_parallel = 1
    params.n_batch = params.n_ubatch = STEP
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = n_threads
    params.fit_params = params.warmup = False
    params.cache_ram_mib = 0
    params.verbosity = 1  # errors only
    # xllamacpp opens llama.cpp's HTTP server whether one wants it or not. It gets a key that nobody
    # knows and, where there are Unix sockets, a socket file that is gone as soon as the model is up.
    params.api_keys = [secrets.token_urlsafe(32)]
    params.ui = params.endpoint_slots = params.endpoint_props = False
    params.cors_origins = ""
    params.n_threads_http = 1
    with TemporaryDirectory(prefix="bpaz-") as folder:
        if os.name == "posix":
            params.hostnames = [f"{folder}/s.sock"]
        try:
            return xllamacpp.Server(params)
        except RuntimeError as error:
            raise LocalModelError(
                "llama.cpp cannot load this model",
                hint="the file is damaged, newer than this xllamacpp, or too large for the memory; "
                "llama.cpp's own message is on standard error",
                path=str(path),
            ) from error


def _checked(item: Chunk | BaseException) -> Chunk:
    if isinstance(item, BaseException):
        raise item
    if "error" not in item:
        return item
    error = item["error"]
    hint = ""
    if error.get("type") == "exceed_context_size_error":
        hint = "send less text, or raise n_ctx (the context length)"
    raise LocalModelError(f"the local model refused the request: {error.get('message', error)}", hint=hint)
