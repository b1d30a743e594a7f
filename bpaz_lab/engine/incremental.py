"""Incremental runs: a node is computed again only where something changed, and the run says what.

The key of a result is the hash of everything that it depends on: the type and its version, the settings,
the code where it is a cell's, what the node says of the outside (``fingerprint``), and its inputs. A value
counts by its content, so that an upstream node that gave the same again stops the change there; a live
object (a model, a retriever) counts by its *recipe*, the key of the step that made it. What has no
content that can be compared is never a hit, unless the node has a ``key`` of its own.

A hit is hashed again before it is used: a value that somebody changed in place is computed anew, with a
warning.
"""

from __future__ import annotations

import asyncio
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from bpaz_lab.engine.cache import Entry, MemoryCache
from bpaz_lab.engine.hashing import hashed
from bpaz_lab.engine.slots import MISSING
from bpaz_lab.engine.source import Code, changed, code_of, is_own, version_of
from bpaz_lab.engine.values import without
from bpaz_lab.errors import BpazError
from bpaz_lab.graph.order import ordered, predecessors
from bpaz_lab.graph.ports import is_resource
from bpaz_lab.nodes.base import NEVER
from bpaz_lab.nodes.context import Context

if TYPE_CHECKING:
    from collections.abc import Collection

    from bpaz_lab.engine.cache import Cache
    from bpaz_lab.engine.plan import Step
    from bpaz_lab.engine.scheduler import Scheduler
    from bpaz_lab.graph.document import Body, NodeEntry
    from bpaz_lab.nodes.base import Node
    from bpaz_lab.nodes.catalogue import Catalogue
    from bpaz_lab.nodes.context import Services

_FLYING: WeakKeyDictionary[Cache, dict[str, asyncio.Future[None]]] = WeakKeyDictionary()
"""What runs compute just now, by cache and key, so that no two compute the same at the same time."""

LARGE: Final = 1_000_000
"""Bytes above which a value is hashed in a thread."""
MANY: Final = 1000
"""Items above which it is."""
FIRST: Final = "it was not computed before"
GONE: Final = "its result is not kept any more"


@dataclass(slots=True)
class Recipe:
    """What a result depends on, part by part, so that two can be compared.

    Attributes:
        key: The hash of all; empty where something cannot be compared.
        why: What that is.
    """

    type: str
    version: int
    settings: dict[str, Any]
    code: Code
    outside: str = ""
    inputs: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    key: str = ""
    why: str = ""
    body: Any = None
    """Of a container: what is inside."""


class Found(NamedTuple):
    """The answer of the cache: an entry, or why there is none."""

    entry: Entry | None
    why: str


class Known:
    """What the nodes of a workflow were computed from last; lives as long as the workflow."""

    def __init__(self) -> None:
        self.recipes: dict[str, Recipe] = {}
        self.warned: set[str] = set()


class Incremental:
    """The cache as one run sees it.

    Args:
        cache: Where results are.
        known: What the nodes were computed from last.
    """

    def __init__(self, cache: Cache, known: Known) -> None:
        self.cache = cache
        self.known = known
        self.saved: dict[str, Entry] = {}
        """What this run did not compute, by address."""
        self._codes: dict[type, Code] = {}
        self._hashes: dict[tuple[str, int], tuple[str, int, str]] = {}
        """The content of each slot, by prefix and slot: digest, size, why there is none."""
        self._recipes: dict[str, Recipe] = {}
        self._flying = _FLYING.setdefault(cache, {})
        self._mine: dict[str, tuple[str, asyncio.Future[None]]] = {}
        self._usage: dict[str, dict[str, tuple[int, int]]] = {}

    def keeps(self, step: Step) -> bool:
        """Whether the results of a step are kept: none of what happens once, none of what costs nothing."""
        cls = step.cls
        return not (cls.effect == "once" or cls.inline or cls.container or cls.boundary or step.made is None)

    async def look(self, at: Scheduler, step: Step) -> Found:
        """The kept result of a step whose inputs are there, or why it must be computed."""
        address = at.prefix + step.node
        recipe = self._recipes[address] = await self._recipe(at, step)
        before = None
        if not at.prefix:  # rounds of a body are not compared with one another
            before = self.known.recipes.get(step.node)
            self.known.recipes[step.node] = recipe
        if not recipe.key:
            return Found(None, recipe.why)
        while (entry := await self._get(recipe.key)) is None and recipe.key in self._flying:
            await asyncio.wait([self._flying[recipe.key]])  # another run computes the same just now
        if entry is None:
            self._fly(address, recipe.key)
            return Found(None, FIRST if before is None else _difference(before, recipe))
        if damaged := await self._damaged(at, step, entry):
            place = f"{address}.{damaged}"
            if place not in self.known.warned:
                self.known.warned.add(place)
                warnings.warn(
                    f"the value of {place} was changed in place after it was computed, "
                    "so it is computed again; copy it before changing it",
                    stacklevel=2,
                )
            self._fly(address, recipe.key)
            return Found(None, f"its result {damaged} was changed in place")
        self.saved[address] = entry
        return Found(entry, "")

    async def _get(self, key: str) -> Entry | None:
        if isinstance(self.cache, MemoryCache):
            return self.cache.get(key)
        return await asyncio.to_thread(self.cache.get, key)

    async def keep(self, at: Scheduler, step: Step, duration: float) -> None:
        """Keeps what a step gave."""
        address = at.prefix + step.node
        recipe = self._recipes[address]
        outputs, hashes, size, storable = {}, {}, 0, step.cls.effect != "undeclared"
        for bound in step.bound:
            for name, slot in bound.slots:
                value = at.values[slot]
                if value is MISSING:
                    continue
                digest, bytes_, _why = await self._content(at, step, name, slot)
                outputs[name], hashes[name] = value, digest
                size += bytes_
                storable = storable and not digest.startswith("recipe ")
        if recipe.key and all(hashes.values()):
            usage = self._usage.get(address, {})
            forms = at.shared.services.masker.forms
            fit = without(forms) if forms else None
            entry = Entry(outputs, hashes, duration, size, usage, storable, fit)
            if isinstance(self.cache, MemoryCache):
                self.cache.put(recipe.key, entry)
            else:  # it may take its time
                await asyncio.to_thread(self.cache.put, recipe.key, entry)

    def note(self, at: Scheduler, step: Step) -> None:
        """Notes what a step that is not kept was computed from, for ``stale``."""
        if not at.prefix:
            code = self._code(step.cls)
            self.known.recipes[step.node] = Recipe(
                step.cls.__name__, step.cls.version, step.entry["settings"], code, body=step.entry.get("body")
            )

    async def trace(self, at: Scheduler, step: Step) -> None:
        """Notes how the live objects of a step that is not kept were made."""
        made = [
            (name, slot)
            for bound in step.bound
            for name, slot in bound.slots
            if is_resource(step.tags.get(name, "any"))
        ]
        if not made:
            return
        recipe = await self._recipe(at, step)
        for name, slot in made:
            self._hashes[at.prefix, slot] = _made(recipe, name)

    def forget(self, prefix: str) -> None:
        """Forgets the values of a round that is over."""
        for known in [known for known in self._hashes if known[0] == prefix]:
            del self._hashes[known]

    def release(self, at: Scheduler, step: Step) -> None:
        """Tells other runs that a step was computed, or failed: they need not wait any more."""
        flight = self._mine.pop(at.prefix + step.node, None)
        if flight is not None:
            key, over = flight
            if self._flying.get(key) is over:
                del self._flying[key]
            over.set_result(None)

    def _fly(self, address: str, key: str) -> None:
        self._mine[address] = key, asyncio.get_running_loop().create_future()
        self._flying.setdefault(*self._mine[address])

    def used(self, address: str, model: str, input_tokens: int, output_tokens: int) -> None:
        """Notes the tokens of a step, so that a hit can say what it saved."""
        models = self._usage.setdefault(address, {})
        before = models.get(model, (0, 0))
        models[model] = (before[0] + input_tokens, before[1] + output_tokens)

    # ---- what a result depends on ---------------------------------------------------------------------

    async def _recipe(self, at: Scheduler, step: Step) -> Recipe:
        code = self._code(step.cls)
        recipe = Recipe(step.cls.__name__, step.cls.version, step.entry["settings"], code, why=code.why)
        assert step.made is not None
        context = Context(at.prefix + step.node, "text", at.shared.services)
        try:
            outside = step.made.fingerprint(context)
        except Exception as error:  # noqa: BLE001 (the node itself will say so when it is called)
            recipe.why = f"what it reads cannot be told: {error}"
            return recipe
        if outside is NEVER:
            recipe.why = "its result is never kept"
        elif callable(outside):
            recipe.code = code_of(outside)
            recipe.why = recipe.code.why
        else:
            told = hashed(outside)
            recipe.outside, recipe.why = told.digest, recipe.why or told.why
        await self._inputs(at, step, recipe)
        if not recipe.why:
            wanted = [[name for name, _ in bound.slots] for bound in step.bound]
            parts = (recipe.type, recipe.version, recipe.settings, recipe.code.parts, recipe.outside)
            recipe.key = hashed([*parts, recipe.inputs, wanted]).digest
        return recipe

    async def _inputs(self, at: Scheduler, step: Step, recipe: Recipe) -> None:
        if step.cls.key is not None:
            given = {
                feed.name: at.values[feed.slots[0][0]]
                for bound in step.bound
                for feed in bound.feeds
                if at.values[feed.slots[0][0]] is not MISSING
            }
            try:
                told = hashed(step.cls.key(**given))
            except Exception as error:  # noqa: BLE001 (the user's own code; the node is computed then)
                recipe.why = f"its key failed: {type(error).__name__}: {error}"
                return
            recipe.inputs["key"] = told.digest
            recipe.why = recipe.why or (f"its key cannot be compared: {told.why}" if told.why else "")
            return
        for bound in step.bound:
            for feed in bound.feeds:
                for number, (slot, _) in enumerate(feed.slots):
                    name = feed.name if len(feed.slots) == 1 else f"{feed.name}[{number}]"
                    if at.values[slot] is MISSING:
                        recipe.inputs[name] = "missing"
                        continue
                    source = feed.sources[number].place if feed.sources else ""
                    digest, _size, why = await self._slot(
                        at, slot, feed.sources[number].tag if source else feed.tag
                    )
                    recipe.inputs[name], recipe.sources[name] = digest, source
                    if not digest and not recipe.why:
                        recipe.why = f"its input {name} cannot be compared: {why}"

    def _code(self, cls: type[Node]) -> Code:
        code = self._codes.get(cls)
        if code is None:
            code = self._codes[cls] = (
                code_of(cls) if cls.package != "bpaz_lab" else Code({"bpaz_lab": version_of("bpaz_lab")})
            )
        return code

    # ---- what a value is --------------------------------------------------------------------------------

    async def _content(self, at: Scheduler, step: Step, name: str, slot: int) -> tuple[str, int, str]:
        """The content of an output; of a live object the recipe that made it."""
        tag = step.tags.get(name, "any")
        if is_resource(tag):
            told = self._hashes[at.prefix, slot] = _made(self._recipes[at.prefix + step.node], name)
            return told
        return await self._slot(at, slot, tag)

    async def _slot(self, at: Scheduler, slot: int, tag: str) -> tuple[str, int, str]:
        known = self._hashes.get((at.prefix, slot))
        if known is None:
            if is_resource(tag):
                known = ("", 0, "nobody knows how it was made")
            else:
                known = await _hash(at.values[slot])
            self._hashes[at.prefix, slot] = known
        return known

    async def _damaged(self, at: Scheduler, step: Step, entry: Entry) -> str:
        """The output of a hit that is no more what it was when it was kept."""
        slots = {name: slot for bound in step.bound for name, slot in bound.slots}
        for name, value in entry.outputs.items():
            digest = entry.hashes[name]
            if digest.startswith("recipe "):
                self._hashes[at.prefix, slots[name]] = (digest, 0, "")
                continue
            told = await _hash(value)
            if told[0] != digest:
                return name
            self._hashes[at.prefix, slots[name]] = told
        return ""


async def _hash(value: Any) -> tuple[str, int, str]:
    size = getattr(value, "nbytes", 0) if not hasattr(value, "memory_usage") else LARGE
    large = isinstance(size, int) and size >= LARGE
    large = large or (isinstance(value, list | tuple | dict | set) and len(value) >= MANY)
    return await asyncio.to_thread(_content, value) if large else _content(value)


def _content(value: Any) -> tuple[str, int, str]:
    """The content of a value, with the code of the notebook's own classes in it: their methods count."""
    told = hashed(value)
    codes = [code_of(cls) for cls in told.classes if is_own(cls)]
    if not codes or not told.digest:
        return told.digest, told.size, told.why
    why = next((code.why for code in codes if code.why), "")
    return "" if why else hashed([told.digest, *(code.parts for code in codes)]).digest, told.size, why


def _made(recipe: Recipe, name: str) -> tuple[str, int, str]:
    return (f"recipe {recipe.key} {name}" if recipe.key else "", 0, recipe.why)


def _difference(before: Recipe, now: Recipe) -> str:
    """What changed since the node was computed last, in words."""
    if (before.type, before.version) != (now.type, now.version):
        return f"its type is {now.type} {now.version} now"
    if told := settings_changed(before.settings, now.settings):
        return told
    if told := changed(before.code, now.code):
        return told
    if before.outside != now.outside:
        return "what it reads changed"
    for name, digest in now.inputs.items():
        if before.inputs.get(name) != digest:
            source = now.sources.get(name, "")
            return f"its input {name} changed" + (f" (from {source.partition('.')[0]})" if source else "")
    return GONE


def settings_changed(before: dict[str, Any], now: dict[str, Any]) -> str:
    """Which setting is another one, in words; empty where none is."""
    for name in [*now, *(name for name in before if name not in now)]:
        if before.get(name) != now.get(name):
            one, other = (
                _short(each.get(name, "default") if name in each else "its default") for each in (before, now)
            )
            return f"its setting {name} changed from {one} to {other}"
    return ""


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def stale(
    body: Body, types: Catalogue, known: Known, services: Services, pinned: Collection[str] = ()
) -> dict[str, str]:
    """Why a run would compute each node again, as far as that is known without running anything.

    Args:
        body: The nodes and edges.
        types: The node types.
        known: What the nodes were computed from last.
        services: What the nodes may ask of the outside, to see whether that changed.
        pinned: Nodes that stand still.

    Returns:
        Reasons by node, in the order of the edges; a node that is not in it is up to date.
    """
    reasons: dict[str, str] = {}
    feeding = predecessors(body)
    for node in ordered(feeding)[0]:
        entry = body["nodes"][node]
        cls = types.get(entry["type"])
        if cls is None or node in pinned or entry.get("policy", {}).get("disabled"):
            continue
        upstream = sorted(each for each in feeding[node] if each in reasons)
        told = _why(cls, entry, known.recipes.get(node), Context(node, "text", services))
        if told or upstream:
            reasons[node] = told or f"{upstream[0]} is stale"
    return reasons


def _why(cls: type[Node], entry: NodeEntry, before: Recipe | None, context: Context) -> str:
    if before is None:
        return FIRST
    if cls.effect == "once":
        return "it acts on the outside, so it always runs"
    if before.body != entry.get("body"):
        return "its body changed"
    now = Recipe(cls.__name__, cls.version, entry["settings"], before.code, before.outside, before.inputs)
    if cls.package != "bpaz_lab":
        now.code = code_of(cls)
    try:
        outside = cls.of(entry["settings"]).fingerprint(context)
    except BpazError as error:
        return error.message
    if callable(outside):
        now.code = code_of(outside)
    elif outside is not NEVER and before.outside:  # nobody looked outside for what is not kept
        now.outside = hashed(outside).digest
    told = _difference(before, now)
    return "" if told == GONE else told
