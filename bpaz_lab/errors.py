"""Every error that bpaz_lab raises on purpose.

An error carries what happened (``message``), where (``path``, for instance
``nodes.split.settings.chunk_size``), what to do next (``hint``) and a stable
machine-readable ``code``. The tree::

    BpazError
     ├── DocumentError            one or several problems of a workflow document
     │    ├── JsonError           not strict JSON
     │    ├── FormatError         JSON, but not of the document's shape
     │    ├── UnknownNodeType     a node type that no installed package provides
     │    ├── SettingError        a setting that the node type does not accept
     │    ├── LiteralSecret       a secret written out where a credential name belongs
     │    ├── EdgeError           an edge to a node or port that does not exist
     │    ├── ConnectionRefused   two ports that do not fit, or an input already taken
     │    ├── DuplicateId         an id that is already taken
     │    ├── CycleError          edges that lead back to where they started
     │    ├── MissingInput        a required input that nothing feeds
     │    ├── ExpressionError     a condition that is no expression, or does not fit its values
     │    ├── CodeError           Python that does not just build a workflow
     │    └── ScriptError         a workflow that cannot become a script of its own
     ├── PatchError               a change that cannot be applied
     │    └── StaleChange         a change whose target was changed by somebody else
     ├── NodeTypeError            a node class that breaks the node contract
     ├── LoopLimit                a loop that did not end within its limit
     ├── MissingPackage           a node needs a package that is not installed
     ├── InputError               an unknown or missing input of a run
     ├── CredentialError          a credential that cannot be resolved
     ├── EgressRefused            an address that a node may not reach
     ├── FileRefused              a file that a node may not open
     ├── RunError                 a run that ended without its result
     │    ├── NodeFailed          a node raised, with the node's name and its cause
     │    ├── RunCancelled        somebody stopped the run
     │    ├── RunCrashed          the process that ran it died
     │    ├── RunChanged          what a run has done is of another workflow than it is to go on with
     │    ├── BudgetExceeded      the run used more tokens or money than it may
     │    └── RunTimeout          the run or a node took longer than allowed
     ├── RequestError             a request that cannot be served as it is
     │    ├── NotFound            nothing of that name that the caller may see
     │    ├── Forbidden           seen, but not to be changed by the caller
     │    ├── Unauthenticated     nobody is signed in, or no longer
     │    ├── Conflict            somebody else was quicker, or the name is taken
     │    │    └── LeaseLost      somebody else goes on with the run; what came after is refused
     │    ├── Throttled           too many at once, or too soon again
     │    ├── TooLarge            more than the server takes
     │    └── ServerUnavailable   the server cannot be reached, or did not answer
     ├── StoreError               the database did not do it; nothing is half-saved
     │    ├── StoreUnavailable    it cannot be reached; try again
     │    ├── StoreFull           the disk is full, or the database may only be read
     │    ├── SchemaOutdated      its tables are of another version of bpaz_lab
     │    └── IntegrityError      what a run has kept is not what it was when it was kept
     ├── VaultError               a secret cannot be locked or unlocked
     │    └── KeyMissing          the key that it was locked with is not in the ring
     └── SettingsError            a setting of the installation that cannot be

Example:
    >>> error = SettingError("chunk_size must be at least 1", path="nodes.split.settings.chunk_size")
    >>> error.code
    'setting'
    >>> str(error)
    'nodes.split.settings.chunk_size: chunk_size must be at least 1'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence


class BpazError(Exception):
    """The root of the tree.

    Args:
        message: What happened, as one sentence.
        hint: What to do next; empty where there is nothing to advise.
        path: Where it happened, in dots; empty where there is no place.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str = "", path: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.path = path

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        advice = f"\n  hint: {self.hint}" if self.hint else ""
        return f"{where}{self.message}{advice}"

    def to_dict(self) -> dict[str, str]:
        """The error as the canvas, the REST API and the records show it."""
        return {"code": self.code, "message": self.message, "hint": self.hint, "path": self.path}


class DocumentError(BpazError):
    """Something is wrong with a workflow document.

    Raised alone for one problem, or with ``problems`` when a document has several;
    ``problems`` of a single problem holds the error itself.
    """

    code: ClassVar[str] = "document"

    def __init__(
        self, message: str, *, hint: str = "", path: str = "", problems: Sequence[DocumentError] = ()
    ) -> None:
        super().__init__(message, hint=hint, path=path)
        self.problems: list[DocumentError] = list(problems) or [self]

    @classmethod
    def of(cls, problems: Sequence[DocumentError]) -> DocumentError:
        """One error that reports all problems: the problem itself when it is the only one."""
        if len(problems) == 1:
            return problems[0]
        lines = "\n".join(f"- {problem}" for problem in problems)
        return DocumentError(f"the workflow has {len(problems)} problems\n{lines}", problems=problems)


class JsonError(DocumentError):
    """The text is not strict JSON."""

    code: ClassVar[str] = "json"


class FormatError(DocumentError):
    """The JSON does not have the shape of a workflow document."""

    code: ClassVar[str] = "format"


class UnknownNodeType(DocumentError):
    """No installed package provides a node type of this name."""

    code: ClassVar[str] = "unknown_node_type"


class SettingError(DocumentError):
    """A node type does not accept this setting or this value."""

    code: ClassVar[str] = "setting"


class LiteralSecret(DocumentError):
    """A secret is written out where only the name of a credential may stand."""

    code: ClassVar[str] = "literal_secret"


class EdgeError(DocumentError):
    """An edge leads to a node or a port that does not exist."""

    code: ClassVar[str] = "edge"


class ConnectionRefused(DocumentError):
    """Two ports do not fit together, or the input already has its edge."""

    code: ClassVar[str] = "connection"


class DuplicateId(DocumentError):
    """The id is already taken."""

    code: ClassVar[str] = "duplicate_id"


class CycleError(DocumentError):
    """Edges lead back to where they started."""

    code: ClassVar[str] = "cycle"


class MissingInput(DocumentError):
    """Nothing feeds a required input."""

    code: ClassVar[str] = "missing_input"


class ExpressionError(DocumentError):
    """A condition is no expression, or the values do not fit it."""

    code: ClassVar[str] = "expression"


class CodeError(DocumentError):
    """Python that does not just build a workflow, so that it cannot be read as one.

    Args:
        message: What is not understood, or what the line does wrong.
        hint: What to write instead.
        path: The place, as ``line 3, column 5``; made of the two where empty.
        line: The line, counted from 1; 0 where there is none.
        column: The column, counted from 1.
        source: The piece of code.
    """

    code: ClassVar[str] = "code"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        path: str = "",
        line: int = 0,
        column: int = 0,
        source: str = "",
    ) -> None:
        super().__init__(message, hint=hint, path=path or (f"line {line}, column {column}" if line else ""))
        self.line = line
        self.column = column
        self.source = source


class ScriptError(DocumentError):
    """The workflow cannot become a script of its own; ``problems`` names every node in the way."""

    code: ClassVar[str] = "script"


class LoopLimit(BpazError):
    """A loop did not end within its limit."""

    code: ClassVar[str] = "loop_limit"


class PatchError(BpazError):
    """A change cannot be applied to the workflow."""

    code: ClassVar[str] = "patch"


class StaleChange(PatchError):
    """What the change wants to replace is no longer what it expected to find."""

    code: ClassVar[str] = "stale_change"


class NodeTypeError(BpazError):
    """A node class breaks the node contract."""

    code: ClassVar[str] = "node_type"


class MissingPackage(BpazError):
    """A node needs a package that is not installed; the hint is the command that installs it."""

    code: ClassVar[str] = "missing_package"


class InputError(BpazError):
    """A run got an input that it does not know, or lacks one that it needs."""

    code: ClassVar[str] = "input"


class CredentialError(BpazError):
    """A credential cannot be resolved."""

    code: ClassVar[str] = "credential"


class EgressRefused(BpazError):
    """A node may not reach this address."""

    code: ClassVar[str] = "egress"


class FileRefused(BpazError):
    """A node may not open this file."""

    code: ClassVar[str] = "file"


class RunError(BpazError):
    """A run ended without its result; ``run`` is the run, where there is one.

    Args:
        message: What happened.
        hint: What to do next.
        path: Where, for instance ``nodes.chat``.
        run: The run that failed, with its events and partial outputs.
    """

    code: ClassVar[str] = "run"

    def __init__(self, message: str, *, hint: str = "", path: str = "", run: Any = None) -> None:
        super().__init__(message, hint=hint, path=path)
        self.run = run


class NodeFailed(RunError):
    """A node raised; the original exception is the ``__cause__`` in the user's own kernel."""

    code: ClassVar[str] = "node_failed"

    def told(self) -> dict[str, str]:
        """What happened as data: the cause's code, message, hint and path, as an output may carry it."""
        cause = self.__cause__
        if isinstance(cause, BpazError):
            return {**cause.to_dict(), "path": cause.path or self.path}
        message = f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__
        return {"code": self.code, "message": message, "hint": "", "path": self.path}


class RunCancelled(RunError):
    """Somebody stopped the run."""

    code: ClassVar[str] = "run_cancelled"


class BudgetExceeded(RunError):
    """The run used more tokens or money than its budget has, or what it costs cannot be told."""

    code: ClassVar[str] = "budget_exceeded"


class RunTimeout(RunError):
    """The run, or a node of it, took longer than it may."""

    code: ClassVar[str] = "run_timeout"


class RunCrashed(RunError):
    """The process that ran it died; its events up to then are kept."""

    code: ClassVar[str] = "run_crashed"


class RunChanged(RunError):
    """What a run has done is of another workflow than the one that it is to go on with."""

    code: ClassVar[str] = "run_changed"


class RequestError(BpazError):
    """A request that cannot be served as it is."""

    code: ClassVar[str] = "request"


class NotFound(RequestError):
    """There is nothing of that name, or the caller may not know that there is."""

    code: ClassVar[str] = "not_found"


class Forbidden(RequestError):
    """The caller may see it, and not do this with it."""

    code: ClassVar[str] = "forbidden"


class Unauthenticated(RequestError):
    """Nobody is signed in, or no longer."""

    code: ClassVar[str] = "unauthenticated"


class Conflict(RequestError):
    """Somebody else was quicker, or the name is taken.

    Args:
        message: What happened.
        hint: What to do next.
        path: Where.
        current: The thing as it is now, where that helps to go on.
    """

    code: ClassVar[str] = "conflict"

    def __init__(self, message: str, *, hint: str = "", path: str = "", current: Any = None) -> None:
        super().__init__(message, hint=hint, path=path)
        self.current = current


class LeaseLost(Conflict):
    """Somebody else goes on with the run: what its holder before still writes is refused."""

    code: ClassVar[str] = "lease_lost"


class Throttled(RequestError):
    """Too many at once, or too soon again; ``retry_after`` says in how many seconds to try."""

    code: ClassVar[str] = "throttled"

    def __init__(self, message: str, *, hint: str = "", path: str = "", retry_after: float = 1.0) -> None:
        super().__init__(message, hint=hint, path=path)
        self.retry_after = retry_after


class TooLarge(RequestError):
    """It is more than the server takes."""

    code: ClassVar[str] = "too_large"


class ServerUnavailable(RequestError):
    """The server cannot be reached, or did not answer in time."""

    code: ClassVar[str] = "server_unavailable"


class Invalid(RequestError):
    """A body, a query string or a header is not what the route takes.

    Args:
        message: What happened.
        hint: What to do next.
        path: Where, of the first problem.
        problems: Each thing that is wrong, as ``to_dict`` gives it; never the value that was sent.
    """

    code: ClassVar[str] = "invalid"

    def __init__(
        self, message: str, *, hint: str = "", path: str = "", problems: Sequence[dict[str, str]] = ()
    ) -> None:
        super().__init__(message, hint=hint, path=path)
        self.problems: list[dict[str, str]] = list(problems) or [self.to_dict()]


class MethodNotAllowed(RequestError):
    """The route has no such method; ``allowed`` are those that it has."""

    code: ClassVar[str] = "method_not_allowed"

    def __init__(self, message: str, *, hint: str = "", path: str = "", allowed: Sequence[str] = ()) -> None:
        super().__init__(message, hint=hint, path=path)
        self.allowed = tuple(allowed)


class WrongMediaType(RequestError):
    """The body is not said to be JSON."""

    code: ClassVar[str] = "media_type"


class StoreError(BpazError):
    """The database did not do it; nothing is half-saved."""

    code: ClassVar[str] = "store"


class StoreUnavailable(StoreError):
    """The database cannot be reached; the same request may work in a moment."""

    code: ClassVar[str] = "store_unavailable"


class StoreFull(StoreError):
    """The disk is full, or the database may only be read."""

    code: ClassVar[str] = "store_full"


class SchemaOutdated(StoreError):
    """The tables are of another version of bpaz_lab; the hint is the command that brings them up to date."""

    code: ClassVar[str] = "schema_outdated"


class IntegrityError(StoreError):
    """What a run has kept is damaged, or belongs elsewhere."""

    code: ClassVar[str] = "integrity"


class VaultError(BpazError):
    """A secret cannot be locked or unlocked."""

    code: ClassVar[str] = "vault"


class KeyMissing(VaultError):
    """The key that it was locked with is not in the ring."""

    code: ClassVar[str] = "key_missing"


class SettingsError(BpazError):
    """A setting of the installation that cannot be."""

    code: ClassVar[str] = "settings"
