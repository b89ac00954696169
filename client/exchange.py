"""What the core asks of whoever does the input and output, and what it is told.

A call is a generator: it yields steps, is sent what came of each, and returns the answer. It sends,
waits and reads nothing itself, so one core serves a client that blocks and one that does not.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """A request: `path` is percent-encoded, with its query, below the URL of the store.

    A write has the `idempotency_key` under which it may be sent again, in its headers too.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, with the names of its header fields in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Send:
    """Send it: an Answer, or the ConnectionFailed that came in place of one."""

    request: Request


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Apply:
    """Call the user's function with a body: what it gives."""

    function: Callable[[Any], Any]
    body: Any


@dataclass(frozen=True, slots=True)
class Open:
    """Send it, and leave a 200 open: its Answer without content, or a ConnectionFailed.

    `idle` is for how many seconds nothing may come before the connection counts as lost.
    """

    request: Request
    idle: float


@dataclass(frozen=True, slots=True)
class Read:
    """The next bytes of what is open; None at its end, or a ConnectionFailed. It is closed then."""


@dataclass(frozen=True, slots=True)
class Give(Generic[T]):
    """Give this to who iterates."""

    value: T


Step = Send | Sleep | Apply | Open | Read
Call = Generator[Step, Any, T]
"""One answer."""

Course = Generator[Step | Give[T], Any, None]
"""Many values, one after the other."""
