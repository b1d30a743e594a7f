from __future__ import annotations

import io

import pytest

from bpaz_lab import InputError, Workflow
from bpaz_lab.__main__ import main
from bpaz_lab.cli_answers import answers

pytestmark = pytest.mark.unit


@pytest.fixture
def letter(tmp_path):
    """A workflow that asks before it sends."""
    wf = Workflow("Letter")
    draft = wf.add("PromptTemplate", id="draft", template="Dear {name}")
    fields = [{"name": "stars", "kind": "integer", "help": "From 1 to 5."}]
    ask = wf.add("HumanApproval", id="ask", question="Send it?", edit=True, fields=fields)
    sent = wf.add("PromptTemplate", id="sent", template="sent: {text}")
    draft >> ask
    wf.connect(ask["approved"], sent["text"])
    wf.connect(sent["text"], wf.add("ChatOutput", id="out")["text"])
    return str(wf.save(tmp_path / "letter.bpaz"))


class Typist(io.StringIO):
    """Somebody who types."""

    def isatty(self):
        return True


def test_an_option_answers(letter, capsys):
    command = ["run", letter, "-i", "name=Ada", "-a", "ask.approve=true", "-a", "ask.value=Hello"]
    assert main(command) == 0
    assert capsys.readouterr().out == "sent: Hello\n"


def test_somebody_types_the_answer(letter, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", Typist("perhaps\ny\nHello Ada\n\n5\n"))
    assert main(["run", letter, "-i", "name=Ada", "-q"]) == 0
    told = capsys.readouterr()
    assert told.out == "sent: Hello Ada\n"
    assert "ask asks: Send it?\nDear Ada\n" in told.err
    assert "Approve (y/n)" in told.err


@pytest.mark.parametrize("typed", ["", "y\n"])
def test_nobody_there_is_told_how_to_answer(letter, capsys, monkeypatch, typed):
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert main(["run", letter, "-i", "name=Ada", "-q"]) == 1
    told = capsys.readouterr().err
    assert "ask asks: Send it?" in told
    assert "--answer ask.approve=..." in told


def test_an_answer_that_does_not_fit_is_told(letter, capsys):
    assert main(["run", letter, "-i", "name=Ada", "-q", "-a", "ask.approve=perhaps"]) == 1
    assert "approve is a boolean" in capsys.readouterr().err


def test_answers_by_address():
    assert answers(["each[0]/ask.approve=true", "each[0]/ask.stars=3"]) == {
        "each[0]/ask": {"approve": True, "stars": 3}
    }
    for told in ("ask", "approve=true", ".x=1", "ask.=1"):
        with pytest.raises(InputError, match="is no answer"):
            answers([told])


def test_a_budget_and_a_cache_on_disk(letter, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("BPAZ_CACHE_DIR", str(tmp_path / "cache"))
    command = ["run", letter, "-i", "name=Ada", "-a", "ask.approve=true", "--cache", "disk"]
    assert main([*command, "--max-tokens", "100", "--max-cost", "1"]) == 0
    assert main([*command, "--max-tokens", "-1"]) == 1
    assert "a budget's tokens is a number greater than 0" in capsys.readouterr().err
