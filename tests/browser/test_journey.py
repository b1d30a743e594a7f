"""One person's way through the product, in a real JupyterLab and a real Chromium."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SHOTS = Path(__file__).parents[1] / "shots"
DOCUMENT = "application/vnd.bpaz+json"
NEW_EDGE = ["answer.text", "prompt_template.reply"]


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


PROMPT = "prompt_template"


def node(root, name):
    return root.locator(f'.react-flow__node[data-id="{name}"]')


def port(root, name, port, side):
    return root.locator(f'.react-flow__handle[data-nodeid="{name}"][data-handleid="{port}"].{side}')


def at_rest(page, *locators):
    """The boxes of elements when the view has stopped moving."""
    before = None
    for _ in range(40):
        boxes = [locator.bounding_box() for locator in locators]
        if boxes == before:
            return boxes
        before = boxes
        page.wait_for_timeout(300)
    raise AssertionError("the view does not come to rest")


UNDER_THE_POINTER = """element => {
    const box = element.getBoundingClientRect();
    const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return element.contains(hit) || hit?.outerHTML.slice(0, 200);
}"""


def drag(page, root, start, end):
    """Drags from one element to another, once both are where the pointer reaches them."""
    hits = []
    for _ in range(20):
        root.evaluate("element => element.scrollIntoView({ block: 'center' })")
        one, other = at_rest(page, start, end)
        hits = [each.evaluate(UNDER_THE_POINTER) for each in (start, end)]
        if hits == [True, True]:
            break
    assert hits == [True, True], f"something lies over the port: {hits}"
    page.mouse.move(one["x"] + one["width"] / 2, one["y"] + one["height"] / 2)
    page.mouse.down()
    page.mouse.move(other["x"] - 20, other["y"] + 10, steps=6)
    for _ in range(20):  # near its edge the canvas moves along with a wire
        page.mouse.move(other["x"] + other["width"] / 2, other["y"] + other["height"] / 2, steps=4)
        page.wait_for_timeout(50)
        before, other = other, end.bounding_box()
        if before == other:
            break
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
    root = canvas(quickstart)
    root.get_by_role("button", name="Fit into view").click()
    quickstart.page.wait_for_timeout(500)
    root.screenshot(path=SHOTS / "canvas.png")  # the README's picture is a copy of it
    both_themes(quickstart, "after-run-all")
    add_a_node_and_edit_it(quickstart, root)
    connect_it(quickstart, root)
    run_from_the_canvas(quickstart, root)
    look_at_a_value(quickstart, root)
    undo(quickstart, root)
    save_and_reload(quickstart)


def add_a_node_and_edit_it(lab, root):
    count = root.locator(".react-flow__node").count()
    root.get_by_label("Search node types").fill("prompt")
    root.locator(".bz-entry", has_text="Prompt template").click()
    node(root, "prompt_template").wait_for()
    assert root.locator(".react-flow__node").count() == count + 1
    inspector = root.get_by_role("button", name="Inspector", exact=True)
    if not root.locator(".bz-inspector").is_visible():
        inspector.click()
    template = root.locator(".bz-inspector").get_by_label("Template", exact=True)
    template.fill("They said: {reply}")
    template.blur()
    port(root, "prompt_template", "reply", "target").wait_for()
    both_themes(lab, "inspector")
    inspector.click()
    assert document_of(lab)["nodes"]["prompt_template"]["settings"] == {"template": "They said: {reply}"}


def connect_it(lab, root):
    root.get_by_role("button", name="Fit into view").click()
    for _ in range(3):  # Lab may scroll away under the pointer; who draws a wire then draws it again
        drag(lab.page, root, port(root, "answer", "text", "source"), port(root, PROMPT, "reply", "target"))
        lab.page.wait_for_timeout(1_000)
        if NEW_EDGE in document_of(lab)["edges"]:
            break
        if root.locator(".bz-quick-add").count():  # it was dropped beside the port
            root.locator(".bz-quick-add input").press("Escape")
    assert NEW_EDGE in document_of(lab)["edges"]
    root.scroll_into_view_if_needed()
    root.locator(f'.react-flow__edge[data-id="{"->".join(NEW_EDGE)}"]').wait_for()


def run_from_the_canvas(lab, root):
    root.get_by_label("Question").fill("What is a port?")
    root.get_by_label("Question").press("Enter")
    stream = node(root, "answer").locator(".bz-stream")
    root.locator(".bz-run-status", has_text="Running").wait_for()
    stream.wait_for()
    lab.shot("running")
    root.locator(".bz-run-status", has_text="Completed").wait_for(timeout=60_000)
    output = json.loads(lab.execute("import json; print(json.dumps(wf.latest['answer']['text']))"))
    assert output.strip()
    assert " ".join(output.split()) in " ".join(stream.inner_text().split())
    both_themes(lab, "completed")


def look_at_a_value(lab, root):
    root.get_by_role("button", name="Fit into view").click()  # nothing of the canvas lies over the node then
    node(root, "search").click()
    root.get_by_label("Show search.documents").first.click()
    root.locator(".bz-output-area table").wait_for()
    both_themes(lab, "shown")


def undo(lab, root):
    before = document_of(lab)
    root.locator(".react-flow__pane").click(position={"x": 5, "y": 5})
    lab.page.keyboard.press("Control+z")
    lab.page.wait_for_timeout(500)
    after = document_of(lab)
    assert NEW_EDGE in before["edges"]
    assert after["edges"] == [edge for edge in before["edges"] if edge != NEW_EDGE]


def save_and_reload(lab):
    before = document_of(lab)
    lab.page.wait_for_timeout(2000)  # the output is brought up to date when nobody has edited for a while
    lab.save()
    lab.page.wait_for_timeout(1000)
    saved = nbformat.read(lab.server.folder / "quickstart.ipynb", as_version=4)
    outputs = [output for cell in saved.cells for output in cell.get("outputs", [])]
    kept = [output.data[DOCUMENT] for output in outputs if DOCUMENT in output.get("data", {})]
    assert kept == [before]
    assert "widgets" not in saved.metadata
    lab.open_notebook("quickstart.ipynb")
    root = canvas(lab)
    node(root, "prompt_template").wait_for()
    assert root.locator(".react-flow__node").count() == len(before["nodes"])
    assert document_of(lab) == before
