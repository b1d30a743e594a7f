"""The credentials of a laboratory: ``lab.credentials``. A value goes there and never comes back."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any, Final

from bpaz_lab.api.lab.table import Record, Table, pages, some
from bpaz_lab.errors import InputError, NotFound
from bpaz_lab.guard.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bpaz_lab.api.transport.transport import Transport

COLUMNS: Final = ("name", "type", "fields", "allowed_hosts", "updated_at", "last_used_at")
FORMS: Final = ("name", "title", "variable", "hosts")


class Credentials:
    """Secrets by name; a workflow names one as ``bz.credential("openai")``.

    Args:
        transport: What asks the laboratory.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def __repr__(self) -> str:
        return repr(self.list())

    def _repr_html_(self) -> str:
        return self.list()._repr_html_()

    def __iter__(self) -> Iterator[Record]:
        return pages(self._transport, "credentials", Record)

    def list(self, limit: int | None = 100, **filters: Any) -> Table[Record]:
        """Your credentials: names, types and hosts; no values. ``type`` narrows them down."""
        return some(self._transport, "credentials", Record, COLUMNS, limit, **filters)

    def types(self) -> Table[Record]:
        """What types of credentials there are, and where the secret of each may go."""
        return Table(map(Record, self._transport.call("GET", "credentials/types")["items"]), FORMS)

    def set(
        self,
        name: str,
        type: str = "",
        *,
        secret: str | None = None,
        allowed_hosts: Sequence[str] | None = None,
        **fields: str,
    ) -> Record:
        """Keeps a credential, or changes the one of that name. Its secret is asked for.

        Args:
            name: What workflows call it.
            type: One of ``types()``; the name itself where it is one, or that of the credential as it is.
            secret: The secret, for a script that has it from elsewhere. In a cell leave it out: what stands
                in a cell is saved with the notebook.
            allowed_hosts: Hosts that the secret may go to; those of its type by default.
            fields: Further fields of its type, such as ``base_url``.

        Raises:
            InputError: There is no such type, or a field is missing.

        Example:
            ``lab.credentials.set("work", "openai")``
        """
        known = self._named(name)
        form = self._form(type or (known["type"] if known else name))
        body: dict[str, Any] = {"fields": self._filled(name, form, secret, fields)}
        if allowed_hosts is not None:
            body["allowed_hosts"] = [*allowed_hosts]
        if known is not None and known["type"] == form["name"]:
            return Record(self._transport.call("PUT", f"credentials/{known['id']}", body=body))
        if known is not None:
            raise InputError(
                f"the credential {name!r} is of the type {known['type']}",
                hint=f"Delete it first: lab.credentials.delete({name!r}), or use another name.",
            )
        body |= {"name": name, "type": form["name"]}
        return Record(self._transport.call("POST", "credentials", body=body))

    def validate(self, name: str) -> Record:
        """Asks the provider whether it takes the credential: ``valid`` and ``message``."""
        return Record(self._transport.call("POST", f"credentials/{self._one(name)['id']}/validate"))

    def delete(self, name: str) -> None:
        """Deletes a credential for good.

        Raises:
            NotFound: There is none of that name.
        """
        self._transport.call("DELETE", f"credentials/{self._one(name)['id']}")

    def _filled(
        self, name: str, form: dict[str, Any], secret: str | None, fields: dict[str, str]
    ) -> dict[str, str]:
        """The fields of a form; what is secret and not given is asked for."""
        known = {each["name"]: each for each in form["fields"]}
        if unknown := [each for each in fields if each not in known]:
            hint = closest(unknown[0], known) or f"Its fields are: {', '.join(known)}."
            raise InputError(f"a credential of type {form['name']} has no {unknown[0]!r}", hint=hint)
        filled = dict(fields)
        if secret is not None:
            filled[form["main"]] = secret
        for field in known.values():
            if field["name"] in filled or not (field["required"] or field["name"] == form["main"]):
                continue
            if not field["secret"]:
                call = f"lab.credentials.set({name!r}, {form['name']!r}, {field['name']}=...)"
                raise InputError(
                    f"a credential of type {form['name']} needs {field['name']}",
                    hint=f"{field['help']} Write {call}.".strip(),
                )
            told = getpass.getpass(f"{field['title']} of {name}: ").strip()
            if not told and field["required"]:
                raise InputError("nothing was typed", hint="Nothing was kept; try again.")
            filled[field["name"]] = told
        return filled

    def _form(self, type: str) -> dict[str, Any]:
        forms = {each["name"]: each for each in self.types()}
        if type not in forms:
            hint = closest(type, forms) or f"Types are: {', '.join(sorted(forms))}."
            raise InputError(f"there is no type of credential {type!r}", hint=hint)
        return forms[type]

    def _named(self, name: str) -> Record | None:
        return next(pages(self._transport, "credentials", Record, name=name), None)

    def _one(self, name: str) -> Record:
        found = self._named(name)
        if found is None:
            names = [str(each["name"]) for each in self]
            hint = closest(name, names) or "List them: lab.credentials."
            raise NotFound(f"there is no credential {name!r}", hint=hint)
        return found
