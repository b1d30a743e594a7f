from __future__ import annotations

from base64 import b64decode

import pandas as pd
import pytest
from langchain_core.documents import Document

from bpaz_lab.guard.mask import Masker
from bpaz_lab.widget.rich import MOST, rich

pytestmark = pytest.mark.unit

SECRET = "correct-horse-battery"


def shown(value, *secrets):
    return rich(value, Masker(secrets))[0]


def test_a_table_is_html():
    assert "<table" in shown(pd.DataFrame({"x": [1]}))["text/html"]


def test_a_figure_is_a_picture():
    from matplotlib.figure import Figure

    assert b64decode(shown(Figure())["image/png"]).startswith(b"\x89PNG")


def test_text_is_plain_and_never_html():
    assert shown("<script>alert(1)</script>") == {"text/plain": "<script>alert(1)</script>"}


def test_documents_are_a_table_with_everything_escaped():
    evil = "<script>alert(1)</script>"
    html = shown([Document(evil, metadata={"score": 0.5, "source": evil})])["text/html"]
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 2
    assert "0.500" in html


def test_many_documents_are_cut():
    html = shown([Document("x")] * (MOST + 5))["text/html"]
    assert html.count("<tr>") == MOST + 1
    assert "and 5 more" in html


@pytest.mark.parametrize(
    "value", [SECRET, {"key": SECRET}, [Document(SECRET)], pd.DataFrame({"k": [SECRET]})]
)
def test_secrets_are_masked_in_every_form(value):
    told = shown(value, SECRET)
    assert SECRET not in str(told)
    assert "•••" in str(told)
