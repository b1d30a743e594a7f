from __future__ import annotations


def test_lab_starts_with_the_extension(lab):
    lab.write("hello.ipynb", [["6 * 7"]])
    lab.open_notebook("hello.ipynb")
    lab.run_all()
    assert lab.page.locator(".jp-OutputArea-output").inner_text().strip() == "42"
    assert lab.page.evaluate("jupyterapp.hasPlugin('bpaz-lab:plugin')")
    for theme in ("light", "dark"):
        lab.theme(theme)
        lab.shot(f"lab-{theme}")


def test_lab_lists_the_extension_as_enabled(server):
    extensions = {entry["name"]: entry for entry in server.get("lab/api/extensions").json()}
    assert extensions["bpaz-lab"]["enabled"]
    assert extensions["bpaz-lab"]["status"] == "ok"
