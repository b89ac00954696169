"""What `token create` is told of a token's scope and of its end, and how both are shown."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from itemstore.cli.errors import MISUSED, Stop
from itemstore.logs.terminal_text import escaped

if TYPE_CHECKING:
    from itemstore.store.scope import Scope
    from itemstore.store.tokens import Token


def scope_from(collections: Sequence[str], prefixes: Sequence[str]) -> Scope:
    """The scope that --collection and --prefix name. Raises Stop."""
    from itemstore.store import token_terms

    with _stopping():
        of_collections = token_terms.collections_from(collections, "--collection")
        of_ids = token_terms.prefixes_from([os.fsencode(each) for each in prefixes], "--prefix")
    return replace(of_collections, prefixes=of_ids.prefixes)


def expiry_from(text: str, now: datetime) -> datetime:
    """The time that --expires names: itself, or as a while from now. Raises Stop."""
    from itemstore.store import token_terms

    with _stopping():
        return token_terms.expiry_from(text, now, "--expires")


@contextmanager
def _stopping() -> Iterator[None]:
    from itemstore.store.token_terms import InvalidTerms

    try:
        yield
    except InvalidTerms as error:
        raise Stop(str(error), MISUSED) from None


def as_words(token: Token) -> str:
    """One line for people, with nothing of what it is not bound to."""
    from itemstore.store.tokens import time_text

    words = [f"{token.name:<24}{token.role.name:<8}{token.created}"]
    if token.expires is not None:
        state = "expired" if token.is_expired else "expires"
        words.append(f"{state} {time_text(token.expires)}")
    return "  ".join([*words, *_bounds(token.scope)])


def _bounds(scope: Scope) -> Iterator[str]:
    row = scope.as_dict()
    if "collections" in row:
        yield "collections: " + ", ".join(map(escaped, row["collections"]))
    if "prefixes" in row:
        yield "prefixes: " + ", ".join(f"'{escaped(each)}'" for each in row["prefixes"])
