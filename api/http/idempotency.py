"""Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): sent twice, carried out once."""

from __future__ import annotations

import hashlib
from http import HTTPStatus

from itemstore.api.http.errors_as_problems import problem_of
from itemstore.api.http.header_fields import string_or_word
from itemstore.api.http.problems import Problem
from itemstore.api.http.reply import Reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import AnyReply, Handler
from itemstore.api.http.write_reply import write_reply
from itemstore.eventlog.idempotency import IdempotencyKey, KeyInUse

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})

_PARTS = (b"content-type", b"if-match", b"if-none-match", b"if-unmodified-since", b"prefer")

_NO_ACCESS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)

REPLAYED = (b"idempotency-replayed", b"true")


async def carry_out_once(request: Request, handler: Handler) -> AnyReply:
    """The handler's reply, or the first reply again where the key is known.

    Raises KeyReused where the key was used for another request, KeyInUse while the first request
    with it is still running in this process.
    """
    request.check_content()
    key = await _key(request)
    if key.scope in request.context.keys_in_use:
        raise KeyInUse
    request.context.keys_in_use.add(key.scope)
    try:
        return await _first_or_again(request, handler, key)
    finally:
        request.context.keys_in_use.discard(key.scope)


async def _first_or_again(request: Request, handler: Handler, key: IdempotencyKey) -> AnyReply:
    if (reply := await _again(request, handler, key)) is not None:
        return reply
    request.idempotency = key
    try:
        return await handler(request)
    except Exception as error:
        # Another process may have carried it out after the look, and what this one was refused for
        # is then the request's own effect.
        if _is_refusal(error) and (reply := await _again(request, handler, key)) is not None:
            return reply
        raise


def refuse_key(request: Request) -> None:
    """Raises Problem (400) for a key, where no outcome is remembered."""
    if b"idempotency-key" in request.fields:
        sentence = f"{request.path} takes no Idempotency-Key: it remembers no outcome under one."
        raise Problem("malformed-header", sentence)


def _is_refusal(error: Exception) -> bool:
    """Whether the error says that nothing was appended.

    An error of access doesn't count: a caller without access is not told an outcome.
    """
    problem = problem_of(error)
    status = HTTPStatus.INTERNAL_SERVER_ERROR if problem is None else problem.type.status
    return status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _NO_ACCESS


async def _key(request: Request) -> IdempotencyKey:
    key = request.key = _text(request)
    digest = hashlib.sha256(f"{request.method} {request.path}\n".encode())
    for name in _PARTS:
        digest.update(request.fields.get(name, b"") + b"\n")
    digest.update(await request.read())
    scope = key if request.actor is None else f"{request.actor}:{key}"
    return IdempotencyKey(scope, digest.hexdigest())


def _text(request: Request) -> str:
    """What Idempotency-Key holds. Raises Problem (400) for what can't be a key."""
    text = string_or_word(request.field(b"idempotency-key") or "")
    if text is None:
        raise Problem(
            "malformed-header",
            "Idempotency-Key takes 1 to 255 printable characters: in double quotes, with a "
            "backslash before each quote and backslash in them, or bare, without quotes, "
            "commas, semicolons, backslashes and spaces.",
        )
    return text


async def _again(request: Request, handler: Handler, key: IdempotencyKey) -> AnyReply | None:
    """The first reply, None where there was none; to a batch its handler gives it."""
    if not request.is_of_a_collection:
        request.outcome = await request.store.appender.outcomes(key)
        return None if request.outcome is None else await handler(request)
    recorded = await request.collection.log.outcome(key)
    if recorded is None:
        return None
    reply = write_reply(request, recorded)
    return Reply(reply.status, [*reply.headers, REPLAYED], reply.body)
