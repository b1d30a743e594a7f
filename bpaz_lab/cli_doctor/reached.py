"""Who comes in, what could leak, and the servers that run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from bpaz_lab.cli_doctor.check import Check, open_to_others
from bpaz_lab.errors import BpazError
from bpaz_lab.settings import PREFIX, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def looks(settings: Settings, environ: Mapping[str, str]) -> Iterator[Check]:
    """All looks at who comes in and what could leak."""
    yield from _profile(settings)
    yield from _environment(environ)
    yield from _servers()


def _profile(settings: Settings) -> Iterator[Check]:
    if settings.profile == "local":
        yield Check("profile", "ok", "local: whoever owns the server is the user")
        return
    if not settings.accept_shared_risk:
        yield Check(
            "profile",
            "warning",
            "shared, and nobody may sign up before somebody has read what it does not protect",
            f"Read docs/accounts.md, then set {PREFIX}ACCEPT_SHARED_RISK=true.",
        )
    else:
        yield Check(
            "profile", "ok", "shared: accounts with passwords; people who start kernels trust each other"
        )
    if settings.sign_up:
        said = "whoever reaches the Jupyter server may sign up"
        yield Check("sign-up", "warning", said, f"If that is not meant: {PREFIX}SIGN_UP=false.")
    if any(origin == "*" or origin.startswith("http://") for origin in settings.allowed_origins):
        said = f"allowed origins: {', '.join(settings.allowed_origins)}"
        yield Check("origins", "warning", said, "List the https:// pages that need it, and no others.")


def _environment(environ: Mapping[str, str]) -> Iterator[Check]:
    from bpaz_lab.guard.credentials import PROVIDERS

    secret = [name for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)]
    plain = [name for each in secret if environ.get(name := PREFIX + each.upper())]
    if plain:
        yield Check(
            "environment",
            "warning",
            f"{', '.join(plain)}: other processes of the same person can read it",
            "The server takes it out before kernels start. Better: a file, named by the same variable "
            "with _FILE.",
        )
    for each in secret:
        path = Path(environ.get(f"{PREFIX}{each.upper()}_FILE", "") or "/nonexistent")
        if path.exists() and open_to_others(path):
            yield Check("environment", "fault", f"others can read {path}", f"chmod go-rwx {path}")
    keys = [each.variable for each in PROVIDERS.values() if environ.get(each.variable)]
    own = f"{PREFIX}CREDENTIAL_"
    keys += [name for name in environ if name.startswith(own) and not name.endswith("_HOSTS")]
    if keys:
        said = f"{', '.join(sorted(keys))}: every cell and every package in it can read them"
        yield Check(
            "provider keys", "warning", said, "Keep them in the vault: bz.connect().credentials.set(…)."
        )
    elif not plain:
        yield Check("environment", "ok", "no secrets")


def _servers() -> Iterator[Check]:
    from jupyter_core.paths import jupyter_runtime_dir

    from bpaz_lab.api.transport.remote import Bearer, Remote

    for file in sorted(Path(jupyter_runtime_dir()).glob("jpserver-*.json")):
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
            url, pid = str(told["url"]), int(told["pid"])
        except (OSError, ValueError, KeyError):
            continue
        if not _runs(pid):
            continue
        remote = Remote(url, Bearer(), patience=5)
        try:
            health = remote.call("GET", "health")
            yield Check("server", "ok", f"{url} is {health['status']}, version {health['version']}")
        except BpazError as error:
            yield Check("server", "warning", f"{url}: {error.message}", error.hint)
        finally:
            remote.close()


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True
