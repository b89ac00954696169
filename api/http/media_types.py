"""The media types of bodies: which ones a method takes, and why another is refused (§8.3)."""

from __future__ import annotations

from functools import lru_cache

from itemstore.api.http.header_fields import members, named, text
from itemstore.api.http.problems import Problem
from itemstore.eventlog.excerpts import quoted

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"

OF_A_PATCH = (MERGE_PATCH, JSON_PATCH)

TAKEN = {
    "PUT": ((JSON,), "Accept"),
    "POST": ((JSON,), "Accept"),
    "PATCH": (OF_A_PATCH, "Accept-Patch"),
}
"""What each method takes, and the header field that names it where it was something else."""

_UTF_8 = frozenset({"utf-8", "utf8"})


@lru_cache(maxsize=64)
def checked_media_type(method: str, type_field: bytes, coding_field: bytes | None) -> str:
    """The media type that a Content-Type names, one of those that the method takes.

    Raises Problem (415) for another, for a charset besides UTF-8, and for a content coding.
    """
    taken, accept = TAKEN[method]
    content_type = text(type_field)
    media_type, charsets = _parsed(content_type)
    if media_type not in taken or not charsets <= _UTF_8:
        wanted = " or ".join(taken) + (" in UTF-8" if charsets else "")
        raise Problem(
            "unsupported-media-type",
            f"Content-Type is {quoted(content_type)}; send {wanted}." if content_type
            else f"There is no Content-Type; send {wanted}.",
            headers={accept: ", ".join(taken)},
        )  # fmt: skip
    coding = text(coding_field or b"")
    if coding and not {each.lower() for each in members(coding)} <= {"identity"}:
        raise Problem(
            "unsupported-media-type",
            f"Content-Encoding is {quoted(coding)}; send the body without a coding.",
            headers={"Accept-Encoding": "identity"},
        )
    return media_type


def _parsed(content_type: str) -> tuple[str, frozenset[str]]:
    """The media type and the charsets it names (§8.3.1).

    An empty type where it can't be read: its charset would be a guess.
    """
    media_type, parameters = named(content_type) or ("", [])
    return media_type, frozenset(value.lower() for name, value in parameters if name == "charset")
