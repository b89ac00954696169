"""The answer to an error, FastAPI's own errors included: always a problem."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterator, Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from itemstore.api.http.errors_as_problems import problem_of
from itemstore.api.http.incoming import AsgiIncoming, Incoming
from itemstore.api.http.paths import encoded, own_path
from itemstore.api.http.problems import Problem, problem_reply
from itemstore.api.http.reply import NO_CONTENT, Reply
from itemstore.api.http.request_ids import request_id_of
from itemstore.eventlog.excerpts import shown
from itemstore.server.answer_head import Fields
from itemstore.server.counters import Counters
from itemstore.server.refusals import Overloaded

Handlers = Mapping[int | type[Exception], object]
"""Those of errors that were added, by status or by class."""

logger = logging.getLogger(__name__)


def error_reply(error: Exception, incoming: Incoming, counters: Counters) -> Reply:
    """The answer to an error, which is counted, and logged where it is not one that is foreseen."""
    root = incoming.root
    instance = root + encoded(incoming.path)
    problem = problem_of(error)
    if problem is None:
        asked = {"method": incoming.method, "path": instance}
        logger.error("A request failed by an error of the server", extra=asked, exc_info=error)
        problem = Problem("internal-error", "The server's log says what happened.")
    if (limit := _reached(problem, error)) is not None:
        counters.full.note(limit)
    counters.problems[problem.type.slug] += 1
    return problem_reply(problem, instance, root, request_id=incoming.request_id)


def to_handlers(
    error: Exception, incoming: Incoming, counters: Counters, handlers: Handlers
) -> tuple[int, Exception]:
    """What to raise to handlers of errors that were added, and the status without them.

    An error that is foreseen is raised as an HTTPException that has its answer, unless one of them
    is for its very class.
    """
    is_for_one = any(each in handlers for each in type(error).__mro__ if each is not Exception)
    if is_for_one or problem_of(error) is None:
        return HTTPStatus.INTERNAL_SERVER_ERROR, error
    reply = error_reply(error, incoming, counters)
    return reply.status, AnsweredError(reply, str(error))


class AnsweredError(HTTPException):
    """An error of the store's, on its way to the handlers of errors that somebody added.

    They find `status_code`, and in `detail` what is wrong. It is answered with `reply` where none
    of them takes it.
    """

    def __init__(self, reply: Reply, sentence: str) -> None:
        super().__init__(reply.status, sentence, dict(_decoded(reply.headers)))
        self.reply = reply


def _reached(problem: Problem, error: Exception) -> str | None:
    """The limit because of which it is refused; None where it is for something else."""
    if problem.type.slug == "log-full":
        return "engine_space"
    if problem.type.slug == "overloaded":
        return error.limit if isinstance(error, Overloaded) else "writes"
    return None


async def http_error(request: Request, error: Exception) -> Response:
    """The answer to an error of FastAPI's own, or to one that a route raises that was added."""
    assert isinstance(error, HTTPException)
    if isinstance(error, AnsweredError):
        return Response(error.reply.body, error.reply.status, error.headers)
    if not _is_of_the_router(error):
        return _raised(error, request)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allow = (error.headers or {}).get("Allow", "GET")
        problem = Problem(
            "method-not-allowed",
            f"{shown(request.url.path)} takes {allow}, not {request.method}.",
            headers={"Allow": allow},
        )
    else:
        path = own_path(request.scope)
        is_one_slash_off = path.endswith(b"/") and request.app.resources.find(path[:-1])
        hint = ""
        if is_one_slash_off:
            hint = "; without the slash at its end there is"
        elif _is_in_a_collection(path, request.app.models):
            hint = "; a slash inside an id is written %2F"
        problem = Problem("not-found", f"There is nothing at {shown(request.url.path)}{hint}.")
    return _response(problem, request)


def _is_of_the_router(error: HTTPException) -> bool:
    """Whether it says that there is no such route, or no such method of it, and nothing else."""
    status = error.status_code
    of_it = {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}
    return status in of_it and error.detail == HTTPStatus(status).phrase


def _raised(error: HTTPException, request: Request) -> Response:
    """The answer to an HTTPException of somebody else's code: a problem without a type."""
    status = error.status_code
    if status in NO_CONTENT:
        return Response(None, status, error.headers)
    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = "Error"
    content = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": error.detail,
        "request_id": request_id_of(request.scope),
    }
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, status, error.headers, "application/problem+json")


def _is_in_a_collection(path: bytes, collections: Collection[str]) -> bool:
    """Whether a path is one below that of a collection, though there is nothing."""
    name, slash, _ = path.removeprefix(b"/").partition(b"/")
    return bool(slash) and name.decode("latin-1") in collections


async def unforeseen(request: Request, error: Exception) -> Response:
    """The answer to any other error there, such as a model that JSON Schema can't describe."""
    return _response(error, request)


def _response(error: Exception, request: Request) -> Response:
    incoming = AsgiIncoming(request.scope, request.receive)
    reply = error_reply(error, incoming, request.app.counters)
    return Response(reply.body, reply.status, dict(_decoded(reply.headers)))


def _decoded(headers: Fields) -> Iterator[tuple[str, str]]:
    return ((name.decode(), value.decode()) for name, value in headers)
