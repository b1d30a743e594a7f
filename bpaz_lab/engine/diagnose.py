"""After a node raised: whether a value of the wrong kind came to one of its inputs.

Ports are light, so nothing is checked while all goes well; when a node raises, its inputs are compared
with their tags, and the error names the wire.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.engine.slots import MISSING
from bpaz_lab.errors import BpazError, InputError
from bpaz_lab.graph.address import path_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bpaz_lab.engine.plan import Step


def _all(attribute: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list | tuple) and all(hasattr(each, attribute) for each in value)


FITS: Final[dict[str, Callable[[Any], bool]]] = {
    "text": lambda value: isinstance(value, str),
    "documents": _all("page_content"),
    "messages": _all("content"),
    "message": lambda value: hasattr(value, "content") or isinstance(value, str),
    "table": lambda value: hasattr(value, "columns"),
}


def diagnosed(step: Step, address: str, values: list[Any], error: BaseException) -> BaseException:
    """The error of a step, or one that says which input got the wrong kind of value."""
    if isinstance(error, BpazError):
        return error
    for bound in step.bound:
        for feed in bound.feeds:
            fits = FITS.get(feed.tag)
            for (slot, convert), source in zip(feed.slots, feed.sources, strict=False):
                value = values[slot]
                if convert is not None:
                    fits = FITS.get(source.tag)
                if fits is None or value is MISSING or fits(value):
                    continue
                wanted = source.tag if convert is not None else feed.tag
                found = InputError(
                    f"the input {feed.name!r} got {_kind(value)} from {source.place}, and takes {wanted}",
                    path=f"{path_of(address)}.inputs.{feed.name}",
                    hint=f"Look at what {source.place} gives, or convert it before.",
                )
                found.__cause__ = error
                return found
    return error


def _kind(value: Any) -> str:
    return "nothing (None)" if value is None else f"a {type(value).__name__}"
