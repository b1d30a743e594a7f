"""Other outputs for a step that is done, without reading what it gave besides: that stays bytes."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING, Any

import ormsgpack

from bpaz_lab.engine.values import ABOUT, NotStorable, pack
from bpaz_lab.errors import IntegrityError, Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpaz_lab.engine.steps import StepRow


def edited(row: StepRow, outputs: Mapping[str, Any]) -> tuple[StepRow, dict[str, bytes]]:
    """The row of a step that gives something else, not sealed yet, and the new pieces that it names.

    Args:
        row: The step as it is kept.
        outputs: What some of its outputs give instead.

    Raises:
        Invalid: An output has no form.
        IntegrityError: What is kept of the step cannot be read.

    Example:
        >>> from bpaz_lab.engine.steps import StepRow
        >>> from bpaz_lab.engine.values import unpack
        >>> data = pack({"text": "old", "pages": 3}).data
        >>> row = StepRow("load", "done", "pure", data, (), len(data), 1, 0.0, 1.0)
        >>> new, parts = edited(row, {"text": "new"})
        >>> new.state, unpack(new.data, parts.__getitem__)
        ('given', {'text': 'new', 'pages': 3})
    """
    try:
        packed = pack(outputs)
    except NotStorable as error:
        raise Invalid(f"an output cannot be kept: {error}", path="body.outputs") from None
    before = {name: value for name, value in _read(row.data).items() if name != ABOUT}
    kept = before.keys() - outputs.keys()
    data = ormsgpack.packb({**before, **_read(packed.data)})
    parts = tuple(dict.fromkeys((*(row.parts if kept else ()), *packed.parts)))
    now = time()
    new = row._replace(
        state="given",
        data=data,
        parts=parts,
        size=len(data) + sum(map(len, packed.parts.values())) + (row.size - len(row.data) if kept else 0),
        began=now,
        ended=now,
        digest="",
    )
    return new, packed.parts


def _read(data: bytes) -> dict[str, Any]:
    """The values by output, each as the bytes that it is where it is nothing plain."""
    if not data:
        return {}
    try:
        found = ormsgpack.unpackb(data, ext_hook=ormsgpack.Ext)
    except ValueError as error:
        raise IntegrityError(f"what was kept cannot be read: {error}") from None
    return found if isinstance(found, dict) else {}
