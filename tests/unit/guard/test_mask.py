from __future__ import annotations

import base64
import json
import re
import threading
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpaz_lab.guard.mask import Masker
from bpaz_lab.guard.secret import Secret

pytestmark = pytest.mark.unit

KEY = 'p@ss/w+rd "quoted" \\ & é\n?=~*'


FORMS = {
    "plain": KEY,
    "url": quote(KEY),
    "url, slash too": quote(KEY, safe=""),
    "url as a form sends it": quote_plus(KEY),
    "url as encodeURIComponent writes it": quote(KEY, safe="!'()*"),
    "url in lower case": re.sub("%..", lambda found: found.group().lower(), quote(KEY, safe="")),
    "hex": KEY.encode().hex(),
    "HEX": KEY.encode().hex().upper(),
    "json": json.dumps(KEY)[1:-1],
    "json with characters as they are": json.dumps(KEY, ensure_ascii=False)[1:-1],
    "json with its slashes escaped": json.dumps(KEY)[1:-1].replace("/", "\\/"),
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(KEY.encode()).decode(),
    "base64 without padding": base64.b64encode(KEY.encode()).decode().rstrip("="),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_each_form_is_masked_whole(form):
    assert Masker([KEY]).text(f"before {form} after {form}") == "before ••• after •••"


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("before", ["", "u", "us", "use", "user:"])
@pytest.mark.parametrize("after", ["", "x", "xy"])
def test_base64_is_found_at_every_alignment(encode, before, after):
    key = "k9>?~k9>?~canary"
    text = encode(f"{before}{key}{after}".encode()).decode()
    masked = Masker([key]).text(text)
    assert "•••" in masked
    # At most the characters shared with a neighbour stay, and they hold less than one byte each.
    assert len(masked.replace("•••", "")) <= len(base64.b64encode((before + after).encode())) + 4


def test_values_are_masked_to_their_keys_and_numbers():
    masked = Masker(["hunter22", "1234567"]).value(
        {"hunter22": ["hunter22", ("x", {"a": "hunter22!"})], "n": 12345678, "m": 5, "b": True, "z": None}
    )
    assert masked == {"•••": ["•••", ["x", {"a": "•••!"}]], "n": "•••8", "m": 5, "b": True, "z": None}
    assert Masker().value({"key": Secret("hunter22")}) == {"key": "•••"}


def test_keys_that_mask_to_the_same_are_both_kept():
    assert sorted(Masker(["aaaa", "bbbb"]).value({"aaaa": 1, "bbbb": 2}).values()) == [1, 2]


def test_overlapping_secrets_leave_nothing_over():
    assert Masker(["abcd", "cdefgh"]).text("-abcdefgh-") == "-•••-"
    assert Masker(["token", "token-long"]).text("token-long token") == "••• •••"


def test_secrets_too_short_to_be_keys_are_ignored():
    masker = Masker(["abc", ""])
    assert masker.text("abc") == "abc"
    masker.add(Secret("abcd"))
    assert masker.text("abcd") == "•••"


def test_a_split_secret_is_masked_in_a_stream():
    stream = Masker(["open sesame"]).stream()
    shown = [stream.feed(piece) for piece in "say open sesame now, open the door"]
    assert "".join(shown) + stream.flush() == "say ••• now, open the door"
    assert stream.flush() == ""


def test_a_stream_holds_back_no_more_than_needed():
    stream = Masker(["zebra-stripes"]).stream()
    assert stream.feed("nothing to hide.") == "nothing to hide."
    assert stream.feed("a zeb") == "a "
    assert stream.feed("u") == "zebu"
    assert stream.feed("zebra-stripes") == "•••"


def test_a_secret_added_meanwhile_is_masked_in_an_open_stream():
    masker = Masker()
    stream = masker.stream()
    assert stream.feed("hunter22 ") == "hunter22 "
    masker.add("hunter22")
    assert stream.feed("hunter22 ") == "••• "


@given(
    st.lists(st.text("ab+/", min_size=4, max_size=6), max_size=3),
    st.lists(st.text("ab+/%2FY", max_size=8), max_size=12),
)
def test_the_pieces_of_a_stream_are_the_masked_text(secrets, pieces):
    masker = Masker(secrets)
    stream = masker.stream()
    streamed = "".join(stream.feed(piece) for piece in pieces) + stream.flush()
    assert streamed == masker.text("".join(pieces))
    assert not any(secret in streamed for secret in secrets)


def test_secrets_can_be_added_from_many_threads():
    masker = Masker()
    names = [f"secret-number-{i}" for i in range(200)]
    threads = [
        threading.Thread(target=lambda part: [masker.add(n) for n in part], args=(names[i::8],))
        for i in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert masker.text(" ".join(names)).split() == ["•••"] * len(names)
