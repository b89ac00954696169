"""The header fields of answers, as the OpenAPI document has them."""

from __future__ import annotations

from itemstore.api.openapi.schemas import EVENT_TYPE, Description


def _header(description: str, example: str, kind: str = "string") -> Description:
    return {"description": description, "schema": {"type": kind}, "example": example}


HEADERS = {
    "ETag": _header("Of an item its version, quoted: a strong entity tag.", '"3"'),
    "Last-Modified": _header(
        "The time of the event that made it.", "Mon, 23 Nov 2026 08:09:06 GMT"
    ),
    "Memento-Datetime": _header(
        "The time of the version (RFC 7089).", "Mon, 23 Nov 2026 08:09:06 GMT"
    ),
    "Event-Id": _header(
        "The position of the appended event in the log; of several partitions, with `@` and its "
        "own.",
        "1795421346123-0",
    ),
    "Position": _header(
        "Of a query: the event that the answer is as of; a later one may be missing. In a store "
        "of several partitions a cursor: the last event of each. Of a page of events in such a "
        "store: the cursor after it.",
        "1795421346123-0",
    ),
    "Log-Id": _header("Which log it is; another one has another id.", "5f0c1a9be27d4386"),
    "Event-Type": {"description": "The type of the appended event.", "schema": EVENT_TYPE},
    "Location": _header("The URL of what was created, or of what to look at.", "/items/foo"),
    "Content-Location": _header("The URL of the item in the body.", "/items/foo"),
    "Preference-Applied": _header(
        "The preference that was honoured: return=minimal, return=representation or explain.",
        "return=minimal",
    ),
    "Link": _header(
        "Where to go on: the next page, the item's versions.", '</items?after=Zm9v>; rel="next"'
    ),
    "Retry-After": {
        "description": "Seconds after which to try again.",
        "schema": {"type": "integer"},
        "example": 1,
    },
    "WWW-Authenticate": _header("How to authenticate (RFC 6750).", 'Bearer realm="itemstore"'),
    "Accept": _header("The media types that are read here.", "application/json"),
}
