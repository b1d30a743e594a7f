"""A notebook as a web page: the workflow is a picture in it, drawn without a script or the network."""

from __future__ import annotations

import re
from base64 import b64decode

import nbformat
import pytest
from nbconvert import HTMLExporter

from bpaz_lab import Workflow

pytestmark = pytest.mark.workflows


def test_the_page_holds_the_picture():
    workflow = Workflow("Kept")
    workflow.add("TextInput", id="text") >> workflow.add("ChatOutput", id="out")
    cell = nbformat.v4.new_code_cell("wf", execution_count=1)
    cell.outputs = [
        nbformat.v4.new_output("execute_result", data=workflow._repr_mimebundle_(), execution_count=1)
    ]
    page, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    image = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    assert image, "no picture in the page"
    picture = b64decode(image[1]).decode()
    assert "Text input" in picture
    assert "Chat output" in picture
    assert "widget-view+json" not in page
