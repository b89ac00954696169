"""What a follower does with whatever it meets, without a socket: outcomes go in by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from itemstore.client import (
    ConnectionFailed,
    Event,
    Forbidden,
    Gone,
    OtherLog,
    Retries,
    StoreError,
    Unauthorized,
    Unavailable,
    UnexpectedAnswer,
)
from itemstore.client.bodies import plain
from itemstore.client.events import Events, Which, wanted
from itemstore.client.exchange import Answer, Give, Open, Read, Request, Sleep

STREAM = Answer(200, {"content-type": "text/event-stream", "log-id": "5f0c1a9be27d4386"})

CUT = ConnectionFailed("cut")


def event(number: int, cursor: str | None = None) -> bytes:
    """An event as the stream has it."""
    said = {
        "id": f"{number}-0",
        "type": "ItemDeleted",
        "subject": "fox",
        "source": "/items",
        "time": "2026-11-23T09:17:31.565Z",
        "itemversion": number,
    }
    return f"id: {cursor or said['id']}\ndata: {json.dumps(said)}\n\n".encode()


def refusal(status: int, slug: str, **members: Any) -> Answer:
    """What a store refuses with."""
    return Answer(status, {}, json.dumps({"type": f"/problems/{slug}", **members}).encode())


class Followed:
    """A follower that meets outcomes: None is the end of a stream, or of the whole."""

    def __init__(self, *outcomes: Answer | bytes | ConnectionFailed | None, **which: Any) -> None:
        self.came: list[str | None] = []
        self.asked: list[Request] = []
        self.waited: list[float] = []
        self.logs: set[str | None] = set()
        self.failure: StoreError | None = None
        give_up_after = which.pop("give_up_after", None)
        terms: Which = which  # type: ignore[assignment]  # the names are those of Which
        retries = Retries(first_wait=1.0, longest_wait=8.0)
        course = Events(plain(), retries).follow(wanted("items", **terms), 45.0, give_up_after)
        try:
            self._drive(course, iter(outcomes))
        except StoreError as failure:
            self.failure = failure

    def _drive(self, course: Any, outcomes: Iterator[Any]) -> None:
        outcome = None
        while True:
            try:
                step = course.send(outcome)
                outcome = None
                match step:
                    case Open(request):
                        self.asked.append(request)
                        outcome = next(outcomes)
                    case Read():
                        outcome = next(outcomes)
                    case Sleep(seconds):
                        self.waited.append(seconds)
                    case Give(Event() as given):
                        self.came.append(given.position)
                        self.logs.add(given.log)
            except StopIteration:
                return

    def query(self, number: int) -> dict[str, list[str]]:
        """The parameters of a request that it made."""
        return parse_qs(urlsplit(self.asked[number].path).query)


def test_it_goes_on_after_the_last_event_that_came_whole() -> None:
    """In the log that the stream was of."""
    followed = Followed(STREAM, event(1) + event(2)[:40], CUT, STREAM, event(2), None)
    assert followed.came == ["1-0", "2-0"]
    assert followed.query(0) == {"source": ["/items"]}
    assert followed.query(1) == {
        "source": ["/items"],
        "after": ["1-0"],
        "log": ["5f0c1a9be27d4386"],
    }
    assert followed.logs == {"5f0c1a9be27d4386"}


def test_the_place_in_several_partitions_is_the_streams_id() -> None:
    """And not that of the event."""
    followed = Followed(STREAM, event(1, cursor="vAbc"), None, STREAM, None)
    assert followed.came == ["vAbc"]
    assert followed.query(1)["after"] == ["vAbc"]


def test_it_begins_where_it_is_told_to() -> None:
    """After a position, in the log that this is of."""
    query = Followed(after="7-0", log="abc", type="ItemDeleted", item_id="a b").query(0)
    assert query == {
        "source": ["/items"],
        "after": ["7-0"],
        "log": ["abc"],
        "type": ["ItemDeleted"],
        "item": ["a b"],
    }


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal(401, "unauthorized"), Unauthorized),
        (refusal(403, "forbidden"), Forbidden),
        (refusal(409, "other-log", log="abc", end="7-0"), OtherLog),
        (refusal(410, "gone"), Gone),
        (Answer(200, {"content-type": "text/html"}), UnexpectedAnswer),
    ],
)
def test_what_does_not_pass_ends_it(answer: Answer, kind: type[StoreError]) -> None:
    """At the first request, and at a later one."""
    assert type(Followed(answer).failure) is kind
    later = Followed(STREAM, event(1), CUT, answer)
    assert (type(later.failure), later.came) == (kind, ["1-0"])


def test_it_ends_where_it_is_told_that_there_is_nothing() -> None:
    """204, as an EventSource does."""
    followed = Followed(Answer(204, {}))
    assert (followed.failure, len(followed.asked)) == (None, 1)


def test_it_comes_again_as_soon_as_the_stream_said() -> None:
    """And not all readers at once."""
    [waited, *_] = Followed(STREAM, b"retry: 6000\n\n" + event(1), None).waited
    assert 3.0 <= waited <= 6.0


def test_it_comes_ever_more_slowly_while_nothing_comes() -> None:
    """And no sooner than it was told."""
    waited = Followed(CUT, Answer(503, {"retry-after": "20"}), *4 * [CUT]).waited
    assert 0.5 <= waited[0] <= 1.0
    assert 21.0 <= waited[1] <= 22.0
    assert all(4.0 <= each <= 8.0 for each in waited[3:])
    afterwards = Followed(*3 * [CUT], STREAM, b": still here\n\n", CUT).waited
    assert afterwards[3] <= 1.0


def test_it_gives_up_when_it_was_told_to() -> None:
    """With the last thing that it met."""
    assert Followed(CUT, give_up_after=0.1).failure is CUT
    assert isinstance(Followed(Answer(503, {}), give_up_after=0.1).failure, Unavailable)
    ended = Followed(STREAM, event(1), None, give_up_after=0.1)
    assert (type(ended.failure), ended.came) == (ConnectionFailed, ["1-0"])
