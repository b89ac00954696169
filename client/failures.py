"""What can go wrong, as exceptions: one for each kind of problem, and one for the connection."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from itemstore.client.exchange import Answer


class StoreError(Exception):
    """Whatever the client raises about the store.

    `idempotency_key` is the key of the write that failed, None for reads: what became of it can be
    learned, without a second write, by the same call with this key.
    """

    idempotency_key: str | None = None


class ConnectionFailed(StoreError):
    """No answer came: no connection, or one that was cut or silent for too long.

    A write may have been carried out, or not. `__cause__` is the exception of httpx.
    """


class UnexpectedAnswer(StoreError):
    """An answer that is none of an item store, or whose body does not fit the client's model."""


class InvalidId(StoreError, ValueError):
    """The text can't be an item's id. Nothing was sent."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """A value that does not fit the store's model: where it is, as a JSON Pointer, and why."""

    pointer: str
    detail: str


class ProblemError(StoreError):
    """The store refused, and said why: a problem of RFC 9457.

    `problem` is all that it said, `type` the last part of the problem's type, as
    `unexpected-version`, and `index` which request of a batch it is about. `retry_after` is in
    seconds.
    """

    def __init__(self, status: int, problem: dict[str, Any], answer: Answer) -> None:
        self.status = status
        self.problem = problem
        self.type = str(problem.get("type", "about:blank")).rpartition("/")[2]
        self.title = str(problem.get("title", f"HTTP {status}"))
        self.detail = str(problem.get("detail", ""))
        self.index: int | None = problem.get("index")
        self.request_id = problem.get("request_id") or answer.headers.get("x-request-id")
        told = answer.headers.get("retry-after", "")
        self.retry_after: float | None = float(told) if told.isdecimal() else None
        of = f" (request {self.request_id})" if self.request_id else ""
        super().__init__(f"{status} {self.type}: {self.detail or self.title}{of}")


class Malformed(ProblemError):
    """400, 415 and the like: what was sent can't be read."""


class Unauthorized(ProblemError):
    """401: the store wants a token, and this is none, or one no longer."""


class Forbidden(ProblemError):
    """403: the token's role or scope does not allow it."""


class NotFound(ProblemError):
    """404: there is no such item, or no such version."""


class ItemDeleted(NotFound):
    """404: the item was deleted, at `version`."""

    @property
    def version(self) -> int:
        """The version that deleted it."""
        return int(self.problem["version"])


class Conflict(ProblemError):
    """409: a patch that does not fit the item as it is, or a key whose first request still runs."""


class OtherLog(Conflict):
    """409: the position is of another log than this one, or from ahead of its end.

    What was made of the other log is of no use here: forget it, and begin at the start.
    """

    @property
    def log(self) -> str:
        """The id of this log."""
        return str(self.problem["log"])

    @property
    def end(self) -> str:
        """The position of its last event."""
        return str(self.problem["end"])


class Gone(ProblemError):
    """410: the operator removed what comes after the position, or the version, from the log."""


class PreconditionFailed(ProblemError):
    """412: the condition does not hold. Nothing was written."""

    @property
    def version(self) -> int | None:
        """The version that the item has, also that which deleted it; None where it never was."""
        version = self.problem.get("version")
        return version if isinstance(version, int) else None


class TooLarge(ProblemError):
    """413: the body is larger than `problem["limit"]` bytes."""


class Invalid(ProblemError):
    """422: it can be read, and does not fit: the model, what a query may be, an id."""

    @property
    def errors(self) -> list[Misfit]:
        """What does not fit the model."""
        return [Misfit(each["pointer"], each["detail"]) for each in self.problem.get("errors", ())]


class PreconditionRequired(ProblemError):
    """428: the operator wants every write of an item that exists to carry a condition."""


class RateLimited(ProblemError):
    """429: a proxy wants fewer requests. It was tried again until the client gave up."""


class Unavailable(ProblemError):
    """502, 503, 504: it can't be done now. It was tried again until the client gave up."""


class StoreFull(ProblemError):
    """507: the engine has no room for another event. Reads go on."""


_BY_TYPE: dict[str, type[ProblemError]] = {
    "item-deleted": ItemDeleted,
    "other-log": OtherLog,
}

_BY_STATUS: dict[int, type[ProblemError]] = {
    400: Malformed,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    412: PreconditionFailed,
    413: TooLarge,
    415: Malformed,
    422: Invalid,
    428: PreconditionRequired,
    429: RateLimited,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
    507: StoreFull,
}


def failure_of(answer: Answer) -> ProblemError:
    """What an answer of 3xx, 4xx or 5xx means: also one that a proxy gave, without a problem."""
    try:
        problem = json.loads(answer.content)
    except ValueError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    kind = str(problem.get("type", "")).rpartition("/")[2]
    of = _BY_TYPE.get(kind) or _BY_STATUS.get(answer.status, ProblemError)
    return of(answer.status, problem, answer)
