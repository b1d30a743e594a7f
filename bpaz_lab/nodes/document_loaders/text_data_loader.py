"""Text files as documents."""

from __future__ import annotations

from contextlib import suppress
from encodings import normalize_encoding
from encodings.aliases import aliases
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import AfterValidator, Field

from bpaz_lab.errors import InputError
from bpaz_lab.nodes.base import Node
from bpaz_lab.nodes.context import Context
from bpaz_lab.nodes.script import in_script
from bpaz_lab.nodes.types import Advanced, Documents, Multiline, setting_fault

if TYPE_CHECKING:
    from pathlib import Path

SHOWN: Final = 8
"""How many of the files that are there an error lists."""


KNOWN: Final = {*aliases, *aliases.values(), "utf_8_sig", "utf_16", "utf_32", "cp1006", "koi8_u"}
"""Encodings that are looked up: for any other name Python would import a module of that name."""


def _encoding(name: str) -> str:
    with suppress(LookupError):
        if normalize_encoding(name).lower() in KNOWN:
            "".encode(name)
            return name
    raise setting_fault(
        f"{name!r} is no encoding", "Use utf-8, latin-1, cp1252 or another encoding of Python."
    )


class TextDataLoader(Node):
    """Reads text files, one document a file: text, Markdown, CSV, source code, logs.

    A pattern names many files: `notes/*.md` those of a folder, `notes/**/*.md` those of its
    subfolders too; write several patterns one a line. Files lie in the current folder or your home
    folder. Each document keeps the file's path as `metadata["source"]`, and they come in the order
    of their paths.

    ```python
    load = wf.add("TextDataLoader", path="notes/*.md")
    load >> wf.add("RecursiveTextSplitter")
    ```
    """

    effect = "repeatable"

    path: Multiline = Field(
        "*.md", min_length=1, description="A file or a pattern such as notes/**/*.md; several, one a line."
    )
    encoding: Annotated[str, AfterValidator(_encoding), Advanced] = Field(
        "utf-8", description="How the files are encoded."
    )

    def run(self, context: Context) -> Documents:
        """The documents.

        Raises:
            InputError: A pattern finds nothing, or a file is no text of this encoding.
            FileRefused: A path leads out of the allowed folders.
        """
        from langchain_core.documents import Document

        patterns = [line.strip() for line in self.path.splitlines() if line.strip()]
        files = list(dict.fromkeys(file for pattern in patterns for file in _found(pattern, context)))
        documents = []
        for number, file in enumerate(files):
            context.check()
            context.progress(number, len(files), file.name)
            documents.append(
                Document(page_content=self._read(file, context), metadata={"source": file.as_posix()})
            )
        return documents

    def fingerprint(self, context: Context) -> Any:
        """The files, when they changed, and their sizes."""
        patterns = [line.strip() for line in self.path.splitlines() if line.strip()]
        files = dict.fromkeys(file for pattern in patterns for file in _found(pattern, context))
        # What the pattern names lies beside the workflow's file, which need not be where the kernel runs.
        told = {file: context.services.jail.resolve(file).stat() for file in files}
        return [[str(file), stat.st_mtime_ns, stat.st_size] for file, stat in told.items()]

    def _read(self, file: Path, context: Context) -> str:
        try:
            with context.open(str(file), encoding=self.encoding) as opened:
                return str(opened.read()).removeprefix("\ufeff")
        except UnicodeDecodeError as fault:
            raise InputError(
                f"{file} is no {self.encoding} text: byte {fault.start} cannot be read",
                hint="Set the encoding (latin-1 reads anything), or keep the file out of the pattern.",
                path=str(file),
            ) from None
        except OSError as fault:
            raise InputError(
                f"{file} cannot be read: {fault.strerror}", hint="Check who may read it.", path=str(file)
            ) from None


def _found(pattern: str, context: Context) -> list[Path]:
    files = context.glob(pattern)
    if not files:
        folder = pattern.rpartition("/")[0].partition("*")[0].rstrip("/")
        there = [file.as_posix() for file in (folder and context.glob(f"{folder}/*")) or context.glob("*")]
        shown = ", ".join(there[:SHOWN]) + (" …" if len(there) > SHOWN else "")
        raise InputError(
            f"no file matches {pattern!r}",
            hint=f"Here are: {shown}." if there else "There are no files here; check the current folder.",
            path=pattern,
        )
    return files


@in_script(TextDataLoader, "langchain-core")
def text_data_loader(path: str = "*.md", encoding: str = "utf-8") -> list[Any]:
    """Reads text files, one document a file."""
    from glob import glob
    from pathlib import Path

    from langchain_core.documents import Document

    patterns = [line.strip() for line in path.splitlines() if line.strip()]
    names = dict.fromkeys(
        name
        for pattern in patterns
        for name in sorted(glob(str(Path(pattern).expanduser()), recursive=True))  # noqa: PTH207 (as it is told)
        if Path(name).is_file()
    )
    if not names:
        raise FileNotFoundError(f"no file matches {path!r}")
    return [
        Document(
            page_content=Path(name).read_text(encoding=encoding).removeprefix("\ufeff"),
            metadata={"source": Path(name).as_posix()},
        )
        for name in names
    ]
