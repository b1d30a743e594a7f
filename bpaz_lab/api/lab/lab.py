"""``bz.connect()``: the laboratory, from a cell. What is kept there, and runs that it does."""

from __future__ import annotations

import getpass
import os
import uuid
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bpaz_lab.api.lab.chat import Chat
from bpaz_lab.api.lab.credentials import Credentials
from bpaz_lab.api.lab.execution import Execution
from bpaz_lab.api.lab.executions import Executions
from bpaz_lab.api.lab.templates import Templates
from bpaz_lab.api.lab.workflows import Workflows
from bpaz_lab.api.workflow import Workflow
from bpaz_lab.errors import InputError, ServerUnavailable, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bpaz_lab.api.transport.transport import Transport


def connect(url: str | None = None, *, token: str | None = None) -> Lab:
    """The laboratory: what keeps workflows, credentials and executions.

    Without an address it is the Jupyter server that this kernel belongs to, which needs no token; where
    there is none, in a script or an editor, it is the store on this machine itself.

    Args:
        url: The address of a Jupyter server, as the browser shows it.
        token: What opens its door: the token of the Jupyter server or of JupyterHub, or an access token.

    Raises:
        ServerUnavailable: The server cannot be reached.
        NotFound: There is no bpaz_lab at that address.
        SettingsError: The installation is shared and can be asked through its server only.

    Example:
        >>> lab = connect()  # doctest: +SKIP
        >>> lab.workflows.save(wf, "the first draft")  # doctest: +SKIP
    """
    lab = Lab(_transport(url, token))
    try:
        lab.me()
    except Unauthenticated:
        if url is None and token is None:
            raise
        lab.transport.call("GET", "openapi.json")  # Jupyter's door is open; lab.sign_in(email) says who
    return lab


def runs(url: str | None = None) -> Executions:
    """The runs that are kept: ``bz.connect(url).executions``."""
    return connect(url).executions


def _transport(url: str | None, token: str | None) -> Transport:
    from bpaz_lab.api.lab.login import login_of
    from bpaz_lab.api.transport.kernel_login import SERVER_URL, own_server
    from bpaz_lab.api.transport.local import local
    from bpaz_lab.api.transport.remote import Remote

    if url is None and token is None:
        return own_server() or local()
    url = url or os.environ.get(SERVER_URL, "")
    if not url:
        raise InputError("a token is for a server, and none is given", hint="bz.connect(url, token=...)")
    return Remote(url, login_of(url, token or ""))


class Lab:
    """A laboratory; ``bz.connect()`` gives it.

    Attributes:
        workflows: Workflows that are kept, with their versions.
        executions: What was run.
        credentials: Secrets by name.
        templates: Workflows to begin with.
        chat: Conversations with workflows.

    Args:
        transport: What asks it.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._me: dict[str, Any] = {}

    def __repr__(self) -> str:
        who = self._me.get("email") or self._me.get("full_name") or self._me.get("role")
        said = f"as {who}" if who else "not signed in: lab.sign_in(email)"
        return f"<Lab {self.where} {said}>"

    @property
    def where(self) -> str:
        """The address of the server, or the folder of the store."""
        return str(getattr(self.transport, "url", "") or getattr(self.transport, "folder", ""))

    @cached_property
    def workflows(self) -> Workflows:
        """Workflows that are kept, with their versions."""
        return Workflows(self.transport, self.where)

    @cached_property
    def executions(self) -> Executions:
        """What was run."""
        return Executions(self.transport)

    @cached_property
    def credentials(self) -> Credentials:
        """Secrets by name; their values never come back."""
        return Credentials(self.transport)

    @cached_property
    def templates(self) -> Templates:
        """Workflows to begin with."""
        return Templates(self.transport, self.workflows)

    @cached_property
    def chat(self) -> Chat:
        """Conversations with workflows."""
        return Chat(self.transport, self.workflows)

    # ---- who one is -------------------------------------------------------------------------------

    def me(self) -> dict[str, Any]:
        """Who you are there.

        Raises:
            Unauthenticated: Nobody is signed in.
        """
        self._me = dict(self.transport.call("GET", "auth/profile"))
        return self._me

    def sign_in(self, email: str, *, password: str | None = None) -> Lab:
        """Signs in at a shared server; the password is asked for where it is not given.

        Raises:
            Unauthenticated: Email or password is wrong.
            InputError: This laboratory needs no signing in.
        """
        from bpaz_lab.api.lab.login import SignIn
        from bpaz_lab.api.transport.remote import Remote

        if not isinstance(self.transport, Remote):
            raise InputError("the store on this machine is its owner's", hint="Give the address of a server.")
        secret = password if password is not None else getpass.getpass(f"Password of {email}: ")
        self.transport.login = SignIn.at(self.transport, email, secret)
        self.me()
        return self

    def sign_out(self) -> None:
        """Ends the login of ``sign_in``: its tokens are good for nothing from now on."""
        from bpaz_lab.api.lab.login import SignIn
        from bpaz_lab.api.transport.remote import Remote

        if isinstance(self.transport, Remote) and isinstance(self.transport.login, SignIn):
            self.transport.call("POST", "auth/signout")
            self.transport.login, self._me = self.transport.login.door, {}

    # ---- runs -------------------------------------------------------------------------------------

    def run(
        self, workflow: Workflow | str, inputs: Mapping[str, Any] | None = None, /, **named: Any
    ) -> Execution:
        """Runs a workflow in the laboratory and waits for the end; Ctrl-C cancels. Takes what ``start`` does.

        Returns:
            The execution: it has ended, or is paused and waits for a person.

        Raises:
            RunError: It failed or was cancelled; the execution is attached.
        """
        execution = self.start(workflow, inputs, **named)
        try:
            return execution.wait().raise_for_status()
        except KeyboardInterrupt:
            execution.cancel()
            raise

    def start(
        self,
        workflow: Workflow | str,
        inputs: Mapping[str, Any] | None = None,
        /,
        *,
        session: str = "",
        timeout: float | None = None,
        version: int | None = None,
        **named: Any,
    ) -> Execution:
        """Starts a workflow in the laboratory and returns at once; it goes on when this kernel is gone.

        Args:
            workflow: The workflow as it is here, or the name or id of one that is kept.
            inputs: Inputs in a mapping, as JSON.
            session: The conversation that the run belongs to.
            timeout: Seconds that it may take; the server has a limit too.
            version: One of the versions of a workflow that is kept; the latest where None.
            named: Inputs by name.

        Raises:
            DocumentError: The workflow has problems.
            InputError: An input is unknown, missing, or no JSON.
            Throttled: You have as many executions as you may at a time.
        """
        body: dict[str, Any] = {"inputs": {**(inputs or {}), **named}, "session_id": session}
        if timeout is not None:
            body["timeout"] = timeout
        path = "workflows/execute"
        known = self.workflows.unchanged(workflow) if isinstance(workflow, Workflow) else None
        if isinstance(workflow, Workflow) and known is None:
            body["flow_data"] = workflow.to_dict()
        else:
            path = f"workflows/{known.id if known else self.workflows.id_of(workflow)}/execute"
            if known or version:
                body["version"] = version or (known.version if known else None)
        return Execution(self.transport, self._admitted(path, body))

    def _admitted(self, path: str, body: dict[str, Any]) -> Any:
        """Asks once more where no answer came: the key keeps it from being run twice."""
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        try:
            return self.transport.call("POST", path, query={"wait": 0}, body=body, headers=headers)
        except ServerUnavailable:
            return self.transport.call("POST", path, query={"wait": 0}, body=body, headers=headers)
