"""Conditions under which a write happens, in words, and the header fields that they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, TypedDict

from itemstore.client.answers import ItemVersion

Versions = int | ItemVersion[Any] | Sequence[int | ItemVersion[Any]]
"""A version by its number, or as it was read; or several."""


class Conditions(TypedDict, total=False):
    """When a write is to happen; else it is refused with PreconditionFailed, and nothing changes.

    `if_match`: only where the item is at this version, or at one of these. `if_none_match`: only
    where it is at none of these. `if_present`: only where it exists, `if_absent`: only where not.
    `if_unmodified_since`: only where it has not been written since; to the second.
    """

    if_match: Versions | None
    if_none_match: Versions | None
    if_present: bool
    if_absent: bool
    if_unmodified_since: datetime | None


class Writing(Conditions, total=False):
    """The same, and under which key: one is made where none is given."""

    idempotency_key: str | None


def tags(versions: Versions) -> str:
    """Entity tags of versions, as a list."""
    each = [versions] if isinstance(versions, int | ItemVersion) else versions
    numbers = (one.version if isinstance(one, ItemVersion) else one for one in each)
    return ", ".join(f'"{number}"' for number in numbers)


def condition_fields(
    *,
    if_match: Versions | None = None,
    if_none_match: Versions | None = None,
    if_present: bool = False,
    if_absent: bool = False,
    if_unmodified_since: datetime | None = None,
) -> dict[str, str]:
    """The header fields. Raises ValueError for conditions that can't stand together."""
    if if_present and if_match is not None:
        raise ValueError("if_match says already that the item is present: leave out if_present.")
    if if_absent and (if_none_match is not None or if_present or if_match is not None):
        raise ValueError("if_absent stands alone: an item that is absent is at no version.")
    fields = {}
    if if_present or if_match is not None:
        fields["if-match"] = "*" if if_match is None else tags(if_match)
    if if_absent or if_none_match is not None:
        fields["if-none-match"] = "*" if if_none_match is None else tags(if_none_match)
    if if_unmodified_since is not None:
        fields["if-unmodified-since"] = http_date(if_unmodified_since)
    return fields


def http_date(moment: datetime) -> str:
    """A date as HTTP has it. Raises ValueError where the moment has no time zone."""
    if moment.tzinfo is None:
        raise ValueError("The moment has no time zone: datetime(2026, 1, 31, tzinfo=UTC) has one.")
    return format_datetime(moment.astimezone(UTC), usegmt=True)
