"""All node types that can be used here: found by scanning folders, by entry points, and by cells.

A built-in type is found because its file lies in a category folder; a third party's through the
entry-point group ``bpaz_lab.nodes`` (its value a node class, or a module whose node classes count). A
package that fails to load does not take the others with it: ``faults`` tells what went wrong.

Example:
    >>> catalogue().spec("PromptTemplate").category
    'prompts'
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import pkgutil
import threading
import warnings
from copy import copy
from functools import cache
from typing import TYPE_CHECKING, Any

import bpaz_lab.nodes
from bpaz_lab.errors import DocumentError, NodeTypeError, UnknownNodeType
from bpaz_lab.graph import ports as tags
from bpaz_lab.graph.bodies import body_ports, with_error
from bpaz_lab.graph.policy import POLICY
from bpaz_lab.graph.spec import CatalogueSpec, CategorySpec, NodeSpec, Ports, TagSpec
from bpaz_lab.guard.suggest import closest
from bpaz_lab.nodes.base import Node
from bpaz_lab.nodes.container import Container

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import ModuleType

    from bpaz_lab.graph.document import Body, NodeEntry
    from bpaz_lab.graph.library import Library

GROUP = "bpaz_lab.nodes"
CELL = "cell"


class Catalogue:
    """The node types by name. Thread-safe; scans when it is first asked."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._types: dict[str, type[Node]] = {}
        self._replaced: dict[str, str] = {}
        self._listeners: list[Callable[[type[Node]], None]] = []
        self._done: set[str] = set()
        self._library: Library | None = None
        self._opening = threading.local()
        self.faults: dict[str, str] = {}
        self._registrations: list[str] = []

    def beside(self, library: Library) -> Catalogue:
        """The same node types, for a workflow whose sub-workflows are in this library."""
        other = copy(self)
        other._library = library
        return other

    @property
    def version(self) -> int:
        """Counts registrations, so that what was derived from the types knows when it is old."""
        return len(self._registrations)

    def register(self, cls: type[Node]) -> None:
        """Adds a node type, or replaces the one of that name (a cell that is run again).

        Raises:
            NodeTypeError: The class breaks the node contract, or another package owns its name.
        """
        cls.shape()
        self._scan()
        with self._lock:
            known = self._types.get(cls.__name__)
            if known is not None and known.package != cls.package:
                raise NodeTypeError(
                    f"the node type {cls.__name__} is already provided by {known.package}",
                    hint="Give yours another name, for instance with @bz.node(name=...).",
                )
            self._add(cls)
            self._registrations.append(cls.__name__)
            listeners = list(self._listeners)
        for listener in listeners:
            listener(cls)

    def on_register(self, listener: Callable[[type[Node]], None]) -> Callable[[], None]:
        """Calls ``listener`` with each type that is registered later; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def get(self, name: str) -> type[Node] | None:
        """The class of a type, also by a name that it replaces; None for an unknown one."""
        self._scan()
        return self._types.get(name) or self._types.get(self._replaced.get(name, ""))

    def find(self, name: str) -> type[Node]:
        """The class of a type.

        Raises:
            UnknownNodeType: No package provides it; the hint names the closest ones.
        """
        cls = self.get(name)
        if cls is None:
            raise UnknownNodeType(
                f"no installed package provides the node type {name!r}",
                hint=closest(name, self._types) or "bz.node_types() lists what there is.",
            )
        return cls

    def __iter__(self) -> Iterator[type[Node]]:
        self._scan()
        return iter(sorted(self._types.values(), key=lambda cls: cls.__name__))

    def __len__(self) -> int:
        self._scan()
        return len(self._types)

    # ---- what the checks of a document ask --------------------------------------------------------

    def spec(self, name: str) -> NodeSpec | None:
        """The spec of a type, or None for an unknown one."""
        cls = self.get(name)
        return None if cls is None else cls.spec()

    def ports(self, entry: NodeEntry) -> Ports | None:
        """The ports of a node with its settings, its policy and its body; None for an unknown type."""
        cls = self.get(entry["type"])
        if cls is None:
            return None
        if not cls.dynamic():
            found = cls.shape().ports
        else:
            settings = {**{field.name: field.default for field in cls.shape().fields}, **entry["settings"]}
            if issubclass(cls, Container):
                found = cls.container_ports(settings, self._inside(entry))
            else:
                found = cls.ports(settings)
        return with_error(found, entry) if "policy" in entry else found

    def body(self, entry: NodeEntry) -> Body | None:
        """The body that a container runs, its own or the one that its settings name; None without one.

        Raises:
            DocumentError: What the settings name is not there.
        """
        reference = self.reference(entry)
        if not reference:
            return entry.get("body")
        if self._library is None:
            raise DocumentError(
                f"the workflow {reference!r} cannot be found from here",
                path="settings.workflow",
                hint="Save this workflow, or load it from its file.",
            )
        return self._library.find(reference)

    def reference(self, entry: NodeEntry) -> str:
        """What a container names instead of a body of its own; empty for any other node.

        A body with nothing in it is none: a canvas gives every container one to go into.
        """
        cls = self.get(entry["type"])
        if cls is None or entry.get("body", {}).get("nodes") or not issubclass(cls, Container):
            return ""
        return cls.reference(entry["settings"])

    def _inside(self, entry: NodeEntry) -> Ports:
        """The ports of a container's body, as far as it can be found; the checks tell the rest."""
        opening: list[str] = self._opening.__dict__.setdefault("trail", [])
        reference = self.reference(entry)
        if reference and reference in opening:
            return Ports()
        opening.append(reference)
        try:
            body = self.body(entry)
        except DocumentError:
            return Ports()
        else:
            return Ports() if body is None else body_ports(body, self)
        finally:
            opening.pop()

    def problems(self, name: str, settings: Mapping[str, Any]) -> list[DocumentError]:
        """What is wrong with the settings of a node; empty for an unknown type."""
        cls = self.get(name)
        if cls is None:
            return []
        try:
            cls.of(settings)
        except DocumentError as error:
            return error.problems
        return []

    def upgraded(self, entry: NodeEntry) -> NodeEntry:
        """An entry of a document in today's form: the type's present name, version and settings.

        An unknown type, and one of a newer version than the installed one, stays as it is.
        """
        if "body" in entry:
            inner = {id: self.upgraded(each) for id, each in entry["body"]["nodes"].items()}
            entry = {**entry, "body": {**entry["body"], "nodes": inner}}
        cls = self.get(entry["type"])
        if cls is None or (cls.__name__ == entry["type"] and cls.version <= entry["version"]):
            return entry
        settings = cls.upgrade(dict(entry["settings"]), entry["version"])
        return {**entry, "type": cls.__name__, "version": cls.version, "settings": settings}

    # ---- what the canvas asks ---------------------------------------------------------------------

    def categories(self) -> tuple[CategorySpec, ...]:
        """The categories that have a type, in order."""
        used = {cls.spec().category for cls in self}
        return tuple(
            sorted((_category(name) for name in used), key=lambda category: (category.order, category.name))
        )

    def describe(self) -> CatalogueSpec:
        """Everything the canvas must know to draw any workflow."""
        return CatalogueSpec(
            nodes=tuple(cls.spec() for cls in self),
            categories=self.categories(),
            tags={
                name: TagSpec(title=tag.title, color=tag.color, resource=tag.resource)
                for name, tag in tags.TAGS.items()
            },
            connections=tags.table(),
            policy=POLICY,
        )

    # ---- finding ----------------------------------------------------------------------------------

    def _scan(self) -> None:
        if self._done:
            return
        with self._lock:
            if self._done:  # another thread was faster
                return
            for cls in _built_in():
                self._add(cls)
            for entry in importlib.metadata.entry_points(group=GROUP):
                self._load(entry)
            self._done.add(GROUP)

    def _add(self, cls: type[Node]) -> None:
        self._types[cls.__name__] = cls
        self._replaced.update(dict.fromkeys(cls.replaces, cls.__name__))

    def _check(self, cls: Any) -> None:
        if not (inspect.isclass(cls) and issubclass(cls, Node)):
            raise NodeTypeError(
                f"{cls!r} is no node class", hint="Point the entry point at one, or at a module."
            )
        cls.shape()
        if known := self._types.get(cls.__name__):
            raise NodeTypeError(
                f"{known.package} has a node type {cls.__name__} already", hint="Give the class another name."
            )

    def _load(self, entry: importlib.metadata.EntryPoint) -> None:
        package = entry.dist.name if entry.dist else entry.module
        try:
            found: Any = entry.load()
            classes = list(_classes_of(found)) if inspect.ismodule(found) else [found]
            for cls in classes:
                self._check(cls)
            for cls in classes:
                cls.package = package
                self._add(cls)
        except Exception as error:  # noqa: BLE001 (a stranger's package must not take the catalogue with it)
            self.faults[entry.name] = f"{type(error).__name__}: {error}"
            warnings.warn(f"the nodes of {package} cannot be loaded: {error}", stacklevel=2)


@cache
def catalogue() -> Catalogue:
    """The catalogue of this process."""
    return Catalogue()


@cache
def _folders() -> tuple[str, ...]:
    return tuple(each.name for each in pkgutil.iter_modules(bpaz_lab.nodes.__path__) if each.ispkg)


def _built_in() -> Iterator[type[Node]]:
    for folder in _folders():
        package = importlib.import_module(f"bpaz_lab.nodes.{folder}")
        for file in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            if not file.name.rpartition(".")[2].startswith("_"):
                yield from _classes_of(importlib.import_module(file.name))


def _classes_of(module: ModuleType) -> Iterator[type[Node]]:
    for value in list(vars(module).values()):
        if inspect.isclass(value) and issubclass(value, Node) and value.__module__ == module.__name__:
            yield value


_CELL_CATEGORY = CategorySpec(
    name=CELL,
    title="Your functions",
    help="Functions and classes of this notebook.",
    icon="M7 4c-3 0-1 6-4 8 3 2 1 8 4 8M17 4c3 0 1 6 4 8-3 2-1 8-4 8",
    order=0,
)


def _category(name: str) -> CategorySpec:
    if name == CELL:
        return _CELL_CATEGORY
    if name not in _folders():
        return CategorySpec(
            name=name, title=name.replace("_", " ").capitalize(), help="", icon="M4 7l8-4 8 4v10l-8 4-8-4z"
        )
    folder = importlib.import_module(f"bpaz_lab.nodes.{name}")
    return CategorySpec(
        name=name,
        title=folder.TITLE,
        help=inspect.cleandoc(folder.__doc__ or ""),
        icon=folder.ICON,
        order=folder.ORDER,
    )
