"""The one place that decides what a person may do.

An action has one rule: which permissions it needs, and how it looks at the row that it is done to. A role
grants permissions: ``users.role`` on the whole server, ``organization_user.role_id`` within one
organisation. ``all`` grants everything where it is granted, so an organisation's administrator manages its
members and what is shared with it, and nothing beyond.

What cannot be read answers as if it did not exist, for the server's administrator too: who manages accounts
does not thereby read other people's work.

Example:
    >>> from uuid import uuid4
    >>> from bpaz_lab.store.caller import Caller
    >>> me = Caller(uuid4(), "ada", frozenset({"create_workflow"}))
    >>> allows(me, "workflow.update", Target(user_id=me.user_id))
    True
    >>> allows(me, "workflow.update", Target(user_id=uuid4(), is_public=True))
    False
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from bpaz_lab.errors import Forbidden, NotFound, RequestError, Unauthenticated

if TYPE_CHECKING:
    from uuid import UUID

    from bpaz_lab.store.caller import Caller

PERMISSIONS: Final = {
    "all": "everything",
    "create_workflow": "make workflows and templates, and change one's own",
    "execute_workflow": "run every workflow that one may read",
    "manage_credentials": "keep credentials",
    "view_workflows": "read workflows that are shared or public",
    "execute_public_workflows": "run public workflows",
    "edit_shared_workflows": "change the workflows that an organisation shares",
    "view_audit": "read the audit log and the login activity",
    "view_metrics": "read the server's figures",
}
"""Every permission that a role can grant."""

Reach = Literal["server", "readable", "managed", "organization"]
"""How a rule looks at its row.

``server``: only at its organisation, if it has one, of which the person must be a member. ``readable``: the
person may read it. ``managed``: it is the person's own, or a role grants the rule's ``shared`` permission or
``all`` over it. ``organization``: the person is a member of its organisation, or the server's administrator,
and the role there or on the server grants what is needed.
"""


@dataclass(frozen=True)
class Rule:
    """What an action needs.

    Attributes:
        reach: How the rule looks at the row.
        needs: Permissions of which one is enough; none where being signed in is enough.
        shared: The permission that lets a person manage what an organisation shares; empty for ``all`` alone.
        public: The permission that is enough for what is public; empty for none.
        kernels: Whether a kernel may do it on its owner's behalf.
        listed: Whether a role in any organisation is enough where no row is named, as for a list.
    """

    reach: Reach
    needs: frozenset[str] = frozenset()
    shared: str = ""
    public: str = ""
    kernels: bool = True
    listed: bool = False


@dataclass(frozen=True)
class Target:
    """What an action is done to, where there is no row to show.

    Example:
        >>> Target(organization_id=None).is_public
        False
    """

    user_id: UUID | None = None
    organization_id: UUID | None = None
    is_public: bool = False


_SEE: Final = frozenset({"view_workflows", "create_workflow", "execute_workflow"})
_CREATE: Final = frozenset({"create_workflow"})
_RUN: Final = frozenset({"execute_workflow"})
_KEYS: Final = frozenset({"manage_credentials"})
_ALL: Final = frozenset({"all"})

RULES: Final[dict[str, Rule]] = {
    "workflow.create": Rule("server", _CREATE),
    "workflow.read": Rule("readable", _SEE, listed=True),
    "workflow.update": Rule("managed", _CREATE, shared="edit_shared_workflows"),
    "workflow.delete": Rule("managed", _CREATE),
    "workflow.execute": Rule("readable", _RUN, public="execute_public_workflows"),
    "workflow.share": Rule("managed", _CREATE),
    "workflow.publish": Rule("managed", _CREATE),
    "template.create": Rule("server", _CREATE),
    "template.read": Rule("readable", _SEE, listed=True),
    "template.publish": Rule("readable", _ALL, kernels=False),
    "template.delete": Rule("managed", _CREATE),
    "credential.create": Rule("server", _KEYS),
    "credential.read": Rule("readable"),
    "credential.update": Rule("managed", _KEYS),
    "credential.delete": Rule("managed", _KEYS),
    "credential.use": Rule("readable"),
    "execution.read": Rule("readable"),
    "execution.cancel": Rule("readable"),
    "execution.resume": Rule("readable"),
    "chat.read": Rule("readable"),
    "chat.write": Rule("readable"),
    "chat.delete": Rule("readable"),
    "profile.read": Rule("server"),
    "profile.update": Rule("server", kernels=False),
    "user.manage": Rule("server", _ALL, kernels=False),
    "role.read": Rule("server"),
    "role.manage": Rule("server", _ALL, kernels=False),
    "organization.create": Rule("server", _ALL, kernels=False),
    "organization.delete": Rule("server", _ALL, kernels=False),
    "organization.read": Rule("organization"),
    "organization.manage": Rule("organization", _ALL, kernels=False),
    "member.manage": Rule("organization", _ALL, kernels=False),
    "login_method.manage": Rule("organization", _ALL, kernels=False),
    "activity.read": Rule("server", frozenset({"view_audit"}), kernels=False),
    "audit.read": Rule("server", frozenset({"view_audit"}), kernels=False),
    "metrics.read": Rule("server", frozenset({"view_metrics"})),
    "node.read": Rule("server"),
}
"""Every action, and what it needs."""


def readable(caller: Caller, row: Any) -> bool:
    """Whether the person may read a row: it is their own, or public, or shared by an organisation of theirs.

    Args:
        caller: Who asks.
        row: Anything with some of ``user_id``, ``organization_id`` and ``is_public`` (or ``is_published``).
    """
    if caller.user_id is None:
        return False
    return (
        getattr(row, "user_id", None) == caller.user_id
        or bool(getattr(row, "is_public", False) or getattr(row, "is_published", False))
        or getattr(row, "organization_id", None) in caller.organizations
    )


def allows(caller: Caller, action: str, row: Any = None) -> bool:
    """Whether the person may do this, to this row where one is given; without one, in general."""
    return _refusal(caller, action, row) is None


def demand(caller: Caller, action: str, row: Any = None) -> None:
    """Demands that the person may do this.

    Args:
        caller: Who asks.
        action: One of `RULES`.
        row: What it is done to, a row or a `Target`; None where there is none yet, or for a list.

    Raises:
        Unauthenticated: Nobody is signed in.
        NotFound: The person may not know that there is such a row.
        Forbidden: The person may see it, and not do this.
    """
    refusal = _refusal(caller, action, row)
    if refusal is not None:
        raise refusal


def missing(kind: str) -> NotFound:
    """The answer to what does not exist, and to what the person may not know of."""
    return NotFound(f"there is no such {kind.replace('_', ' ')}", hint="Check the id, or list what there is.")


def _refusal(caller: Caller, action: str, row: Any) -> RequestError | None:
    rule = RULES[action]
    kind, _, verb = action.partition(".")
    if caller.user_id is None:
        return Unauthenticated("nobody is signed in", hint="Sign in, and send the access token.")
    place = getattr(row, "organization_id", None)
    if row is not None and not _seen(caller, rule, row, place):
        return missing("organization" if rule.reach in {"server", "organization"} else kind)
    if caller.kernel_id and not rule.kernels:
        return Forbidden(f"a kernel may not {verb} this {kind}", hint="Do it in the browser, signed in.")
    # A list shows what each of one's organisations shares, so a role in any of them opens it.
    places = [place, *caller.organizations] if row is None and rule.listed else [place]
    if not any(_granted(caller, rule, row, each) for each in places):
        needed = sorted(rule.needs | ({rule.shared} if rule.shared else set()) | {"all"})
        return Forbidden(
            f"{caller.name} may not do {action} here",
            hint=f"It takes one of these permissions: {', '.join(needed)}. Ask an administrator for a role.",
        )
    return None


def _seen(caller: Caller, rule: Rule, row: Any, place: UUID | None) -> bool:
    if rule.reach == "server":
        return place is None or place in caller.organizations
    if rule.reach == "organization":
        return place in caller.organizations or "all" in caller.permissions
    return readable(caller, row)


def _granted(caller: Caller, rule: Rule, row: Any, place: UUID | None) -> bool:
    own = row is None or getattr(row, "user_id", None) == caller.user_id
    if rule.reach == "managed" and not own:
        return bool(caller.has(rule.shared or "all", place))
    if rule.public and getattr(row, "is_public", False) and caller.has(rule.public, place):
        return True
    return not rule.needs or any(caller.has(each, place) for each in rule.needs)
