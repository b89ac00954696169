"""What is sent again and what is not, without a socket: outcomes go into the core by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from itemstore.client import ConnectionFailed, ProblemError, RateLimited, Retries, Unavailable
from itemstore.client.answers import Written
from itemstore.client.bodies import Bodies
from itemstore.client.exchange import Answer, Request, Send, Sleep
from itemstore.client.items import Items

RETRIES = Retries(attempts=4, seconds=30.0, first_wait=1.0, longest_wait=2.0)

WRITTEN = Answer(
    201,
    {
        "etag": '"1"',
        "last-modified": "Mon, 23 Nov 2026 09:17:31 GMT",
        "event-id": "1795425451565-0",
        "event-type": "ItemCreated",
    },
    b"{}",
)


def problem(status: int, slug: str, headers: Mapping[str, str] | None = None) -> Answer:
    """What a store refuses with."""
    body = {"type": f"/problems/{slug}", "status": status, "title": slug}
    return Answer(status, dict(headers or {}), json.dumps(body).encode())


def driven(*outcomes: Answer | ConnectionFailed) -> tuple[Any, list[Request], list[float]]:
    """A put that meets these outcomes: what it gives or raises, what it sent, how it waited."""
    call = Items("items", Bodies[dict[str, Any]](None), RETRIES).put("fox", {})
    left, sent, waited = [*outcomes], [], []
    outcome: Answer | ConnectionFailed | None = None
    try:
        while True:
            match call.send(outcome):
                case Send(request):
                    sent.append(request)
                    outcome = left.pop(0)
                case Sleep(seconds):
                    waited.append(seconds)
                    outcome = None
    except StopIteration as end:
        return end.value, sent, waited
    except (ConnectionFailed, ProblemError) as failure:
        return failure, sent, waited


@pytest.mark.parametrize(
    "passing",
    [
        ConnectionFailed("cut"),
        problem(503, "log-unavailable"),
        problem(503, "overloaded"),
        problem(409, "idempotency-key-in-use"),
        problem(408, "request-timeout"),
        Answer(429, {}),
        Answer(502, {}, b"<html>Bad Gateway</html>"),
        Answer(504, {}, b"null"),
    ],
    ids=str,
)
def test_what_passes_is_tried_again_under_the_same_key(passing: Answer | ConnectionFailed) -> None:
    """The same request to the letter, so that the store carries it out once."""
    given, sent, waited = driven(passing, passing, WRITTEN)
    assert isinstance(given, Written)
    assert len(sent) == 3
    assert sent[0] == sent[1] == sent[2]
    assert sent[0].idempotency_key
    assert 0.5 <= waited[0] <= 1.0 <= waited[1] <= 2.0


def test_two_writes_have_two_keys() -> None:
    """Each call is a write of its own."""
    (_, [one], _), (_, [other], _) = driven(WRITTEN), driven(WRITTEN)
    assert one.idempotency_key != other.idempotency_key


@pytest.mark.parametrize(
    "refusal",
    [
        problem(400, "malformed-json"),
        problem(401, "unauthorized"),
        problem(403, "forbidden"),
        problem(409, "patch-conflict"),
        problem(412, "unexpected-version"),
        problem(413, "content-too-large"),
        problem(422, "invalid-item"),
        problem(428, "precondition-required"),
        problem(507, "log-full"),
        Answer(500, {}),
        Answer(302, {"location": "https://elsewhere.example/"}),
    ],
    ids=lambda answer: str(answer.status),
)
def test_what_would_be_refused_again_is_not_tried_again(refusal: Answer) -> None:
    """One request, and its problem."""
    failure, sent, _ = driven(refusal)
    assert isinstance(failure, ProblemError)
    assert (failure.status, len(sent)) == (refusal.status, 1)


def test_it_comes_again_when_it_was_told_to() -> None:
    """Not before Retry-After, and not with everybody else at that moment."""
    _, _, waited = driven(problem(503, "overloaded", {"retry-after": "7"}), WRITTEN)
    assert 7.5 <= waited[0] <= 8.0


def test_it_does_not_wait_for_longer_than_it_may() -> None:
    """The failure says when to come again."""
    failure, sent, waited = driven(Answer(429, {"retry-after": "60"}))
    assert isinstance(failure, RateLimited)
    assert (failure.retry_after, len(sent), waited) == (60.0, 1, [])


def test_it_gives_up_after_its_attempts_and_says_under_which_key() -> None:
    """So that what became of the write can be learned later."""
    failure, sent, _ = driven(*4 * [problem(503, "overloaded")])
    assert isinstance(failure, Unavailable)
    assert failure.idempotency_key == sent[0].headers["idempotency-key"].strip('"')
    lost, _, _ = driven(*4 * [ConnectionFailed("cut")])
    assert isinstance(lost, ConnectionFailed)
    assert lost.idempotency_key


def test_waits_do_not_grow_beyond_all_bounds() -> None:
    """After however many failures."""
    assert Retries(longest_wait=3.0).wait(10_000) <= 3.0
