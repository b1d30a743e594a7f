"""What the canvas knows of a workflow: ``Workflow`` is one, and nothing here imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bpaz_lab.engine.cache import Cache
    from bpaz_lab.engine.plan import RunInput
    from bpaz_lab.engine.run import Run
    from bpaz_lab.errors import DocumentError
    from bpaz_lab.graph.changes import Operation
    from bpaz_lab.graph.history import Change, History
    from bpaz_lab.nodes.catalogue import Catalogue


class Host(Protocol):
    """A workflow that can be shown, edited and run."""

    history: History
    types: Catalogue
    pins: dict[str, dict[str, Any]]

    @property
    def latest(self) -> Run | None:
        """The run that was started last."""

    def __getitem__(self, id: str) -> Any:
        """A node, which has ``pin()`` and ``unpin()``."""

    def inside(self, *containers: str) -> Any:
        """What is inside these containers, which has ``extract(nodes)`` and ``inline(node)``."""

    def stale(self) -> dict[str, str]:
        """Why a run would compute each node again."""

    @property
    def inputs(self) -> list[RunInput]:
        """What a run can be given by name."""

    def apply(self, operations: Sequence[Operation], *, origin: str = "") -> Change:
        """Applies operations as one undo step."""

    def settle(self) -> None:
        """Gives every node without a position one."""

    def validate(self) -> list[DocumentError]:
        """All problems."""

    def start(
        self,
        inputs: Mapping[str, Any] | None = None,
        /,
        *,
        target: str | None = None,
        only: str | None = None,
        since: str | None = None,
        cache: bool | str | Cache = True,
    ) -> Run:
        """Starts a run and returns at once."""

    def on_pin(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Calls ``listener`` when a node was pinned or unpinned."""

    def on_run(self, listener: Callable[[Run], None]) -> Callable[[], None]:
        """Calls ``listener`` with each run that starts."""
