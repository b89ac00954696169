"""What `token create` is told of a token's scope and of its end, and how both are shown."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from itemstore.cli.errors import Stop
from itemstore.cli.terminal_text import escaped

if TYPE_CHECKING:
    from itemstore.store.scope import Scope
    from itemstore.store.store import Store
    from itemstore.store.tokens import Token

_DURATION = re.compile("([0-9]{1,9})(m|h|d|w)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def scope_from(collections: Sequence[str], prefixes: Sequence[str]) -> Scope:
    """The scope that --collection and --prefix name. Raises Stop."""
    from itemstore.domain.ids import InvalidItemId, prefix_of
    from itemstore.store import scope
    from itemstore.store.named_collections import NAME, RESERVED

    row: dict[str, list[str]] = {}
    for name in collections:
        if not NAME.fullmatch(name):
            message = f"--collection takes lower-case letters, digits and dashes, not {name!r}."
            raise Stop(message)
        if name in RESERVED:
            message = f"--collection names {name!r}, which is a path of the API and no collection."
            raise Stop(message)
    if collections:
        row["collections"] = list(collections)
    if prefixes:
        try:
            row["prefixes"] = [prefix_of(os.fsencode(each)) for each in prefixes]
        except InvalidItemId as error:
            message = f"--prefix takes what ids begin with. {error.reason}"
            raise Stop(message) from None
    for name, most in (("collections", scope.MOST_COLLECTIONS), ("prefixes", scope.MOST_PREFIXES)):
        if len(row.get(name, ())) > most:
            message = f"A token has at most {most} {name}, and not {len(row[name])}."
            raise Stop(message)
    return scope.scope_of(row)


def missing_from(store: Store, scope: Scope) -> str:
    """What is to be said of collections that the store does not have: a name may be misspelt."""
    missing = sorted((scope.collections or frozenset()) - set(store.collections))
    if not missing:
        return ""
    there = ", ".join(store.collections)
    return f"The store has no collection {', '.join(missing)} so far. It has {there}."


def expiry_from(text: str, now: datetime) -> datetime:
    """The time that --expires names: itself, or as a while from now. Raises Stop."""
    from itemstore.store.tokens import parse_time, time_text

    duration = _DURATION.fullmatch(text)
    try:
        if duration:
            time = now + timedelta(**{_UNITS[duration[2]]: int(duration[1])})
        else:
            time = parse_time(text)
    except OverflowError:
        message = f"--expires {text} is after the year 9999; without it a token never expires."
        raise Stop(message) from None
    except ValueError:
        message = (
            "--expires takes a time, such as 2027-01-31T00:00:00Z, or a while, such as 30d, 12h or "
            f"90m, and not {text!r}."
        )
        raise Stop(message) from None
    time = time.replace(microsecond=0)
    if time <= now:
        message = f"--expires names {time_text(time)}, which is over: it is {time_text(now)} now."
        raise Stop(message)
    return time


def as_json(token: Token) -> dict[str, Any]:
    """What is shown of a token for machines; null for what it is not bound to."""
    return {
        "name": token.name,
        "role": token.role.name,
        "created": token.created,
        **bounds_as_json(token.scope, token.expires),
        "expired": token.is_expired,
    }


def bounds_as_json(scope: Scope, expires: datetime | None) -> dict[str, Any]:
    """A token's scope and end for machines; null for what it is not bound to."""
    from itemstore.store.tokens import time_text

    row = scope.as_dict()
    return {
        "collections": row.get("collections"),
        "prefixes": row.get("prefixes"),
        "expires": None if expires is None else time_text(expires),
    }


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
