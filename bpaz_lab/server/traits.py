"""The settings as traits, for Jupyter's configuration: ``c.BpazLab.profile = "shared"``.

They are made from `Settings`, so that no setting is written down twice.
"""

from __future__ import annotations

from typing import Any, Final, Literal, get_args, get_origin

from pydantic import SecretStr
from traitlets import Bool, Enum, Float, Integer, List, TraitType, Unicode
from traitlets.config import LoggingConfigurable

from bpaz_lab.settings import Settings

_KINDS: Final[dict[Any, type[TraitType[Any, Any]]]] = {bool: Bool, int: Integer, float: Float, str: Unicode}


def _trait(name: str) -> TraitType[Any, Any]:
    field = Settings.model_fields[name]
    kind, default = field.annotation, field.get_default(call_default_factory=True)
    if get_origin(kind) is Literal:
        made: TraitType[Any, Any] = Enum(get_args(kind), default, help=field.description)
    elif kind is SecretStr:
        made = Unicode("", help=field.description)
    elif get_origin(kind) is list:
        made = List(Unicode(), default, help=field.description)
    else:
        made = _KINDS[kind](default, help=field.description)
    return made.tag(config=True)


class BpazLab(LoggingConfigurable):
    """The settings of bpaz_lab, as Jupyter's configuration gives them.

    Example:
        >>> from traitlets.config import Config
        >>> BpazLab(config=Config({"BpazLab": {"runs_per_user": 8}})).given()
        {'runs_per_user': 8}
    """

    vars().update({name: _trait(name) for name in Settings.model_fields})

    def given(self) -> dict[str, Any]:
        """What the configuration sets; a default goes behind the environment, so it is not in here."""
        return {name: getattr(self, name) for name in Settings.model_fields if name in self.config.BpazLab}
