"""The workflow that is killed: a chain, a fan-out, rounds and an approval, of steps of every effect.

Each step says to the witness (``effects.py``) that it was done. What a step gives depends on what it got and
on nothing else, so the output of a run tells whether anything was lost or mixed up on the way.
"""

from __future__ import annotations

import hashlib
import os
import time
from itertools import pairwise
from typing import Annotated, ClassVar

from bpaz_lab.nodes.base import Node
from bpaz_lab.nodes.catalogue import catalogue
from bpaz_lab.nodes.context import Context  # noqa: TC001 (ports are made from the hints)
from bpaz_lab.nodes.types import Port
from tests.support import effects

MOMENTS = (
    "before started", "in the commit of started", "after started", "after the effect",
    "before done", "in the commit of done", "after done",
)  # fmt: skip
"""The moments at which a process dies; each belongs to a step."""
TEXT = "books of the year"
LARGE = 200_000
"""Characters of the largest value, which lies in a part of its own."""
WIDTH, ROUNDS = 5, 4
SLOW = "CRASH_SLOW"
"""The variable that says how many seconds a step takes."""
hooks = []
"""Called with a moment and an address: where a child may be killed, see ``crash_child.py``."""


def _done(kind, context, text):
    """Says to the witness that a step was done, and gives what the step gives."""
    gives = f"{kind} {context.node} for {_short(text)}"
    run = context.services.run_id.replace("-", "")
    effects.do(run=run, step=context.node, kind=kind, key=context.idempotency_key, gives=gives)
    for hook in hooks:
        hook("after the effect", context.node)
    time.sleep(float(os.environ.get(SLOW, "0")))
    return gives


def _short(text):
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


class CrashPure(Node):
    """Computes a text, and gives a large one where asked to."""

    size: int = 0

    def run(self, text: str, context: Context) -> str:
        return (_done("pure", context, text) + " ").ljust(self.size, ".")


class CrashRead(Node):
    """Reads something that may be read twice."""

    effect = "repeatable"

    def run(self, text: str, context: Context) -> str:
        return _done("repeatable", context, text)


class CrashSend(Node):
    """Sends something that must not be sent twice."""

    effect = "once"

    def run(self, text: str, context: Context) -> str:
        return _done("once", context, text)


class CrashPay(Node):
    """Pays once, at a provider that knows a payment by its key."""

    effect = "once"
    idempotent: ClassVar[bool] = True

    def run(self, text: str, context: Context) -> str:
        return _done("idempotent", context, text)


class CrashSplit(Node):
    """Makes a list of a text."""

    inline = True

    def run(self, text: str) -> list:
        return [f"{_short(text)} {number}" for number in range(ROUNDS)]


class CrashJoin(Node):
    """Makes one text of everything."""

    inline = True

    def run(self, texts: Annotated[list, Port("any", many=True)]) -> str:
        return _short("|".join(str(text) for text in texts))


TYPES = (CrashPure, CrashRead, CrashSend, CrashPay, CrashSplit, CrashJoin)


def register():
    """Makes the types known in this process."""
    for cls in TYPES:
        catalogue().register(cls)


def _document():
    chain = {
        "begin": ("Start", {"fields": [{"name": "text"}]}),
        "look": ("CrashPure", {}),
        "order": ("CrashSend", {}),
        "fetch": ("CrashRead", {}),
        "pay": ("CrashPay", {}),
        "large": ("CrashPure", {"size": LARGE}),
        "ship": ("CrashSend", {}),
    }
    nodes = {name: {"type": type, "settings": settings} for name, (type, settings) in chain.items()}
    names = list(chain)
    edges = [[f"{one}.text", f"{other}.text"] for one, other in pairwise(names)]
    fan = [("CrashSend", "CrashRead", "CrashPure", "CrashPay")[n % 4] for n in range(WIDTH)]
    for number, type in enumerate(fan):
        nodes[f"fan{number}"] = {"type": type, "settings": {}}
        edges += [["ship.text", f"fan{number}.text"], [f"fan{number}.text", "join.texts"]]
    body = {
        "nodes": {
            "start": {"type": "Start", "settings": {"fields": [{"name": "item", "kind": "any"}]}},
            "clean": {"type": "CrashPure", "settings": {}},
            "mail": {"type": "CrashSend", "settings": {}},
            "end": {"type": "End", "settings": {"fields": ["receipt"]}},
        },
        "edges": [["start.item", "clean.text"], ["clean.text", "mail.text"], ["mail.text", "end.receipt"]],
    }
    nodes |= {
        "split": {"type": "CrashSplit", "settings": {}},
        "each": {"type": "ForEach", "settings": {"at_once": 2}, "body": body},
        "join": {"type": "CrashJoin", "settings": {}},
        "ask": {"type": "HumanApproval", "settings": {"question": "Close the books?"}},
        "close": {"type": "CrashSend", "settings": {}},
        "out": {"type": "CrashJoin", "settings": {}},
    }
    edges += [
        ["ship.text", "split.text"], ["split.data", "each.items"], ["each.receipt", "join.texts"],
        ["join.text", "ask.value"], ["ask.approved", "close.text"], ["join.text", "out.texts"],
        ["close.text", "out.texts"],
    ]  # fmt: skip
    return {"bpaz": 1, "name": "Books", "nodes": nodes, "edges": edges}


DOCUMENT = _document()
ONCE = {
    "order", "ship", "fan0", "fan4", "close", *(f"each[{number}]/mail" for number in range(ROUNDS))
}  # fmt: skip
"""The addresses of what must not happen twice."""
IDEMPOTENT = {"pay", "fan3"}
ALL = ONCE | IDEMPOTENT | {
    "look", "fetch", "large", "fan1", "fan2", *(f"each[{number}]/clean" for number in range(ROUNDS))
}  # fmt: skip
"""Everything that says that it was done."""
