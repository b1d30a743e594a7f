from __future__ import annotations

import pytest

from bpaz_lab.api.runs.moment import Moment
from bpaz_lab.engine.events import Failure
from bpaz_lab.engine.reading import NodeOutputs
from bpaz_lab.guard.mask import Masker

pytestmark = pytest.mark.unit


def test_it_is_shown_as_text_and_as_html():
    moment = Moment("draft", "finished", {"name": "Ada"}, NodeOutputs("draft", {"text": "<b>hi</b>"}), 0.02)
    assert repr(moment) == "draft: finished\n  name -> 'Ada'\n  text <- '<b>hi</b>'"
    shown = moment._repr_html_()
    assert "&lt;b&gt;hi&lt;/b&gt;" in shown
    assert "<b>hi" not in shown
    assert "20 ms" in shown


def test_a_failure_is_shown():
    failure = Failure("node_failed", "no <luck>")
    moment = Moment("a", "failed", {}, NodeOutputs("a", {}), error=failure, why="tried twice")
    assert repr(moment) == "a: failed (tried twice)\n  no <luck>"
    assert "no &lt;luck&gt;" in moment._repr_html_()


def test_secrets_of_the_run_do_not_show():
    masker = Masker()
    masker.add("s3cret-value")
    moment = Moment("a", "finished", {}, NodeOutputs("a", {"key": "x s3cret-value"}), masker=masker)
    assert "s3cret" not in repr(moment) + moment._repr_html_()


def test_a_wrong_output_says_which_there_are():
    moment = Moment("a", "finished", {}, NodeOutputs("a", {"text": 1}))
    with pytest.raises(KeyError, match="text"):
        moment["tex"]
