"""The settings of an installation: one field each, from the environment or from Jupyter's configuration.

The setting ``database_url`` is the variable ``BPAZ_DATABASE_URL`` and the trait ``BpazLab.database_url``;
a secret one may also be the path of a file, ``BPAZ_ENCRYPTION_KEYS_FILE``.

Example:
    >>> Settings.read({"BPAZ_RUNS_PER_USER": "8"}).runs_per_user
    8
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from bpaz_lab.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

PREFIX: Final = "BPAZ_"


class Settings(BaseModel):
    """What can be set. The description of a field is its row in ``docs/settings.md``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # ---- where things are kept
    data_folder: str = Field("", description="Where the database and the keys of one person lie; empty for "
                             "`bpaz_lab` in Jupyter's data folder.")  # fmt: skip
    database_url: SecretStr = Field(
        SecretStr(""),
        description="`sqlite:///path` or `postgresql://…`; empty for SQLite in the data folder.",
    )
    postgres_host: str = Field("", description="The host of Postgres, where no URL is given.")
    postgres_port: int = Field(5432, description="The port of Postgres.")
    postgres_db: str = Field("bpaz_lab", description="The name of the database.")
    postgres_user: str = Field("bpaz_user", description="Who connects to Postgres.")
    postgres_password: SecretStr = Field(SecretStr(""), description="The password of that user.")
    database_pool_size: int = Field(20, ge=1, description="Connections that are kept open.")
    database_max_overflow: int = Field(30, ge=0, description="Connections beyond these, at a rush.")
    database_pool_recycle: int = Field(3600, description="Seconds after which a connection is made anew.")
    database_pool_timeout: float = Field(10.0, description="Seconds to wait for a free connection.")

    # ---- who comes in
    profile: Literal["local", "shared"] = Field(
        "local", description="`local`: the server's owner is the user. `shared`: accounts with passwords."
    )
    accept_shared_risk: bool = Field(
        False, description="Says that you have read what `shared` does not protect; see security."
    )
    sign_up: bool = Field(True, description="Whether people may sign up by themselves, in `shared`.")
    allowed_origins: list[str] = Field(
        default_factory=list, description="Pages of other origins that may call the API, as a JSON list."
    )
    egress_allow: list[str] = Field(
        default_factory=list,
        description="Private places at which credentials may be checked in `shared`: `host`, `host:port`, an "
        "address or a network, as a JSON list.",
    )
    access_token_minutes: int = Field(30, ge=1, description="Minutes that an access token holds.")
    refresh_token_days: int = Field(7, ge=1, description="Days that a refresh token holds.")
    refresh_family_days: int = Field(30, ge=1, description="Days after which one must sign in again.")
    login_activity_days: int = Field(90, ge=1, description="Days that login activity is kept.")

    # ---- keys
    encryption_keys: SecretStr = Field(
        SecretStr(""), description="Keys that lock credentials, base64 with commas between; the first locks."
    )
    token_keys: SecretStr = Field(SecretStr(""), description="Keys that sign tokens; the first signs.")
    password_pepper: SecretStr = Field(SecretStr(""), description="The key that passwords are hashed with.")

    # ---- how much
    body_limit: int = Field(5 * 2**20, ge=1024, description="Bytes of one request.")
    max_nodes: int = Field(500, ge=1, description="Nodes of a workflow on the server.")
    max_edges: int = Field(2000, ge=1, description="Edges of a workflow on the server.")
    runs_per_user: int = Field(5, ge=1, description="Executions of one person at a time.")
    run_timeout: float = Field(1800, gt=0, description="Seconds that an execution may take.")
    lease: float = Field(
        20, ge=1, description="Seconds after which a run whose holder was not heard of may be taken over."
    )
    execution_days: int = Field(
        90, ge=0, description="Days that ended executions are kept with all they have; 0 for ever."
    )
    ledger_days: int = Field(
        30, ge=0, description="Days that one can go back into a completed execution; 0 for ever."
    )
    event_queue: int = Field(256, ge=8, description="Events that wait for one slow reader of a stream.")
    heartbeat: float = Field(15, gt=0, description="Seconds between signs of life of a silent stream.")

    # ---- kernels
    kernel_name: str = Field(
        "", description="The kernel that executions run in; empty for Jupyter's default."
    )
    kernel_idle_timeout: float = Field(600, gt=0, description="Seconds after which an idle one is stopped.")
    server_url: str = Field(
        "", description="Where a kernel finds its server; the server tells it to the kernels that it starts."
    )

    # ---- telling
    log_level: str = Field("info", description="`debug`, `info`, `warning` or `error`.")
    debug: bool = Field(
        False, description="Whether SQL is logged and errors carry their traceback in the log."
    )

    @classmethod
    def read(
        cls, environ: Mapping[str, str] | None = None, given: Mapping[str, Any] | None = None
    ) -> Settings:
        """The settings of the environment; what is ``given`` (by Jupyter's configuration) goes before.

        Raises:
            SettingsError: A value cannot be, or a file with a secret cannot be read.
        """
        environ = os.environ if environ is None else environ
        told: dict[str, Any] = {}
        for name, field in cls.model_fields.items():
            variable = PREFIX + name.upper()
            if variable in environ:
                told[name] = _parsed(environ[variable], field.annotation)
            elif field.annotation is SecretStr and f"{variable}_FILE" in environ:
                told[name] = _contents(environ[f"{variable}_FILE"], f"{variable}_FILE")
        try:
            return cls.model_validate({**told, **(given or {})})
        except ValidationError as error:
            fault = error.errors(include_input=False)[0]
            name = str(fault["loc"][0])
            raise SettingsError(
                f"{PREFIX}{name.upper()}: {fault['msg']}", path=name, hint="See docs/settings.md."
            ) from None

    @property
    def folder(self) -> Path:
        """Where the database and the keys of one person lie."""
        if self.data_folder:
            return Path(self.data_folder).expanduser()
        from jupyter_core.paths import jupyter_data_dir

        return Path(jupyter_data_dir()) / "bpaz_lab"


def forget_secrets(environ: MutableMapping[str, str]) -> None:
    """Takes the secret settings out of an environment, so that no kernel inherits them."""
    for name, field in Settings.model_fields.items():
        if field.annotation is SecretStr:
            for variable in (PREFIX + name.upper(), f"{PREFIX}{name.upper()}_FILE"):
                environ.pop(variable, None)


def _parsed(text: str, annotation: Any) -> Any:
    if annotation == list[str]:
        try:
            return json.loads(text) if text.strip().startswith("[") else text.replace(",", " ").split()
        except json.JSONDecodeError:
            return text
    return text


def _contents(path: str, variable: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(
            f"{variable}: {path} cannot be read: {error.strerror}", hint="Check the path."
        ) from None
