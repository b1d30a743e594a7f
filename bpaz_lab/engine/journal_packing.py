"""What a journal makes of values: bytes, without those that hold a secret or have no form."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.engine.journal_writer import Line
from bpaz_lab.engine.values import Absent, NotStorable, Packed, pack, without
from bpaz_lab.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bpaz_lab.guard.mask import Masker


UNTOLD: Final = "it cannot be told without a secret of the run"


class Packing:
    """Makes bytes of the values of one run.

    Args:
        masker: The secrets of the run; more may come while it goes on. None until the run gives its own.
    """

    def __init__(self, masker: Masker | None) -> None:
        self.masker = masker
        self._fit: tuple[tuple[str, ...], Callable[[bytes], bool]] | None = None

    def fits(self, data: bytes) -> bool:
        """Whether some bytes may be kept."""
        fit = self._forms()
        return fit is None or fit(data)

    def pack(self, told: dict[str, Any]) -> Packed:
        """The values; what has no form is told so."""
        fit = self._forms()
        try:
            return pack(told, fit)
        except NotStorable:
            kept = {}
            for name, value in told.items():
                try:
                    pack({name: value}, fit)
                    kept[name] = value
                except NotStorable as error:
                    kept[name] = Absent(error.why if self.fits(error.why.encode()) else UNTOLD)
            return pack(kept, fit)

    def given(self, address: str, outputs: Mapping[str, Any]) -> Line:
        """The row of what a step is to give.

        Raises:
            InputError: A value has no form.
        """
        try:
            packed = pack(outputs, self._forms())
        except NotStorable as error:
            place = f"{address}.{error}" if address else f"the input {error}"
            raise InputError(
                f"{place}, so the run could not go on after a crash",
                hint="Let a node make it inside the workflow, or run with durable=False.",
            ) from None
        now = time()
        data, parts, size = packed
        return Line(address, "given", "pure", data, size, now, now, parts, tuple(parts))

    def _forms(self) -> Callable[[bytes], bool] | None:
        forms = self.masker.forms if self.masker is not None else ()
        if not forms:
            return None
        if self._fit is None or self._fit[0] is not forms:
            self._fit = forms, without(forms)
        return self._fit[1]
