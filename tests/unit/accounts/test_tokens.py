from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from uuid import UUID, uuid4

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpaz_lab.accounts.tokens import Tokens, hashed, session_of
from bpaz_lab.errors import Unauthenticated
from bpaz_lab.settings import Settings

pytestmark = [pytest.mark.unit, pytest.mark.auth]

KEY, OLD, FOREIGN = b"k" * 32, b"o" * 32, b"f" * 32
USER, LOGIN = UUID(int=1), UUID(int=2)  # fixed: tests are named by them
RING = Tokens([KEY, OLD], Settings())
PUBLIC_RSA = (
    "-----BEGIN PUBLIC KEY-----\n"
    "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAK5tHn0sHL0nYfBvAKzWxHhDqEhyFaBP\n"
    "-----END PUBLIC KEY-----\n"
)


def kid(key):
    return hashlib.sha256(key).hexdigest()[:16]


def coded(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims(**changes):
    now = int(time.time())
    good = {"iss": "bpaz_lab", "aud": "bpaz_lab/api", "sub": str(USER), "sid": str(LOGIN),
            "jti": "1", "iat": now, "exp": now + 1800}  # fmt: skip
    return {name: value for name, value in (good | changes).items() if value is not ...}


def forged(header=None, key=KEY, digest="sha256", **changes):
    """A token made by hand, so that it may be anything."""
    head = {"alg": "HS256", "typ": "JWT", "kid": kid(KEY)} | (header or {})
    body = f"{coded({k: v for k, v in head.items() if v is not ...})}.{coded(claims(**changes))}"
    return f"{body}.{coded(hmac.digest(key, body.encode(), digest))}"


def test_a_token_says_who_and_by_which_login():
    told = RING.read(RING.issue(USER, LOGIN))
    assert (told.user_id, told.session_id) == (USER, LOGIN)
    assert told.expires - time.time() == pytest.approx(1800, abs=5)


def test_a_forged_token_with_nothing_wrong_is_taken():
    """Else what follows would show nothing."""
    assert RING.read(forged()).user_id == USER


def test_no_two_tokens_are_the_same():
    assert RING.issue(USER, LOGIN, now=1e9) != RING.issue(USER, LOGIN, now=1e9)


def test_a_key_that_is_no_longer_the_first_is_still_accepted_and_no_longer_signs():
    assert RING.read(Tokens([OLD], Settings()).issue(USER, LOGIN)).user_id == USER
    assert jwt.get_unverified_header(RING.issue(USER, LOGIN))["kid"] == kid(KEY)


good = RING.issue(USER, LOGIN)
head, body, signature = good.split(".")
now = int(time.time())

CORPUS = {
    "empty": "",
    "words": "not a token",
    "dots": "...",
    "two parts": f"{head}.{body}",
    "no signature": f"{head}.{body}.",
    "truncated": good[:-1],
    "longer": good + "A",
    "much too long": forged(jti="x" * 5000),
    "not ascii": good[:-1] + "é",
    "alg none": f"{coded({'alg': 'none', 'typ': 'JWT', 'kid': kid(KEY)})}.{body}.",
    "alg None signed": forged({"alg": "None"}),
    "alg NONE": f"{coded({'alg': 'NONE', 'kid': kid(KEY)})}.{body}.{signature}",
    "alg missing": forged({"alg": ...}),
    "alg HS384": forged({"alg": "HS384"}, digest="sha384"),
    "alg HS512": forged({"alg": "HS512"}, digest="sha512"),
    "alg lower case": forged({"alg": "hs256"}),
    "alg RS256, signed as HS": forged({"alg": "RS256"}),
    "public key as secret": forged(key=PUBLIC_RSA.encode()),
    "kid missing": forged({"kid": ...}),
    "kid unknown": forged({"kid": "0" * 16}),
    "kid of another key": forged({"kid": kid(OLD)}),
    "kid a path": forged({"kid": "../../dev/null"}, key=b""),
    "kid SQL": forged({"kid": "' UNION SELECT 'k'--"}, key=b"k"),
    "kid no string": forged({"kid": 1}),
    "kid a list": forged({"kid": [kid(KEY)]}),
    "own key in the header": forged({"jwk": {"kty": "oct", "k": coded(FOREIGN)}}, key=FOREIGN),
    "key by address": forged({"jku": "https://example.org/keys"}, key=FOREIGN),
    "another header, well signed": forged({"x5u": "https://example.org/cert"}),
    "crit": forged({"crit": ["exp"]}),
    "header no object": f"{coded([1])}.{body}.{signature}",
    "header no JSON": f"{coded(b'{')}.{body}.{signature}",
    "signed by another ring": Tokens([FOREIGN], Settings()).issue(USER, LOGIN),
    "signed by another ring, our kid": forged(key=FOREIGN),
    "body of another": f"{head}.{coded(claims(sub=str(uuid4())))}.{signature}",
    "ended": forged(iat=now - 4000, exp=now - 60),
    "made in the future": forged(iat=now + 600, exp=now + 1800),
    "not yet": forged(nbf=now + 600),
    "other issuer": forged(iss="somebody"),
    "issuer a list": forged(iss=["bpaz_lab"]),
    "other audience": forged(aud="somebody/api"),
    "several audiences": forged(aud=["bpaz_lab/api", "other"]),
    "audience a list": forged(aud=["bpaz_lab/api"]),
    "another claim": forged(role="admin"),
    "sub no id": forged(sub="admin"),
    "sub no string": forged(sub=1),
    "sid no id": forged(sid="x"),
    "sid null": forged(sid=None),
    "jti no string": forged(jti=1),
    "exp no number": forged(exp="tomorrow"),
    "exp null": forged(exp=None),
    "exp infinite": forged(exp=1e400),
    **{f"without {name}": forged(**{name: ...}) for name in claims()},
}


@pytest.mark.parametrize("case", CORPUS)
def test_what_is_not_a_good_token_is_refused(case):
    with pytest.raises(Unauthenticated):
        RING.read(CORPUS[case])


@given(
    st.text(max_size=200)
    | st.builds(lambda *parts: ".".join(map(coded, parts)), *[st.binary(max_size=60)] * 3)
)
def test_nothing_that_is_made_up_is_taken_or_breaks_anything(text):
    with pytest.raises(Unauthenticated):
        RING.read(text)


@given(st.integers(0, len(good) - 1), st.sampled_from("AZaz09-_."))
def test_a_token_with_another_letter_is_refused(place, letter):
    changed = good[:place] + letter + good[place + 1 :]
    # The last letter of base64 has bits that mean nothing: a change there leaves the same bytes.
    if changed != good and _bytes(changed) != _bytes(good):
        with pytest.raises(Unauthenticated):
            RING.read(changed)


def _bytes(token):
    try:
        return [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")]
    except ValueError:
        return None


def test_a_refresh_token_names_its_login_and_256_bits():
    first, second = RING.refresh_token(LOGIN), RING.refresh_token(LOGIN)
    assert first != second
    assert session_of(first) == session_of(second) == LOGIN
    secret = first.partition(".")[2]
    assert len(base64.urlsafe_b64decode(secret + "=")) == 32


def test_the_next_refresh_token_is_known_to_the_server_alone():
    first = RING.refresh_token(LOGIN)
    following = RING.next_refresh_token(first)
    assert following == RING.next_refresh_token(first) != first
    assert session_of(following) == LOGIN
    assert following != Tokens([FOREIGN], Settings()).next_refresh_token(first)


@pytest.mark.parametrize(
    "text", ["", "x", "." * 76, "0" * 76, f"{'z' * 32}.{'A' * 43}", f"{LOGIN}.{'A' * 43}"]
)
def test_what_does_not_look_like_a_refresh_token_names_no_login(text):
    assert session_of(text) is None


def test_kept_is_a_hash():
    assert hashed("x") == hashlib.sha256(b"x").hexdigest()
    assert len(hashed("\udc80")) == 64
