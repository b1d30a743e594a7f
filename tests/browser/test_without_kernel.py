"""What is left of a canvas when its kernel has gone: the workflow, drawn from the saved notebook."""

from __future__ import annotations

import nbformat
import pytest

from bpaz_lab import Workflow

HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"


def saved(folder, name):
    """A notebook as it was saved after a session that is over."""
    workflow = Workflow("Kept")
    text = workflow.add("TextInput", id="text", text=HOSTILE)
    text.title = HOSTILE
    text >> workflow.add("ChatOutput", id="out")
    cell = nbformat.v4.new_code_cell("wf", execution_count=1)
    cell.outputs = [
        nbformat.v4.new_output("execute_result", data=workflow._repr_mimebundle_(), execution_count=1)
    ]
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, folder / name)


@pytest.mark.parametrize("page_of", ["lab/tree", "notebooks"])
def test_a_reopened_notebook_draws_the_workflow(lab, page_of):
    saved(lab.server.folder, "kept.ipynb")
    dialogs = []
    lab.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    lab.page.goto(f"{lab.server.url}/{page_of}/kept.ipynb?reset&token={lab.server.token}")
    root = lab.page.locator(".bz-root:visible").first
    root.locator('.react-flow__node[data-id="out"]').wait_for()
    lab.page.wait_for_timeout(2000)
    lab.shot(f"reopened-{page_of.split('/')[0]}")
    assert root.locator(".react-flow__node").count() == 2
    assert root.locator(".react-flow__edge").count() == 1
    assert root.get_by_text(HOSTILE).count() >= 1
    assert "Error displaying widget" not in lab.page.content()
    assert dialogs == []
