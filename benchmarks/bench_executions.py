"""What running through the server adds: from a token in the kernel to who reads the stream; many at once."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from measure import table

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.server import Server, serving

STARTUP = '''
import asyncio, time
from collections.abc import AsyncIterator

import bpaz_lab as bz

@bz.node
async def stamps(count: int = 20) -> AsyncIterator[str]:
    """Tells the time, as a text that streams."""
    for _ in range(count):
        yield f"{time.time()} "
        await asyncio.sleep(0.02)
'''
STAMPS = {"bpaz": 1, "name": "Stamps", "nodes": {"stamps": {"type": "stamps", "version": 1}}}
STUB = {
    "bpaz": 1,
    "name": "Stub",
    "nodes": {"hello": {"type": "PromptTemplate", "version": 1, "settings": {"template": "Hello {name}!"}}},
}
RUNS = 50


def delays(server: Server) -> list[float]:
    """The seconds from when each token was made in the kernel until a reader of the stream had it."""
    found = []
    body = {"flow_data": STAMPS}
    with server.client().stream("POST", "workflows/execute/stream", json=body) as answer:
        assert answer.status_code == 200, answer.read()
        for line in answer.iter_lines():
            now = time.time()
            told = json.loads(line[5:]) if line.startswith("data:") else {}
            if told.get("type") == "token":
                found.append(now - float(told["text"].split()[-1]))
    return found


def one(server: Server) -> tuple[str, float]:
    """How an execution of a stub ended, and how long it took."""
    began = time.perf_counter()
    body = {"flow_data": STUB, "inputs": {"name": "you"}}
    answer = server.client().post("workflows/execute", json=body)
    told = answer.json()
    return told.get("status", str(answer.status_code)), time.perf_counter() - began


def main() -> None:
    """One server, one kernel."""
    with tempfile.TemporaryDirectory() as folder:
        startup = Path(folder) / "ipythondir" / "profile_default" / "startup"
        startup.mkdir(parents=True)
        (startup / "stamps.py").write_text(STARTUP, encoding="utf-8")
        with serving(Path(folder), {"runs_per_user": RUNS, "log_level": "error"}) as server:
            one(server)  # starts the kernel
            taken = [delays(server) for _ in range(10)]
            rows = [
                ("first token", f"{median(each[0] for each in taken) * 1000:.1f}"),
                ("later tokens", f"{median(each for run in taken for each in run[1:]) * 1000:.1f}"),
                ("slowest first token", f"{max(each[0] for each in taken) * 1000:.1f}"),
            ]
            table("From the kernel to the reader of a stream (goal: <= 5 ms)", ("", "ms"), rows)
            alone = median(one(server)[1] for _ in range(10))
            began = time.perf_counter()
            with ThreadPoolExecutor(RUNS) as pool:
                ended = list(pool.map(lambda _: one(server), range(RUNS)))
            took = time.perf_counter() - began
            wrong = [status for status, _ in ended if status != "completed"]
            rows = [
                ("runs that did not complete", len(wrong)),
                ("one alone, ms", f"{alone * 1000:.0f}"),
                ("all, s", f"{took:.2f}"),
                ("all / one after the other", took / (alone * RUNS)),
            ]
            table(f"{RUNS} executions of a stub at once (goal: no error)", ("", ""), rows)


if __name__ == "__main__":
    main()
