"""Inside of containers: going in and back, editing there, rounds, answers to questions, the timeline."""

from __future__ import annotations

import pytest

SETUP = [
    "import bpaz_lab as bz",
    "letters = ['first letter', 'second letter']",
    "@bz.node",
    "def shout(text: str, mark: str = '!') -> str:",
    "    return text.upper() + mark",
    "wf = bz.Workflow('Letters')",
    "load = wf.add('Variable', id='letters', name='letters')",
    "with wf.add('ForEach', id='each') as body:",
    "    start = body.add('Start', id='letter', fields=[{'name': 'item'}])",
    "    loud = start >> body.add(shout, id='shout')",
    "    ask = loud >> body.add('HumanApproval', id='ask', question='Send it?', edit=True)",
    "    body.connect(ask['approved'], body.add('End', id='end', fields=['sent'])['sent'])",
    "out = load >> wf['each'] >> wf.add('ChatOutput', id='out')",
    "wf",
]


@pytest.fixture
def root(lab):
    lab.write("containers.ipynb", [SETUP])
    lab.open_notebook("containers.ipynb")
    lab.run_all()
    root = lab.page.locator(".bz-root:visible").first
    node(root, "each").wait_for()
    return root


def node(root, name):
    return root.locator(f'.react-flow__node[data-id="{name}"]')


def both_themes(lab, name):
    for theme in ("dark", "light"):
        lab.theme(theme)
        lab.page.wait_for_timeout(600)
        lab.shot(f"{name}-{theme}")


def test_a_container_is_edited_run_answered_and_folded(lab, root):
    node(root, "each").get_by_text("4 nodes inside").wait_for()
    both_themes(lab, "container")
    edit_inside(lab, root)
    answer(lab, root)
    look_back(lab, root)
    keep(lab, root)
    fold(lab, root)


def trail(root):
    return root.get_by_role("navigation", name="Where you are")


def edit_inside(lab, root):
    """What is done inside is seen in a cell, and what a cell does inside is seen at once."""
    root.get_by_role("button", name="Open each").click()
    trail(root).get_by_text("For each").wait_for()
    node(root, "shout").click()
    lab.page.keyboard.press("Enter")
    mark = root.locator(".bz-inspector").get_by_label("Mark")
    mark.fill("?")
    mark.press("Enter")
    lab.page.wait_for_timeout(300)
    assert lab.execute("print(wf['each'].body['shout'].settings)").strip() == "{'mark': '?'}"
    both_themes(lab, "inside")
    root.get_by_role("button", name="Close the inspector").click()

    # a field more inside is a port more outside
    lab.execute("b = wf['each'].body; b['end'].set(fields=['sent', 'loud'])")
    node(root, "end").get_by_text("loud").wait_for()
    lab.execute("b.connect(b['shout']['result'], b['end']['loud'])")
    for _ in ("deselects", "leaves"):
        lab.page.keyboard.press("Escape")
    trail(root).wait_for(state="detached")
    node(root, "each").get_by_text("loud").wait_for()


def answer(lab, root):
    """The run waits for the answers; one letter is edited and approved, one is rejected."""
    root.get_by_role("button", name="Run", exact=True).click()
    root.locator(".bz-run-status", has_text="Paused").wait_for()
    asked = root.get_by_role("region", name="Questions of the run").locator(".bz-asked")
    assert asked.count() == 2
    both_themes(lab, "asked")
    asked.first.get_by_label("Value").fill("A better letter")
    asked.first.get_by_role("button", name="Approve").click()
    asked.nth(1).wait_for(state="detached")
    root.locator(".bz-run-status", has_text="Paused").wait_for()
    asked.get_by_role("button", name="Reject").click()
    root.locator(".bz-run-status", has_text="Completed").wait_for()
    given = lab.execute("print(wf.latest['each'])")
    assert "'sent': ['A better letter', None]" in given
    assert "'loud': ['FIRST LETTER?', 'SECOND LETTER?']" in given


def look_back(lab, root):
    """Inside, each node tells its rounds; the timeline has a row for each."""
    node(root, "each").dblclick(position={"x": 112, "y": 60})
    node(root, "shout").get_by_text("2/2").wait_for()
    root.get_by_role("button", name="Timeline").first.click()
    lines = root.get_by_role("region", name="Timeline of the run").get_by_role("button").all()
    rows = ["Show letters", "Show each", "Show each/letter"]
    assert [line.get_attribute("title") for line in lines][:3] == rows
    both_themes(lab, "timeline")
    root.get_by_role("button", name="Close the output").click()
    trail(root).get_by_role("button", name="Letters").click()


def keep(lab, root):
    """What a run would compute again says so; what is pinned stands still."""
    lab.execute("wf['each'].set(at_once=2)")
    node(root, "each").locator(".bz-badge.is-stale").wait_for()
    both_themes(lab, "stale")
    node(root, "each").click(position={"x": 60, "y": 15})
    root.get_by_role("button", name="Pin the outputs of the latest run").click()
    node(root, "each").locator(".bz-badge.is-pinned").wait_for()
    assert lab.execute("print(list(wf.pins))").strip() == "['each']"


def fold(lab, root):
    """A node is folded away and out again."""
    lab.page.keyboard.press("Control+g")
    node(root, "part").wait_for()
    assert node(root, "each").count() == 0
    node(root, "part").click(position={"x": 60, "y": 15})
    root.get_by_role("button", name="Dissolve the sub-workflow").click()
    node(root, "each").wait_for()
    assert lab.execute("print([each.id for each in wf])").strip() == "['letters', 'out', 'each']"
