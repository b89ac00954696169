"""Answers as they are expected, and what is read of them."""

from __future__ import annotations

import json
from typing import Any

from itemstore.client.exchange import Answer, Call, Request
from itemstore.client.failures import UnexpectedAnswer, failure_of
from itemstore.client.retries import Retries, sent


def expected(request: Request, retries: Retries, *statuses: int) -> Call[Answer]:
    """The answer, which has one of these statuses. Raises ProblemError for another one."""
    answer = yield from sent(request, retries)
    if answer.status in statuses:
        return answer
    if answer.status < 300:  # noqa: PLR2004  # a success that no item store has here
        raise UnexpectedAnswer(f"{request.method} {request.path} was answered {answer.status}.")
    failure = failure_of(answer)
    failure.idempotency_key = request.idempotency_key
    raise failure


def json_of(answer: Answer) -> Any:
    """What an answer says in JSON. Raises UnexpectedAnswer."""
    try:
        return json.loads(answer.content)
    except ValueError as error:
        raise UnexpectedAnswer("The answer is no JSON.") from error
