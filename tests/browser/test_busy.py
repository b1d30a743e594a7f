"""The canvas stays alive while a cell is busy and a node blocks."""

from __future__ import annotations

CELLS = [
    ["import time", "import bpaz_lab as bz"],
    ["@bz.node", "def slow(text: str) -> str:", "    time.sleep(120)", "    return text"],
    ["wf = bz.Workflow('Busy')", "wf.add('TextInput', id='text') >> wf.add(slow)", "wf"],
    ["wf.run()"],
]


def test_stop_works_while_a_cell_waits_for_a_blocking_node(lab):
    lab.write("busy.ipynb", CELLS)
    lab.open_notebook("busy.ipynb")
    lab.page.evaluate("() => void jupyterapp.commands.execute('notebook:run-all-cells')")
    root = lab.page.locator(".bz-root:visible").first
    root.locator(".bz-run-status", has_text="Running").wait_for(timeout=60_000)

    root.get_by_role("button", name="Add a note").click()
    root.locator(".react-flow__node-note").wait_for()

    root.get_by_role("button", name="Stop").click()
    root.locator(".bz-run-status", has_text="Stopped").wait_for(timeout=10_000)
    error = lab.page.locator(".jp-Cell-outputArea", has_text="RunCancelled")
    error.wait_for(timeout=10_000)
    lab.wait_idle()
    assert lab.execute("print(wf.latest.status, len(wf.history.document['notes']))").strip() == "cancelled 1"
    lab.shot("stopped")
