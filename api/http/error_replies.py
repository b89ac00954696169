"""The answer to an error, FastAPI's own errors included: always a problem."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from itemstore.api.http.errors_as_problems import problem_of
from itemstore.api.http.incoming import AsgiIncoming, Incoming
from itemstore.api.http.paths import encoded, own_path
from itemstore.api.http.problems import Problem, problem_reply
from itemstore.api.http.reply import Reply
from itemstore.eventlog.excerpts import shown
from itemstore.server.answer_head import Fields
from itemstore.server.counters import Counters

logger = logging.getLogger("itemstore")


def error_reply(error: Exception, incoming: Incoming, counters: Counters) -> Reply:
    """The answer to an error, which is counted, and logged where it is not one that is foreseen."""
    root = incoming.root
    instance = root + encoded(incoming.path)
    problem = problem_of(error)
    if problem is None:
        logger.error("%s %s", incoming.method, instance, exc_info=error)
        problem = Problem("internal-error", "The server's log says what happened.")
    counters.problems[problem.type.slug] += 1
    return problem_reply(problem, instance, root, request_id=incoming.request_id)


async def http_error(request: Request, error: Exception) -> Response:
    """The answer to an error of FastAPI's own, on a path that FastAPI answers."""
    assert isinstance(error, HTTPException)
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
