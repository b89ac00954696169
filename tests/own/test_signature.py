"""Signatures, as the specification of Standard Webhooks has them."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from hashlib import sha256

import pytest

from itemstore.projections.own.signature import NotASecret, keys_of, signature_of

SECRET = "whsec_" + b64encode(bytes(range(32))).decode()


def test_what_is_signed_is_id_time_and_body_with_dots_in_between() -> None:
    """With HMAC-SHA256, in base64, behind the version."""
    signature = signature_of(keys_of(SECRET), "1-0@3", 1_614_265_330, b'{"a": 1}')
    signed = b'1-0@3.1614265330.{"a": 1}'
    expected = hmac.new(bytes(range(32)), signed, sha256).digest()
    assert signature.startswith("v1,")
    assert b64decode(signature.removeprefix("v1,")) == expected


def test_a_secret_is_changed_by_signing_with_both_for_a_while() -> None:
    """A receiver takes what is signed with one that it knows."""
    other = "whsec_" + b64encode(b"x" * 24).decode()
    both = signature_of(keys_of(f"{other} {SECRET}"), "1-0", 1, b"{}").split()
    assert both == [signature_of(keys_of(each), "1-0", 1, b"{}") for each in (other, SECRET)]


@pytest.mark.parametrize(
    "text", ["", "  ", "whsec_", "whsec_short", "whsec_!!!", "whsec_" + "A" * 1000]
)
def test_what_is_no_secret_is_refused_without_saying_it(text: str) -> None:
    """The sentence says how to make one."""
    with pytest.raises(NotASecret, match="openssl rand -base64 32") as refused:
        keys_of(text)
    assert text.strip() in {"", "whsec_"} or text not in str(refused.value)
