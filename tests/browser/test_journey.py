"""One person's way through the product, in a real JupyterLab and a real Chromium."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
DOCUMENT = "application/vnd.bpaz+json"


@pytest.fixture
def quickstart(lab):
    """The quickstart, open and run."""
    shutil.copytree(NOTEBOOKS / "data", lab.server.folder / "data", dirs_exist_ok=True)
    notebook = nbformat.read(NOTEBOOKS / "01_quickstart.ipynb", as_version=4)
    for cell in notebook.cells:
        cell.pop("outputs", None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, lab.server.folder / "quickstart.ipynb")
    lab.page.set_viewport_size({"width": 1500, "height": 1000})
    lab.open_notebook("quickstart.ipynb")
    lab.run_all()
    return lab


def canvas(lab):
    root = lab.page.locator(".bz-root:visible").first
    root.locator(".react-flow__node").first.wait_for()
    root.scroll_into_view_if_needed()
    return root


def node(root, name):
    return root.locator(f'.react-flow__node[data-id="{name}"]')


def port(root, name, port, side):
    return root.locator(f'.react-flow__handle[data-nodeid="{name}"][data-handleid="{port}"].{side}')


def drag(page, start, end):
    one, other = start.bounding_box(), end.bounding_box()
    page.mouse.move(one["x"] + one["width"] / 2, one["y"] + one["height"] / 2)
    page.mouse.down()
    page.mouse.move(other["x"] - 20, other["y"] + 10, steps=6)
    page.mouse.move(other["x"] + other["width"] / 2, other["y"] + other["height"] / 2, steps=4)
    page.mouse.up()


def both_themes(lab, name):
    for theme in ("light", "dark"):
        lab.theme(theme)
        lab.page.wait_for_timeout(300)
        lab.shot(f"{name}-{theme}")
    lab.theme("light")


def document_of(lab):
    return json.loads(lab.execute("print(wf.to_json())"))


def test_the_whole_way(quickstart):
    lab, page = quickstart, quickstart.page
    root = canvas(lab)
    count = root.locator(".react-flow__node").count()
    both_themes(lab, "after-run-all")

    # add a node by the palette, and edit its setting
    root.get_by_label("Search node types").fill("prompt")
    root.locator(".bz-entry", has_text="Prompt template").click()
    node(root, "prompt_template").wait_for()
    assert root.locator(".react-flow__node").count() == count + 1
    if not root.locator(".bz-inspector").is_visible():
        root.get_by_role("button", name="Inspector", exact=True).click()
    template = root.locator(".bz-inspector").get_by_label("Template", exact=True)
    template.fill("They said: {reply}")
    template.blur()
    port(root, "prompt_template", "reply", "target").wait_for()
    assert document_of(lab)["nodes"]["prompt_template"]["settings"] == {"template": "They said: {reply}"}

    root.get_by_role("button", name="Inspector", exact=True).click()

    # connect it
    root.get_by_role("button", name="Fit into view").click()
    page.wait_for_timeout(500)
    lab.shot("before-connect")
    drag(page, port(root, "answer", "text", "source"), port(root, "prompt_template", "reply", "target"))
    page.wait_for_timeout(300)
    assert ["answer.text", "prompt_template.reply"] in document_of(lab)["edges"]

    # run it from the canvas
    root.get_by_label("Question").fill("What is a port?")
    root.get_by_label("Question").press("Enter")
    stream = node(root, "answer").locator(".bz-stream")
    stream.wait_for()
    both_themes(lab, "running")
    root.locator(".bz-run-status", has_text="Completed").wait_for(timeout=60_000)
    streamed = stream.inner_text()
    assert streamed.strip()
    both_themes(lab, "completed")

    # look at a value
    node(root, "search").click()
    root.get_by_label("Show search.documents").first.click()
    root.locator(".bz-output-area table").wait_for()
    both_themes(lab, "shown")

    # undo
    before = document_of(lab)
    root.locator(".react-flow__pane").click(position={"x": 5, "y": 5})
    page.keyboard.press("Control+z")
    page.wait_for_timeout(500)
    after = document_of(lab)
    assert ["answer.text", "prompt_template.reply"] not in after["edges"]
    assert len(after["edges"]) == len(before["edges"]) - 1

    # save, reload: the same workflow, live again
    page.wait_for_timeout(2000)
    lab.save()
    page.wait_for_timeout(1000)
    saved = nbformat.read(lab.server.folder / "quickstart.ipynb", as_version=4)
    kept = [o.data[DOCUMENT] for c in saved.cells for o in c.get("outputs", []) if DOCUMENT in o.get("data", {})]
    assert kept[0] == after
    assert "widgets" not in saved.metadata
    lab.open_notebook("quickstart.ipynb")
    root = canvas(lab)
    node(root, "prompt_template").wait_for()
    assert root.locator(".react-flow__node").count() == count + 1
    assert document_of(lab) == after
