"""Projections that post each event to a URL, as Standard Webhooks has it."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import KW_ONLY, dataclass, field
from importlib import import_module
from importlib.util import find_spec
from urllib.parse import urlsplit

from itemstore.eventlog.partition import Partition
from itemstore.projections.own.choice import Choice
from itemstore.projections.own.follower import HandedFollower, Terms
from itemstore.projections.own.handed import Begin, Handed, check_seconds, check_terms
from itemstore.projections.own.signature import NotASecret, keys_of

TRIES = 16
"""Tries of an event before it is set aside: about an hour and a half."""

_POSTING = "itemstore.projections.own.posting"


@dataclass(frozen=True)
class WebhookProjection(Handed):
    """A projection that posts each event of some collections and types, or all, to `url`.

    A post is a CloudEvent in JSON, signed with the secret that the environment variable
    `secret_from` has; without that it is not signed. Any answer from 200 to 299 within so many
    `seconds` takes it; docs/projections.md has the table of all others. After so many tries the
    event is set aside and the next one is posted; with `give_up_after=None` it is tried for ever.
    """

    name: str
    url: str = field(repr=False)
    _: KW_ONLY
    secret_from: str | None = None
    collections: Collection[str] | None = None
    types: Collection[str] | None = None
    begin: Begin = "now"
    give_up_after: int | None = TRIES
    seconds: float = 15.0

    def __post_init__(self) -> None:
        Choice(self.collections, self.types)
        check_terms(self.begin, self.give_up_after)
        check_seconds(self.seconds)

    @property
    def terms(self) -> Terms:
        """What it wants to have posted."""
        choice = Choice(self.collections, self.types)
        return Terms(self.name, choice, self.begin == "start", self.give_up_after)

    @property
    def trouble(self) -> str | None:
        """Why it can't work with what is here, in words without a secret; None where it can."""
        if (reason := _reason_against(self.url)) is not None:
            return f"whose url is no URL of a receiver: {reason}"
        if self.secret_from is not None:
            if (text := os.environ.get(self.secret_from)) is None:
                return f"whose secret is to be in {self.secret_from}, which is not set"
            try:
                keys_of(text)
            except NotASecret as error:
                return f"whose secret, in {self.secret_from}, can't be used: {error}"
        if find_spec("httpx") is None:
            return "which needs httpx, which is not installed: pip install 'itemstore[webhooks]'"
        return None

    def follower(self, partition: Partition) -> HandedFollower:
        """What posts the events of a log."""
        secret = None if self.secret_from is None else os.environ.get(self.secret_from, "")
        keys = () if secret is None else keys_of(secret)
        posting = import_module(_POSTING).Posting(self.url, keys, self.seconds)
        return HandedFollower(
            self.terms, partition, posting.post, posting.close, seconds=self.seconds
        )


def _reason_against(url: str) -> str | None:
    """Why a URL is none of a receiver, without a piece of it: its path may be a secret."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "it can't be read"
    wrong = {
        "it begins with http:// or https://": parts.scheme not in {"http", "https"},
        "it names no host": not parts.hostname,
        "a port is a number from 1 to 65535": port == 0,
        "a name or a password in it would not be sent": "@" in parts.netloc,
        "blanks, and signs outside of ASCII, are written with %": not url.isascii()
        or any(sign.isspace() for sign in url),
    }
    return next((reason for reason, is_so in wrong.items() if is_so), None)
