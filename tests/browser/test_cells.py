"""Cells and canvas show one workflow: what is done in one is seen in the other at once."""

from __future__ import annotations

import pytest

SETUP = [
    "import pandas as pd",
    "from matplotlib.figure import Figure",
    "import bpaz_lab as bz",
    "df = pd.DataFrame({'city': ['Oslo', 'Lima'], 'degrees': [7, 19]})",
    "@bz.node",
    "def bars(table: pd.DataFrame) -> Figure:",
    "    figure = Figure(figsize=(4, 2))",
    "    figure.subplots().bar(table.city, table.degrees)",
    "    return figure",
    "wf = bz.Workflow('Weather')",
    "wf",
]
RELOAD = """
@bz.node
def bars(table: pd.DataFrame, colour: str = 'teal') -> Figure:
    figure = Figure(figsize=(4, 2))
    figure.subplots().bar(table.city, table.degrees, color=colour)
    return figure
"""


@pytest.fixture
def root(lab):
    lab.write("cells.ipynb", [SETUP])
    lab.open_notebook("cells.ipynb")
    lab.run_all()
    root = lab.page.locator(".bz-root:visible").first
    root.locator(".bz-empty").wait_for()
    return root


def node(root, name):
    return root.locator(f'.react-flow__node[data-id="{name}"]')


def both_themes(lab, name):
    for theme in ("dark", "light"):
        lab.theme(theme)
        lab.page.wait_for_timeout(600)
        lab.shot(f"{name}-{theme}")


def test_cells_and_canvas_are_one(lab, root):
    both_themes(lab, "empty")

    # what a cell adds is on the open canvas at once
    lab.execute("wf.add('Variable', id='table', name='df') >> wf.add(bars, id='chart')")
    node(root, "chart").wait_for()
    assert node(root, "table").count() == root.locator(".react-flow__edge").count() == 1

    # a function that is changed keeps its wire and gets its new form
    lab.execute(RELOAD)
    node(root, "chart").get_by_text("Colour").first.wait_for()
    assert root.locator(".react-flow__edge").count() == 1

    # values in rich display: a table, a picture
    root.get_by_role("button", name="Run", exact=True).click()
    root.locator(".bz-run-status", has_text="Completed").wait_for()
    root.get_by_label("Show table.value").first.click()
    root.locator(".bz-output-area table", has_text="Oslo").wait_for()
    both_themes(lab, "dataframe")
    root.get_by_label("Show chart.result").first.click()
    root.locator(".bz-output-area img").wait_for()
    both_themes(lab, "figure")

    # a fault stands on the node that it concerns, with what to do
    lab.execute("wf.apply([{'path': ['nodes', 'table', 'settings', 'size'], 'new': 3}])")
    node(root, "table").locator(".bz-strip", has_text="no setting 'size'").wait_for()
    lab.execute("wf.undo(); wf['chart'].set(colour='no such colour'); wf.start()")
    node(root, "chart").locator(".bz-strip", has_text="must be a valid color").wait_for()
    both_themes(lab, "failed")

    # an edit on the canvas is there in the next cell
    node(root, "table").click()
    lab.page.keyboard.press("Delete")
    node(root, "table").wait_for(state="detached")
    assert lab.execute("print([node.id for node in wf])").strip() == "['chart']"
