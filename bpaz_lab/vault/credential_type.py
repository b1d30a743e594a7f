"""What a type of credential is: its form, where its secret may go, and how its provider is asked.

A type is one file in ``types/``: its class names itself and its fields, and writes `question`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Literal
from urllib.parse import urlsplit

from bpaz_lab.errors import InputError, LiteralSecret
from bpaz_lab.guard.credentials import FORMER_NAMES, provider_of
from bpaz_lab.guard.mask import Masker
from bpaz_lab.guard.secret import Secret, looks_like_secret
from bpaz_lab.vault.asking import Question, Reply, Unreached, ask, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpaz_lab.guard.egress import EgressPolicy

LONGEST: Final = 16_384
"""Characters of a field."""


@dataclass(frozen=True)
class Field:
    """One field of the form.

    Attributes:
        name: Its name.
        title: What stands before it.
        secret: Whether it is locked, and never shown again.
        required: Whether it must be given.
        help: What to put in.
        kind: ``url`` is an address, whose host is where the secret may go.
    """

    name: str
    title: str
    secret: bool = False
    required: bool = True
    help: str = ""
    kind: Literal["text", "url"] = "text"


@dataclass(frozen=True)
class Validity:
    """Whether the provider takes a credential, and its words. ``valid`` is False where it could not say."""

    valid: bool
    message: str


def api_key(help: str = "", *, name: str = "api_key", title: str = "API key") -> Field:
    """The field of the key itself."""
    return Field(name, title, secret=True, help=help)


class CredentialType:
    """The base of the types.

    Args:
        base: Where the provider's API lies instead of its usual place; for tests and administrators.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]]
    serves: ClassVar[tuple[str, ...]] = ()
    """Kinds beside its own that a node may ask for and get this."""
    usual_base: ClassVar[str] = ""

    def __init__(self, base: str = "") -> None:
        self.base = base or self.usual_base

    # ---- the form

    @property
    def main(self) -> str:
        """The field that a node gets as the secret: the first secret one."""
        return next(field.name for field in self.fields if field.secret)

    @property
    def variable(self) -> str:
        """The environment variable that the provider's own software reads; empty where there is none."""
        provider = provider_of(self.name)
        return provider.variable if provider else ""

    def fits(self, kinds: tuple[str, ...] | list[str]) -> bool:
        """Whether a node that takes these kinds takes this; without kinds it takes any."""
        wanted = {FORMER_NAMES.get(kind, kind) for kind in kinds}
        return not wanted or bool(wanted & {self.name, *self.serves})

    def split(
        self, given: Mapping[str, str], *, partly: bool = False
    ) -> tuple[dict[str, str], dict[str, Secret]]:
        """The public fields and the secret ones of what somebody filled in.

        Args:
            given: The fields by name.
            partly: Whether required ones may be left out, where what is left out stays as it is.

        Raises:
            InputError: A field is unknown, missing, or no address.
            LiteralSecret: A key stands in a field that everybody sees.
        """
        known = {field.name: field for field in self.fields}
        for name in given:
            if name not in known:
                raise InputError(
                    f"{self.title} has no field of this name",
                    path="body.fields",
                    hint=f"Its fields: {', '.join(known)}.",
                )
        public: dict[str, str] = {}
        secret: dict[str, Secret] = {}
        for field in self.fields:
            value = given.get(field.name, "").strip()
            path = f"body.fields.{field.name}"
            if not value:
                if field.required and not (partly and field.name not in given):
                    raise InputError(f"{field.title} is missing", path=path, hint=field.help)
                if field.name in given and not field.secret:
                    public[field.name] = ""
            elif field.secret:
                secret[field.name] = Secret(value)
            else:
                refuse_key(value, path)
                public[field.name] = _address(value, path) if field.kind == "url" else value
        return public, secret

    def hosts(self, public: Mapping[str, str]) -> list[str]:
        """Where the secret may go: the host of its address, else the provider's hosts."""
        addresses = [public.get(field.name, "") for field in self.fields if field.kind == "url"]
        named = [urlsplit(address).hostname or "" for address in addresses if address]
        provider = provider_of(self.name)
        return named or [*(provider.hosts if provider else ())]

    # ---- asking the provider

    def question(self, fields: Mapping[str, str]) -> Question | None:
        """The smallest request that tells whether the key is taken; None where there is nobody to ask."""
        raise NotImplementedError

    def taken(self, reply: Reply) -> bool | None:
        """Whether the reply says that the key is taken; None where it says neither."""
        if 200 <= reply.status < 300:
            return True
        return False if reply.status in (401, 403) else None

    def asks(self, public: Mapping[str, str]) -> str:
        """The host that validation asks; empty where there is nobody to ask."""
        blank = {field.name: "" for field in self.fields}
        question = self.question({**blank, **public})
        return (urlsplit(question.url).hostname or "") if question else ""

    async def validate(self, fields: Mapping[str, str | Secret], egress: EgressPolicy) -> Validity:
        """Asks the provider whether it takes the key.

        Args:
            fields: All fields, public and secret.
            egress: What the request may reach.
        """
        secrets = [value for value in fields.values() if isinstance(value, Secret)]
        masker = Masker(secrets)
        plain = {name: v.reveal() if isinstance(v, Secret) else v for name, v in fields.items()}
        question = self.question(plain)
        if question is None:
            return Validity(True, "There is nobody to ask whether it is right.")
        try:
            reply = await ask(question, egress)
        except Unreached as why:
            return Validity(False, masker.text(f"It could not be checked: {why}."))
        said = words(reply, masker)
        told = f": {said}" if said else "."
        match self.taken(reply):
            case True:
                return Validity(True, f"{self.title} takes it.")
            case False:
                return Validity(False, f"{self.title} does not take it{told}")
            case _:
                return Validity(False, f"It could not be checked: {self.title} answered {reply.status}{told}")


def bearer(key: str) -> dict[str, str]:
    """The header of a key as RFC 6750 sends it."""
    return {"authorization": f"Bearer {key}"}


def refuse_key(text: str, path: str) -> None:
    """Refuses what is shaped like a key, where everybody would see it.

    Raises:
        LiteralSecret: It is.
    """
    if looks_like_secret(text):
        raise LiteralSecret(
            "a key stands where everybody sees it", path=path, hint="Put it into the secret field."
        )


def _address(text: str, path: str) -> str:
    try:
        parts = urlsplit(text)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine:
        raise InputError(
            "it is no address of the web", path=path, hint="Write one that starts with https:// or http://."
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InputError(
            "the address holds more than host and path",
            path=path,
            hint="Leave out user, password and everything from '?' on; a key belongs into its own field.",
        )
    return text.rstrip("/")
