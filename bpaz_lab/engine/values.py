"""Values as bytes and back, without pickle: what a ledger, a cache and a checkpoint keep.

The form is msgpack, with Arrow for tables and NumPy's own for arrays inside (see ``values_kinds.py``). What
is large lies in *parts* of its own, named by their content, so that a value which many steps hand on is
kept once. Only kinds that are known are ever built; a part that is not what its name says is refused.

Example:
    >>> packed = pack({"rows": [1, 2.5, None], "note": "x" * 100_000})
    >>> len(packed.data) < 200, len(packed.parts)
    (True, 1)
    >>> unpack(packed.data, packed.parts.__getitem__)["rows"]
    [1, 2.5, None]
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import ormsgpack

from bpaz_lab.engine.values_kinds import Kind, kind_of, readers
from bpaz_lab.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

INLINE: Final = 64 * 1024
"""Bytes up to which a value stays where it is."""
PART: Final = 4 * 1024**2
"""Bytes that one part has at most."""
DEPTH: Final = 100
"""Containers in containers; ormsgpack has a limit of its own near 250."""
MANY: Final = 64
"""Members that a value has at most which is packed at once, on the loop."""
ABOUT: Final = ""
"""Among the outputs of a step: what is known of it besides. No output has an empty name."""

_OPTIONS: Final = (
    ormsgpack.OPT_PASSTHROUGH_BIG_INT
    | ormsgpack.OPT_PASSTHROUGH_DATACLASS
    | ormsgpack.OPT_PASSTHROUGH_DATETIME
    | ormsgpack.OPT_PASSTHROUGH_ENUM
    | ormsgpack.OPT_PASSTHROUGH_SUBCLASS
    | ormsgpack.OPT_PASSTHROUGH_TUPLE
    | ormsgpack.OPT_PASSTHROUGH_UUID
)
_PLAIN: Final = frozenset({type(None), bool, int, float})


class NotStorable(Exception):
    """A value has no form here.

    Args:
        why: Why not.
        name: Which value.
    """

    def __init__(self, why: str, name: str = "") -> None:
        super().__init__(f"{name}: {why}" if name else why)
        self.why = why


class Absent(NamedTuple):
    """Stands for a value that was not kept.

    Attributes:
        why: ``live`` for a live object, which is made again; else why the value has no form.
    """

    why: str


LIVE: Final = Absent("live")


class Packed(NamedTuple):
    """A value as bytes.

    Attributes:
        data: The value, or what names its parts.
        parts: The large pieces by name, which is the hash of their content.
        size: Bytes of all together.
    """

    data: bytes
    parts: dict[str, bytes]
    size: int


def pack(values: Mapping[str, Any], fit: Callable[[bytes], bool] | None = None) -> Packed:
    """Values by name as bytes.

    Args:
        values: Numbers, texts, bytes, dates, lists, tuples, sets, dicts, documents, messages, arrays and
            tables, in one another as you like; an ``Absent`` stays one.
        fit: Says whether some bytes may be kept; those that hold a secret may not.

    Raises:
        NotStorable: A value has no form, or must not be kept.
    """
    whole = dict(values)
    packer = _Packer(fit)
    try:
        data = packer.bytes_of(whole)
        packer.check(data)
        large = len(data) > INLINE
    except NotStorable:  # which one is it?
        large = True
    if large:
        packer = _Packer(fit, walks=True)
        data = packer.packed({name: packer.apart(name, value) for name, value in whole.items()})
    return Packed(data, packer.parts, len(data) + sum(map(len, packer.parts.values())))


def small(values: dict[str, Any]) -> bytes | None:
    """The same for plain values that are small, at once; None where ``pack`` must do it."""
    for value in values.values():
        if type(value) not in _PLAIN and not _light(value, [MANY]):
            return None
    try:
        data = ormsgpack.packb(values, None, _OPTIONS)
    except TypeError:
        return None
    return data if len(data) <= INLINE else None


def unpack(data: bytes, part: Callable[[str], bytes]) -> dict[str, Any]:
    """What ``pack`` was given, without what is known besides.

    Args:
        data: As ``pack`` gave it.
        part: Gives a part by name.

    Raises:
        IntegrityError: It is not what ``pack`` gives, or a part is not what its name says.
    """
    found = _Reader(part).read(data)
    if not isinstance(found, dict):
        raise IntegrityError("what was kept is no values by name")
    found.pop(ABOUT, None)
    return found


def about(data: bytes) -> dict[str, Any]:
    """What is known of a step besides its outputs; empty where that is nothing."""
    if not data:
        return {}
    told = skeleton(data).get(ABOUT)
    return told if isinstance(told, dict) else {}


def content(data: bytes) -> str:
    """What names the outputs in what ``pack`` gave: the same for the same values, whatever they cost.

    Raises:
        IntegrityError: It is not what ``pack`` gives.
    """
    if ABOUT in (told := skeleton(data)):
        raw = ormsgpack.unpackb(data, ext_hook=ormsgpack.Ext)
        data = ormsgpack.packb({name: raw[name] for name in told if name != ABOUT}, lambda ext: ext, _OPTIONS)
    return named(data)


class Later(NamedTuple):
    """Stands in a skeleton for a value that is not looked into."""


def skeleton(data: bytes) -> dict[str, Any]:
    """The same as ``unpack`` without reading a part: what is not plain is a ``Later``."""
    try:
        found = ormsgpack.unpackb(
            data, ext_hook=lambda tag, content: _absent(content) if tag == Kind.ABSENT else Later()
        )
    except ValueError as error:
        raise IntegrityError(f"what was kept cannot be read: {error}") from None
    return found if isinstance(found, dict) else {}


def without(forms: Iterable[str]) -> Callable[[bytes], bool]:
    """Whether none of these texts is in some bytes, be they UTF-8 or what NumPy keeps its texts in."""
    told = [form.encode(code, "surrogatepass") for form in forms for code in ("utf-8", "utf-32-le")]
    return lambda data: not any(form in data for form in told)


def named(data: bytes) -> str:
    """The name of a part: the hash of its content."""
    return blake2b(data, digest_size=16).hexdigest()


def _light(value: Any, left: list[int]) -> bool:
    """Whether a value is plain and small, looking at no more members than are left."""
    kind = type(value)
    if kind in _PLAIN:
        return True
    if kind is str or kind is bytes:
        return len(value) <= INLINE
    if kind is list or kind is dict:
        left[0] -= len(value)
        if left[0] < 0:
            return False
        return all(_light(each, left) for each in (value if kind is list else value.values()))
    return False


def _absent(content: bytes) -> Absent:
    return Absent(content.decode("utf-8", "replace"))


class _Packer:
    """One call of ``pack``; ``walks`` looks for large pieces and puts them into parts."""

    def __init__(self, fit: Callable[[bytes], bool] | None, *, walks: bool = False) -> None:
        self.parts: dict[str, bytes] = {}
        self._fit = fit
        self._walks = walks
        self._fault: Exception | None = None
        self._depth = 0

    def bytes_of(self, value: Any) -> bytes:
        """Bytes of any value; walks where msgpack itself has no form for something in it."""
        if self._walks:
            return self.packed(self._walk(value, 0))
        try:
            return self.packed(value)
        except TypeError:  # of ormsgpack: keys that are no texts, texts with half a character
            return self.packed(self._walk(value, 0))

    def packed(self, value: Any) -> bytes:
        self._fault = None
        try:
            return ormsgpack.packb(value, self._other, _OPTIONS)
        except TypeError as error:
            if self._fault is not None:  # ormsgpack drops what its callback raised
                raise self._fault from None
            if "ecursion" in str(error):
                raise NotStorable("it is nested too deep, or contains itself") from None
            raise

    def apart(self, name: str, value: Any) -> Any:
        """A value of the top: in parts where it is large."""
        try:
            data = self.bytes_of(value)
            self.check(data)
        except NotStorable as error:
            raise NotStorable(error.why, name) from None
        if len(data) <= INLINE:
            return self._walk(value, 0)
        return ormsgpack.Ext(Kind.PACKED, self.packed(self.held(data)))

    def held(self, data: bytes) -> Any:
        """Bytes, or where they lie."""
        self.check(data)
        if len(data) <= INLINE:
            return data
        names = []
        for start in range(0, len(data), PART):
            piece = data[start : start + PART]
            names.append(named(piece))
            self.parts[names[-1]] = piece
        return ormsgpack.Ext(Kind.PARTS, ormsgpack.packb(names))

    def check(self, data: bytes) -> None:
        if self._fit is not None and not self._fit(data):
            raise NotStorable("it holds a secret of the run")

    def _walk(self, value: Any, depth: int) -> Any:
        """The value in what msgpack has a form for, large pieces replaced."""
        if depth > DEPTH:
            raise NotStorable("it is nested too deep, or contains itself")
        kind = type(value)
        if kind is str:
            data = value.encode("utf-8", "surrogatepass")
            plain = len(data) <= INLINE and (value.isascii() or not _halved(value))
            return value if plain else ormsgpack.Ext(Kind.TEXT, self.packed(self.held(data)))
        if kind is bytes:
            return self.held(value)
        if kind is list:
            return [self._walk(each, depth + 1) for each in value]
        if kind is dict:
            if all(type(key) is str and (key.isascii() or not _halved(key)) for key in value):
                return {key: self._walk(each, depth + 1) for key, each in value.items()}
            pairs = [[self._walk(key, depth + 1), self._walk(each, depth + 1)] for key, each in value.items()]
            return ormsgpack.Ext(Kind.PAIRS, self.packed(pairs))
        return value if kind in _PLAIN else self._other(value)

    def _other(self, value: Any) -> Any:
        """A value that msgpack has no form for."""
        if type(value) is int:
            return ormsgpack.Ext(Kind.INT, f"{value:x}".encode())
        if type(value) is Absent:
            return ormsgpack.Ext(Kind.ABSENT, value.why.encode())
        if type(value) is ormsgpack.Ext:
            return value
        try:
            found = kind_of(value)
            if found is None:
                raise NotStorable(f"a value of the kind {type(value).__name__} has no form")  # noqa: TRY301
            kind, content = found
            self._depth += 1
            if self._depth > DEPTH:
                raise NotStorable("it is nested too deep, or contains itself")  # noqa: TRY301
            data = self.packed(self.held(content)) if isinstance(content, bytes) else self._content(content)
            self._depth -= 1
            return ormsgpack.Ext(kind, data)
        except (NotStorable, RecursionError) as error:
            self._fault = error if isinstance(error, NotStorable) else NotStorable("it is nested too deep")
            raise self._fault from None
        except Exception as error:  # noqa: BLE001 (objects run code of their own here)
            self._fault = NotStorable(f"a {type(value).__name__} cannot be read: {error}")
            raise self._fault from None

    def _content(self, content: Any) -> bytes:
        if isinstance(content, (set, frozenset)):  # in an order that does not change from run to run
            members = sorted(map(self.bytes_of, content))
            return b"\xdd" + len(members).to_bytes(4, "big") + b"".join(members)  # an array of msgpack
        return self.bytes_of(content)


class _Reader:
    """One call of ``unpack``."""

    def __init__(self, part: Callable[[str], bytes]) -> None:
        self._part = part
        self._fault: Exception | None = None

    def read(self, data: bytes) -> Any:
        try:
            return ormsgpack.unpackb(data, ext_hook=self._built)
        except ValueError as error:
            fault, self._fault = self._fault or error, None
            if isinstance(fault, IntegrityError) or not isinstance(fault, (ValueError, TypeError, KeyError)):
                raise fault from None
            raise IntegrityError(f"what was kept cannot be read: {fault}") from None

    def _built(self, tag: int, content: bytes) -> Any:
        try:
            match tag:
                case Kind.ABSENT:
                    found: Any = _absent(content)
                case Kind.INT:
                    found = int(content, 16)
                case Kind.PARTS:
                    found = b"".join(map(self._piece, self.read(content)))
                case Kind.PACKED:
                    found = self.read(self.read(content))
                case Kind.TEXT:
                    found = self.read(content).decode("utf-8", "surrogatepass")
                case Kind.PAIRS:
                    found = dict(self.read(content))
                case _:
                    found = readers[Kind(tag)](self.read(content))
        except Exception as error:  # ormsgpack drops what its callback raised
            self._fault = self._fault or error
            raise
        return found

    def _piece(self, name: str) -> bytes:
        data = self._part(name)
        if named(data) != name:
            raise IntegrityError(
                f"the part {name} of a value does not hold what its name says",
                hint="Go on with repair=True: what depends on it is computed again, or asked for.",
            )
        return data


def _halved(text: str) -> bool:
    """Whether a text has half of a character in it, which UTF-8 has no form for."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
