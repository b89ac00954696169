"""Signing what is sent, as Standard Webhooks has it (standardwebhooks.com, version 1)."""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256

PREFIX = "whsec_"
"""What the text of a secret begins with; base64 follows."""

LEAST, MOST = 24, 64
"""Bytes of a secret, as the specification wants them."""


class NotASecret(ValueError):
    """The text is none of a secret. It says nothing of it."""

    def __init__(self) -> None:
        super().__init__(
            f"it is not {PREFIX} and {LEAST} to {MOST} random bytes in base64: make one with "
            f"`echo {PREFIX}$(openssl rand -base64 32)`"
        )


def keys_of(text: str) -> tuple[bytes, ...]:
    """The keys in the text of a secret; of several, with blanks in between, the newest first.

    A receiver takes a message that is signed with one that it knows, so a secret is changed by
    naming the new one in front of the old one for a while. Raises NotASecret.
    """
    keys = tuple(map(_key, text.split()))
    if not keys:
        raise NotASecret
    return keys


def signature_of(keys: Sequence[bytes], id_: str, seconds: int, body: bytes) -> str:
    """The field `webhook-signature` of a message: its id, when it is sent (seconds since 1970)."""
    signed = b"%b.%d.%b" % (id_.encode(), seconds, body)
    return " ".join(f"v1,{b64encode(hmac.digest(key, signed, sha256)).decode()}" for key in keys)


def _key(text: str) -> bytes:
    try:
        key = b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise NotASecret from None
    if not LEAST <= len(key) <= MOST:
        raise NotASecret
    return key
