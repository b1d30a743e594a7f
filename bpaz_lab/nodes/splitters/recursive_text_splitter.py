"""Documents cut into chunks at natural places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, field_validator

from bpaz_lab.nodes.base import Node
from bpaz_lab.nodes.context import Context
from bpaz_lab.nodes.script import in_script
from bpaz_lab.nodes.types import Advanced, Documents, Port, setting_fault

if TYPE_CHECKING:
    from pydantic import ValidationInfo


class RecursiveTextSplitter(Node):
    """Cuts documents into chunks: at paragraphs where it can, else at lines, words, characters.

    A search finds chunks, and a model reads them: small ones are found precisely, large ones tell
    more. 200 to 500 characters suit short notes and small models, 1,000 and more long texts.
    Neighbours overlap, so that a thought cut in two is whole in one of them. Chunks keep their
    document's metadata and tell their number (`chunk`) and place (`start_index`).

    ```python
    split = wf.add("RecursiveTextSplitter", chunk_size=400, chunk_overlap=40)
    ```
    """

    extra = "text"
    requires = ("langchain_text_splitters",)

    # 1,000 and 200 are what LangChain's own guides to retrieval use.
    chunk_size: int = Field(1000, ge=1, le=1_000_000, description="The longest chunk, in characters.")
    chunk_overlap: int = Field(
        200, ge=0, validate_default=True, description="How many characters neighbours share at most."
    )
    separators: Annotated[list[str], Advanced] = Field(
        default=["\n\n", "\n", " ", ""],
        min_length=1,
        description="Where to cut, the best place first; the empty text cuts between any two characters.",
    )

    @field_validator("chunk_overlap")
    @classmethod
    def _smaller(cls, overlap: int, info: ValidationInfo) -> int:
        size = info.data.get("chunk_size")
        if size is not None and overlap >= size:
            raise setting_fault(
                f"an overlap of {overlap} does not fit into chunks of {size} characters",
                "Set a chunk_overlap that is smaller than chunk_size, for instance a tenth of it.",
            )
        return overlap

    def run(
        self,
        documents: Annotated[list[Any], Port("documents", help="What is cut; a text is one document.")],
        context: Context,
    ) -> Documents:
        """The chunks, in the order of their documents."""
        from langchain_text_splitters import RecursiveCharacterTextSplitter

        splitter = RecursiveCharacterTextSplitter(
            chunk_size=self.chunk_size,
            chunk_overlap=self.chunk_overlap,
            separators=self.separators,
            add_start_index=True,
        )
        chunks = []
        for document in documents:
            context.check()
            for number, chunk in enumerate(splitter.split_documents([document])):
                chunk.metadata["chunk"] = number
                chunks.append(chunk)
        return chunks


@in_script(RecursiveTextSplitter, "langchain-text-splitters")
def recursive_text_splitter(
    documents: list[Any],
    chunk_size: int = 1000,
    chunk_overlap: int = 200,
    separators: Sequence[str] = ("\n\n", "\n", " ", ""),
) -> list[Any]:
    """Cuts documents into chunks, which tell their number and place."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitter = RecursiveCharacterTextSplitter(
        chunk_size=chunk_size,
        chunk_overlap=chunk_overlap,
        separators=list(separators),
        add_start_index=True,
    )
    chunks = []
    for document in documents:
        for number, chunk in enumerate(splitter.split_documents([document])):
            chunk.metadata["chunk"] = number
            chunks.append(chunk)
    return chunks
