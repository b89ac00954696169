"""What the server refuses by itself, answered as the problem that it is."""

from __future__ import annotations

from dataclasses import replace

from itemstore.api.access_log import AccessLog
from itemstore.api.answering import Answering
from itemstore.api.gate.cross_origin import CrossOrigin
from itemstore.api.http.errors_as_problems import problem_of
from itemstore.api.http.problems import problem_reply
from itemstore.api.http.reply import ON_EVERY_BODY
from itemstore.server.admission import Admission
from itemstore.server.answer_head import Answer, Fields
from itemstore.server.counters import OTHER
from itemstore.server.refusals import TOO_MANY_WAITING, Refused
from itemstore.server.served_app import ServedApp

_STAND_IN = b"the id of the request"
"""In place of it, in an answer that is made beforehand."""

URGENT_PATHS = frozenset({b"/livez", b"/readyz", b"/metrics"})


def served_app(
    admission: Admission,
    cross_origin: CrossOrigin | None,
    root: str,
    answering: Answering | None,
    access_log: AccessLog | None,
) -> ServedApp:
    """What the server has to know of this application.

    `root` is what stands in front of every path. `answering` is None where the application is to be
    asked by ASGI alone, as one with CORS is.
    """
    busy, (status, headers, body) = _answered(TOO_MANY_WAITING, _STAND_IN, root)
    before, _, after = body.partition(_STAND_IN)  # it is made again and again, and quickly so

    def answer(refused: Refused, request_id: bytes, method: str) -> Answer:
        if refused is TOO_MANY_WAITING:
            slug, answer = busy, Answer(status, headers, b"%b%b%b" % (before, request_id, after))
        else:
            slug, answer = _answered(refused, request_id, root)
        admission.counters.problems[slug] += 1
        if access_log is not None:
            access_log.answered_otherwise(method, OTHER, answer.status, request_id.decode("ascii"))
        return answer

    def fields(request: Fields) -> Fields:
        if cross_origin is None:
            return ON_EVERY_BODY
        origin = next((value for name, value in request if name == b"origin"), None)
        allowed = cross_origin.fields(None if origin is None else origin.decode("latin-1"))
        return (*allowed, *ON_EVERY_BODY)

    told = ServedApp(admission, answer, fields, URGENT_PATHS, on_every_body=ON_EVERY_BODY)
    if answering is None:
        return told
    return replace(told, respond=answering.respond, take_over=answering.take_over)


def _answered(refused: Refused, request_id: bytes, root: str) -> tuple[str, Answer]:
    """The slug of the problem, and the answer; without an instance, as no URL may have come."""
    problem = problem_of(refused)
    assert problem is not None
    reply = problem_reply(problem, None, root, request_id=request_id.decode("ascii"))
    return problem.type.slug, Answer(reply.status, reply.headers, reply.body)
