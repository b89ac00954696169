"""What somebody says that a new token is to be bound to, and when it is to end; how both are shown.

`called` is what the person calls the value, such as `--prefix`: errors begin so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from itemstore.domain.ids import InvalidItemId, prefix_of
from itemstore.eventlog.excerpts import quoted
from itemstore.store import scope
from itemstore.store.named_collections import NAME, RESERVED
from itemstore.store.scope import Scope, scope_of
from itemstore.store.store import Store
from itemstore.store.tokens import NAME as TOKEN_NAME
from itemstore.store.tokens import Token, parse_time, time_text

_DURATION = re.compile("([0-9]{1,9})(m|h|d|w)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class InvalidTerms(Exception):
    """This can't be meant; the sentence says why. `place` is where in a list it is, if in one."""

    def __init__(self, sentence: str, place: int | None = None) -> None:
        super().__init__(sentence)
        self.place = place


def check_name(name: str) -> None:
    """Raises InvalidTerms for what can't be the name of a token."""
    if not TOKEN_NAME.fullmatch(name):
        message = f"A token's name is 1 to 64 letters, digits, - or _; {quoted(name)} is not."
        raise InvalidTerms(message)


def collections_from(names: Sequence[str], called: str) -> Scope:
    """The scope of these collections; of all without. Raises InvalidTerms."""
    for place, name in enumerate(names):
        if not NAME.fullmatch(name):
            message = f"{called} takes lower-case letters, digits and dashes, not {quoted(name)}."
            raise InvalidTerms(message, place)
        if name in RESERVED:
            message = f"{called} names {name!r}, which is a path of the API and no collection."
            raise InvalidTerms(message, place)
    _check_count("collections", names, scope.MOST_COLLECTIONS)
    return scope_of({"collections": list(names)} if names else {})


def prefixes_from(prefixes: Sequence[bytes], called: str) -> Scope:
    """The scope of ids that begin with one of these; of all without. Raises InvalidTerms."""
    texts = []
    for place, each in enumerate(prefixes):
        try:
            texts.append(prefix_of(each))
        except InvalidItemId as error:
            message = f"{called} takes what ids begin with. {error.reason}"
            raise InvalidTerms(message, place) from None
    _check_count("prefixes", texts, scope.MOST_PREFIXES)
    return scope_of({"prefixes": texts} if texts else {})


def _check_count(name: str, texts: Sequence[str], most: int) -> None:
    if len(texts) > most:
        raise InvalidTerms(f"A token has at most {most} {name}, and not {len(texts)}.")


def missing_from(store: Store, wanted: Scope) -> str:
    """What is to be said of collections that the store does not have: a name may be misspelt."""
    missing = sorted((wanted.collections or frozenset()) - set(store.collections))
    if not missing:
        return ""
    there = ", ".join(store.collections)
    return f"The store has no collection {', '.join(missing)} so far. It has {there}."


def expiry_from(text: str, now: datetime, called: str) -> datetime:
    """The time that a text names: itself, or as a while from now. Raises InvalidTerms."""
    duration = _DURATION.fullmatch(text)
    try:
        if duration:
            time = now + timedelta(**{_UNITS[duration[2]]: int(duration[1])})
        else:
            time = parse_time(text)
    except OverflowError:
        message = f"{called} {text} is after the year 9999; without it a token never expires."
        raise InvalidTerms(message) from None
    except ValueError:
        message = (
            f"{called} takes a time, such as 2027-01-31T00:00:00Z, or a while, such as 30d, 12h or "
            f"90m, and not {quoted(text)}."
        )
        raise InvalidTerms(message) from None
    time = time.replace(microsecond=0)
    if time <= now:
        message = f"{called} names {time_text(time)}, which is over: it is {time_text(now)} now."
        raise InvalidTerms(message)
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


def bounds_as_json(bounds: Scope, expires: datetime | None) -> dict[str, Any]:
    """A token's scope and end for machines; null for what it is not bound to."""
    row = bounds.as_dict()
    return {
        "collections": row.get("collections"),
        "prefixes": row.get("prefixes"),
        "expires": None if expires is None else time_text(expires),
    }
