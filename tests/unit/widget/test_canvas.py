from __future__ import annotations

import pytest

from bpaz_lab.widget.canvas import STATIC, Canvas
from tests.support.flows import one

pytestmark = [
    pytest.mark.unit,
    pytest.mark.skipif(not (STATIC / "widget.js").exists(), reason="the front end is not built"),
]


def test_the_output_of_a_node_shows_in_the_output_area_and_no_trait_holds_the_workflow(wf):
    wf.put(one, "a")
    canvas = Canvas(wf)
    wf.run()
    canvas._receive(canvas, {"type": "show", "node": "a", "port": "result"}, [])
    (shown,) = canvas.output.outputs
    assert shown["data"]["text/plain"] == "1"
    assert not {"document", "nodes", "edges"} & set(canvas.trait_names())
    canvas.close()
    wf.put(one, "b")
    assert not wf.history._listeners
