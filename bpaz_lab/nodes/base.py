"""The node contract.

A node type is a class in one file. Its docstring is the help, its fields are the settings form, its
folder is the category, and its methods compute the outputs. Everything else is derived.

**One output**: write ``run``. Its parameters are the input ports, its return hint is the output port,
whose name is the tag of the hint. A parameter with a JSON default is a form field as well, used while
nothing is connected::

    class Shout(Node):
        '''Writes a text in capitals.'''

        mark: str = Field("!", description="What the text ends with.")

        def run(self, text: Text, times: int = 1) -> Text:
            return text.upper() + self.mark * times

**Several outputs**: mark one method each with ``@output(name, tag)``, or one method that returns a dict
with ``@outputs``. An output missing in the dict is a branch not taken. Methods are sync, async, or
generators; a generator of text streams tokens and the port's value is the whole text. A parameter
annotated ``Context`` is no port but the way to the outside.

**Computed are** connected outputs, what End and ChatOutput take, the main output of each sink, and
anything asked for; each with just the inputs that its method names.

**Class variables**: ``version`` and ``replaces`` (names of types that this one takes over) keep old
documents alive; ``requires`` names importable packages and ``extra`` the extra that brings them;
``effect`` says what happens outside (``pure``, ``repeatable``, ``once``), and ``idempotent`` that what must
happen once may be asked for again under ``context.idempotency_key``; ``inline`` runs a tiny sync
method on the loop instead of in a thread; ``boundary`` ends a region (see the engine's plan). Import
heavy packages inside methods: listing the catalogue imports no provider.

A field must not have the name of a method; inputs and outputs are separate namespaces. A node is frozen:
several runs share it, so state lives in the values that travel.

Example:
    >>> import asyncio
    >>> from bpaz_lab.nodes.types import Text
    >>> class Shout(Node):
    ...     '''Writes a text in capitals.'''
    ...     mark: str = "!"
    ...     def run(self, text: Text, times: int = 1) -> Text:
    ...         return text.upper() + self.mark * times
    >>> asyncio.run(Shout(mark="?").execute({"text": "hi", "times": 2}))
    {'text': 'HI??'}
"""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from bpaz_lab.errors import (
    DocumentError,
    InputError,
    LiteralSecret,
    MissingPackage,
    NodeTypeError,
    SettingError,
)
from bpaz_lab.graph.spec import Effect, NodeSpec, Ports
from bpaz_lab.nodes.form import title_of
from bpaz_lab.nodes.hints import port_of
from bpaz_lab.nodes.reflect import Mark, Shape, shape_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from bpaz_lab.nodes.context import Context

NEVER: Final = object()
"""What ``fingerprint`` gives where a result must not be kept."""

F = TypeVar("F", bound="Callable[..., Any]")
_MARK = "__bpaz_output__"


def output(name: str, tag: str = "", *, main: bool = False) -> Callable[[F], F]:
    """Marks a method that computes one output; without ``tag`` its return hint says it."""
    return _marked(Mark({name: tag}, name if main else "", split=False))


def outputs(*, main: str = "", **tags: str) -> Callable[[F], F]:
    """Marks a method that returns a dict of outputs; one that is missing is a branch not taken.

    Without names the outputs are those that ``ports()`` derives from the settings.
    """
    return _marked(Mark(tags, main, split=True))


def _marked(mark: Mark) -> Callable[[F], F]:
    def mark_method(method: F) -> F:
        setattr(method, _MARK, mark)
        return method

    return mark_method


class Node(BaseModel):
    """Base of every node type; the module's docstring is its contract."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, frozen=True)

    version: ClassVar[int] = 1
    replaces: ClassVar[tuple[str, ...]] = ()
    requires: ClassVar[tuple[str, ...]] = ()
    extra: ClassVar[str] = ""
    effect: ClassVar[Effect] = "pure"
    idempotent: ClassVar[bool] = False
    """It hands ``context.idempotency_key`` to a provider that does the same only once."""
    inline: ClassVar[bool] = False
    boundary: ClassVar[bool] = False
    category: ClassVar[str] = ""
    label: ClassVar[str] = ""
    package: ClassVar[str] = "bpaz_lab"
    collects: ClassVar[bool] = False
    """What enters this node is the output of the run (End, ChatOutput)."""
    container: ClassVar[bool] = False
    """The node has a body; see ``nodes/container.py``."""
    process: ClassVar[bool] = False
    """Its blocking methods compute in a process of their own (extra ``process``)."""
    concurrency: ClassVar[int] = 0
    """How many nodes of this type work at once in a run; 0 for no limit."""
    key: ClassVar[Callable[..., Any] | None] = None
    """Takes the inputs by name and gives JSON that stands for them in the cache."""

    _defaults: dict[str, Any] = PrivateAttr(default_factory=dict)

    def model_post_init(self, _context: Any, /) -> None:
        """A node made by its class has the same defaults of parameters as one made by ``of``."""
        if parameters := self.shape().parameters:
            self._defaults = dict(parameters())

    @classmethod
    def shape(cls) -> Shape:
        """The ports, fields and methods of the class, read once.

        Raises:
            NodeTypeError: The class breaks the contract.
        """
        found: Shape | None = cls.__dict__.get("__bpaz_shape__")
        if found is None:
            found = shape_of(cls, _marks(cls))
            type.__setattr__(cls, "__bpaz_shape__", found)
        return found

    @classmethod
    def ports(cls, settings: Mapping[str, Any]) -> Ports:  # noqa: ARG003 (for those that override it)
        """The ports with these settings; override it where they depend on the settings."""
        return cls.shape().ports

    @classmethod
    def dynamic(cls) -> bool:
        """Whether the ports depend on the settings."""
        return cls.ports.__func__ is not Node.ports.__func__  # type: ignore[attr-defined]

    @classmethod
    def upgrade(cls, settings: dict[str, Any], version: int) -> dict[str, Any]:  # noqa: ARG003 (as above)
        """The settings of an older ``version`` in today's form; override it with each new version."""
        return settings

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """A node with the settings of a document.

        Raises:
            DocumentError: ``problems`` lists every setting that does not fit, as a SettingError or a
                LiteralSecret; a single one is raised itself.
        """
        parameters = cls.shape().parameters
        names = parameters.model_fields if parameters else {}
        faults: list[Any] = []
        told = _validated(parameters, {k: v for k, v in settings.items() if k in names}, faults)
        node = _validated(cls, {k: v for k, v in settings.items() if k not in names}, faults)
        if faults or node is None:
            raise DocumentError.of([_setting_problem(cls, fault) for fault in faults])
        if told is not None:
            node._defaults = dict(told)
        return node

    @classmethod
    def missing(cls) -> tuple[str, ...]:
        """The required packages that are not installed."""
        return tuple(name for name in cls.requires if importlib.util.find_spec(name) is None)

    @classmethod
    def install(cls) -> str:
        """The command that installs what is missing; empty where nothing is."""
        missing = cls.missing()
        if not missing:
            return ""
        wanted = f"'bpaz-lab[{cls.extra}]'" if cls.extra else " ".join(missing).replace("_", "-")
        return f"pip install {wanted}"

    @classmethod
    def require(cls, path: str = "") -> None:
        """Raises MissingPackage, with the command that helps, when a package is missing."""
        if command := cls.install():
            missing = ", ".join(cls.missing())
            raise MissingPackage(
                f"{cls.__name__} needs {missing}, which is not installed", hint=command, path=path
            )

    @classmethod
    def spec(cls) -> NodeSpec:
        """The node type as the palette, the forms and the docs show it."""
        known: NodeSpec | None = cls.__dict__.get("__bpaz_spec__")
        if known is None or (known.install and not cls.missing()):
            known = cls._spec()
            type.__setattr__(cls, "__bpaz_spec__", known)
        return known

    @classmethod
    def _spec(cls) -> NodeSpec:
        shape, text = cls.shape(), inspect.cleandoc(cls.__doc__ or "")
        return NodeSpec(
            type=cls.__name__,
            version=cls.version,
            category=cls.category or _folder(cls),
            title=cls.label or title_of(_spaced(cls.__name__)),
            summary=text.split("\n", 1)[0],
            help=text,
            effect=cls.effect,
            fields=shape.fields,
            ports=cls.default_ports(),
            dynamic=cls.dynamic(),
            container=cls.container,
            collects=cls.collects,
            install=cls.install(),
            package=cls.package,
        )

    @classmethod
    def default_ports(cls) -> Ports:
        """The ports of a node with default settings."""
        return cls.ports({field.name: field.default for field in cls.shape().fields})

    # ---- outside of a workflow ---------------------------------------------------------------------

    def get_metadata(self) -> dict[str, Any]:
        """The node type as JSON."""
        return self.spec().model_dump(mode="json")

    def validate_inputs(self, inputs: Mapping[str, Any], wanted: tuple[str, ...] = ()) -> bool:
        """Whether everything that the wanted outputs need is there and nothing unknown is.

        Args:
            inputs: Values by input port.
            wanted: The outputs by name; the main one where empty.

        Raises:
            InputError: It says what is missing or unknown, and what exists.
        """
        ports = self.ports(self.settings())
        known = [port.name for port in ports.inputs]
        asked = [port for port in ports.outputs if (port.name in wanted if wanted else port.main)]
        needed = {name for port in asked for name in port.needs} if ports.outputs else set(known)
        missing = [
            port.name
            for port in ports.inputs
            if port.required and port.name not in inputs and port.name in needed
        ]
        unknown = [name for name in inputs if name not in known]
        if missing or unknown:
            what = f"lacks {', '.join(missing)}" if missing else f"does not know {', '.join(unknown)}"
            raise InputError(
                f"{type(self).__name__} {what}", hint=f"Its inputs are: {', '.join(known) or 'none'}."
            )
        return True

    async def execute(
        self, inputs: Mapping[str, Any], context: Context | None = None, wanted: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """Computes outputs outside of a workflow.

        Args:
            inputs: Values by input port.
            context: The way to the outside; a default one where None.
            wanted: The outputs by name; the main one where empty.

        Returns:
            Values by output port. A branch not taken is missing.
        """
        from bpaz_lab.nodes.call import compute

        self.validate_inputs(inputs, wanted)
        return await compute(self, inputs, context, wanted)

    def eager(self) -> bool:
        """Whether the node starts as soon as one wired input came, instead of when all are settled.

        Nodes that only this one needs and that are not done are then stopped.
        """
        return False

    def fingerprint(self, context: Context) -> Any:  # noqa: ARG002 (for those that override it)
        """What the result depends on beside settings and inputs, as JSON: the state of files, a version.

        A function stands for its code. ``NEVER`` says that the result is not to be kept.
        """
        return None

    def settings(self) -> dict[str, Any]:
        """The settings as they stand in a document, parameters' defaults included."""
        return {**self.model_dump(mode="json"), **self._defaults}


def _marks(cls: type[Node]) -> dict[str, Mark]:
    marks: dict[str, Mark] = {}
    for name in dir(cls):
        if name.startswith("__") or name in _OWN:
            continue
        mark = getattr(inspect.getattr_static(cls, name), _MARK, None)
        if mark is None:
            mark = getattr(getattr(cls, name, None), _MARK, None)
        if mark is not None:
            marks[name] = mark
    if hasattr(cls, "run") and "run" not in marks:
        name = _result_name(cls)
        marks["run"] = Mark({name: ""} if name else {}, name, split=False)
    return dict(sorted(marks.items(), key=lambda item: _line(cls, item[0])))


_OWN = frozenset(dir(Node))


def _line(cls: type, attribute: str) -> int:
    code = getattr(inspect.unwrap(getattr(cls, attribute)), "__code__", None)
    return code.co_firstlineno if code else 0


def _result_name(cls: type[Node]) -> str:
    function = inspect.unwrap(inspect.getattr_static(cls, "run"))
    try:
        hints = get_type_hints(function, include_extras=True)
    except (NameError, TypeError) as error:
        raise NodeTypeError(
            f"{cls.__name__}: the hints of run() cannot be resolved: {error}",
            path=f"{cls.__module__}.{cls.__qualname__}",
            hint="Import what the hints name, outside of TYPE_CHECKING.",
        ) from error
    if hints.get("return", Any) is type(None):
        return ""
    tag = port_of(hints.get("return", Any)).tag
    return "result" if tag == "any" or tag.startswith("list[") else tag


def _folder(cls: type) -> str:
    parts = cls.__module__.split(".")
    return parts[2] if parts[:2] == ["bpaz_lab", "nodes"] and len(parts) > 3 else "custom"


def _spaced(name: str) -> str:
    import re

    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).replace("_", " ")


M = TypeVar("M", bound=BaseModel)


def _validated(model: type[M] | None, values: dict[str, Any], faults: list[Any]) -> M | None:
    """The model of the values, or None with what is wrong added to the faults."""
    try:
        return None if model is None else model.model_validate(values)
    except ValidationError as error:
        faults += error.errors()
        return None


def _setting_problem(cls: type[Node], fault: Any) -> DocumentError:
    name = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == LiteralSecret.code:
        return LiteralSecret(
            fault["msg"],
            path=name,
            hint='Write {"$cred": "<name>"} and keep the value in the environment or the credential store.',
        )
    if fault["type"] == "extra_forbidden":
        known = ", ".join(field.name for field in cls.shape().fields) or "none"
        return SettingError(
            f"{cls.__name__} has no setting {name!r}", path=name, hint=f"Its settings are: {known}."
        )
    if fault["type"] == SettingError.code:
        return SettingError(fault["msg"], path=name, hint=fault["ctx"]["hint"])
    if fault["type"] == "missing":
        about = next((field.help for field in cls.shape().fields if field.name == name), "")
        return SettingError(f"{cls.__name__} needs the setting {name!r}", path=name, hint=about)
    return SettingError(f"{fault['msg']}, not {fault['input']!r}"[:300], path=name)
