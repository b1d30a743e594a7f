"""The same for every item of a list."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from bpaz_lab.errors import InputError, NodeFailed
from bpaz_lab.graph.address import path_of
from bpaz_lab.graph.spec import Ports, PortSpec
from bpaz_lab.nodes.base import outputs
from bpaz_lab.nodes.container import Container
from bpaz_lab.nodes.context import Context, Paused
from bpaz_lab.nodes.script import in_script
from bpaz_lab.nodes.standing import told

ITEMS, ITEM, INDEX, ERRORS = "items", "item", "index", "errors"


class ForEach(Container):
    """Runs its body once for each item of a list, or each row of a table, several at the same time.

    Inside, a Start field `item` is the item (a row of a table is a dict by column), a field `index` its
    number from 0, and `items` are all of them. Every other field of Start is an input of the ForEach, the
    same for all rounds. Each field of End comes out as a list, in the order of the items, with None where a
    round did not give it. With `collect` a round that fails leaves None too and is told at `errors`; else
    the first fault ends it.

    ```python
    with wf.add("ForEach", id="each", at_once=4) as body:
        start = body.add("Start", fields=[{"name": "item", "kind": "any"}])
        start["item"] >> body.add(summarise) >> body.add("End", fields=["summary"])
    wf.connect(load["documents"], wf["each"]["items"])
    ```
    """

    takes, gives = ITEM, "result"

    at_once: int = Field(8, ge=1, le=1000, description="How many rounds go on at the same time.")
    on_item_error: Literal["fail", "collect"] = Field(
        "fail", description="Whether a round that fails ends everything, or is told at errors."
    )

    @classmethod
    def container_ports(cls, settings: Mapping[str, Any], inside: Ports) -> Ports:
        """The items, what all rounds share, and a list for each result."""
        items = PortSpec(
            name=ITEMS, tag="any", title="Items", help="A list, or a table by rows.", required=True
        )
        shared = tuple(port for port in inside.inputs if port.name not in (ITEM, INDEX, ITEMS))
        needs = (ITEMS, *(port.name for port in shared))
        collects = settings.get("on_item_error") == "collect"
        given = [port for port in inside.outputs if not (collects and port.name == ERRORS)]
        results = [
            PortSpec(name=port.name, tag=_listed(port.tag), title=port.title, main=number == 0, needs=needs)
            for number, port in enumerate(given)
        ]
        if collects:
            about = "What went wrong: a list of {index, code, message, hint, path}."
            results.append(
                PortSpec(name=ERRORS, tag="data", title="Errors", help=about, needs=needs, main=not given)
            )
        return Ports(inputs=(items, *shared), outputs=tuple(results))

    @outputs()
    async def each(self, /, bpaz_context: Context, **inputs: Any) -> dict[str, Any]:
        """The results by name, each a list.

        Raises:
            InputError: What came is no list and no table.
            NodeFailed: A round failed, and faults are not collected.
        """
        context, body = bpaz_context, bpaz_context.body  # so that an input may be called context
        assert body is not None
        items = _items(inputs[ITEMS], f"{path_of(context.node)}.inputs.{ITEMS}")
        rounds: list[Any] = [None] * len(items)
        waiting: list[Paused] = []
        queue = iter(enumerate(items))
        done = 0

        async def work() -> None:
            nonlocal done
            for index, item in queue:  # all workers share it
                try:
                    rounds[index] = await body({**inputs, ITEM: item, INDEX: index}, str(index))
                except Paused as paused:  # the other items go on first
                    waiting.append(paused)
                    continue
                except NodeFailed as error:
                    if self.on_item_error == "fail":
                        raise
                    rounds[index] = error
                done += 1
                context.progress(done, len(items))

        workers = [asyncio.ensure_future(work()) for _ in range(min(self.at_once, len(items)))]
        try:
            await asyncio.gather(*workers)
        except BaseException:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            raise
        if waiting:
            raise waiting[0]
        return self._gathered(rounds, body.gives)

    def _gathered(self, rounds: list[Any], names: tuple[str, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {
            name: [each.get(name) if isinstance(each, dict) else None for each in rounds] for name in names
        }
        if self.on_item_error == "collect":
            found[ERRORS] = [
                {"index": index, **each.told()}
                for index, each in enumerate(rounds)
                if isinstance(each, NodeFailed)
            ]
        return found


def _items(value: Any, path: str = "") -> list[Any]:
    """The items of a list, or the rows of a table."""
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return list(value.to_dict(orient="records"))
    if isinstance(value, list | tuple | range | set | frozenset):
        return list(value)
    if hasattr(value, "tolist") and getattr(value, "ndim", 0) > 0:  # an array, a column of a table
        return list(value)
    raise InputError(
        f"a ForEach counts the items of a list or the rows of a table, and a {type(value).__name__} came",
        path=path,
        hint="Connect a list; split a text first, for instance with a splitter.",
    )


def _listed(tag: str) -> str:
    return "documents" if tag == "documents" else "data" if tag in ("any", "data") else f"list[{tag}]"


@in_script(ForEach)
def for_each(
    body: Callable[..., dict[str, Any]],
    gives: Sequence[str],
    items: Any,
    at_once: int = 8,
    on_item_error: Literal["fail", "collect"] = "fail",
    **shared: Any,
) -> dict[str, Any]:
    """The results of the rounds by name, each a list."""
    from concurrent.futures import ThreadPoolExecutor

    errors: list[dict[str, Any]] = []

    def once(index: int, item: Any) -> dict[str, Any]:
        try:
            return body(**{**shared, "item": item, "index": index})
        except Exception as error:
            if on_item_error == "fail":
                raise
            errors.append({"index": index, **told(error)})
            return {}

    everything = _items(items)
    with ThreadPoolExecutor(at_once) as pool:
        rounds = list(pool.map(once, range(len(everything)), everything))
    found: dict[str, Any] = {name: [each.get(name) for each in rounds] for name in gives}
    if on_item_error == "collect":
        found["errors"] = sorted(errors, key=lambda error: int(error["index"]))
    return found
