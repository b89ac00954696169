"""The files as they were at a date: python tree_at.py 2021-06-01T00:00:00Z.

Each item is its own TimeGate (RFC 7089): asked with Accept-Datetime, it leads to the version that
was current then.
"""

import os
import sys
from collections.abc import Iterator
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import quote

import httpx

STORE = os.environ.get("STORE", "http://localhost:8000")


def all_paths(store: httpx.Client) -> Iterator[str]:
    """Every file that there ever was, also those that were deleted."""
    seen: set[str] = set()
    page = "/events?source=/files&type=ItemCreated"
    while page:
        answer = store.get(page).raise_for_status()
        for event in answer.json():
            if event["subject"] not in seen:
                seen.add(event["subject"])
                yield event["subject"]
        page = answer.links.get("next", {}).get("url", "")


def as_of(store: httpx.Client, path: str, date: datetime) -> httpx.Response | None:
    """The version that was current at the date; None where there was none."""
    then = {"Accept-Datetime": format_datetime(date, usegmt=True)}
    answer = store.get(f"/files/{quote(path, safe='')}", headers=then)
    if answer.status_code == httpx.codes.NOT_FOUND:  # it was deleted then
        return None
    since = parsedate_to_datetime(answer.raise_for_status().headers["Memento-Datetime"])
    return answer if since <= date else None  # before the first version it leads to the first


def main(date: datetime) -> None:
    """Prints a line for each file: how long it was, whose change was the last, and its path."""
    with httpx.Client(base_url=STORE, follow_redirects=True) as store:
        for path in sorted(all_paths(store)):
            if answer := as_of(store, path, date):
                file = answer.json()
                print(f"{len(file['text']):6}  {file['author']:8}  {path}")


if __name__ == "__main__":
    main(datetime.fromisoformat(sys.argv[1]))
