"""`/admin/tokens`: the tokens of the store, made, listed and revoked by an admin."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Literal
from urllib.parse import unquote_to_bytes

from fastapi import APIRouter
from pydantic import Field

from itemstore.api.http.cache_control import NO_STORE
from itemstore.api.http.idempotency import refuse_key
from itemstore.api.http.json_body import Body, invalid_body, json_body
from itemstore.api.http.problems import Problem
from itemstore.api.http.query_parameters import refuse_query
from itemstore.api.http.reply import Reply, json_reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Route
from itemstore.api.openapi import operations as described
from itemstore.eventlog.excerpts import quoted
from itemstore.store import token_terms, tokens
from itemstore.store.scope import Scope
from itemstore.store.token_terms import InvalidTerms

PATH = "/admin/tokens"

FIRST = (
    "This store has no tokens, so it is open to all that reach it, and who makes the first one "
    "decides who may come in. The operator does, with "
    "`itemstore token create NAME --role admin`."
)

Texts = Annotated[list[str], Field(min_length=1)]

router = APIRouter(route_class=Route)


class TokenRequest(Body):
    """The token that is wanted."""

    name: str
    role: Literal["reader", "writer", "admin"] = "reader"
    collections: Texts | None = None
    prefixes: Texts | None = None
    expires: str | None = None


@router.get(
    PATH,
    **described.service("tokens", "The tokens, by name.", content=described.json_of("TokenList")),
)
async def list_tokens(request: Request) -> Reply:
    """The tokens: their names and roles, what they are bound to, when they end; for an admin."""
    refuse_query(request)
    found = await tokens.read_tokens(request.store.partition)
    listed = [token_terms.as_json(each) for each in found.readable.values()]
    content = {"tokens": listed, "unreadable": [*found.unreadable]}
    return json_reply(content, headers=[NO_STORE])


@router.post(
    PATH,
    **described.operation(
        "create_token",
        {
            201: described.answer(
                "It was made; its text is shown this once.",
                "Location",
                content=described.json_of("NewToken"),
            )
        },
        problems=(*described.ASKED, "token-exists", "log-full"),
        body=described.json_of("TokenRequest"),
        tag="service",
    ),
)
async def create_token(request: Request) -> Reply:
    """Make a token, for an admin; in a store that is open to all the command makes the first."""
    refuse_query(request)
    refuse_key(request)
    wanted = await json_body(request, TokenRequest)
    if request.token is None:
        raise Problem("forbidden", FIRST)
    scope, expires = _terms(wanted)
    partition, role = request.store.partition, tokens.Role[wanted.role]
    try:
        secret = await tokens.create(
            partition, wanted.name, role, scope, expires=expires, by=request.actor
        )
    except tokens.TokenExists:
        sentence = (
            f"There is a token {quoted(wanted.name)} already; revoke it first, or choose another "
            "name."
        )
        raise Problem("token-exists", sentence) from None
    content = {
        "name": wanted.name,
        "role": role.name,
        **token_terms.bounds_as_json(scope, expires),
        "token": secret,
    }
    if missing := token_terms.missing_from(request.store, scope):
        content["warning"] = missing
    location = (b"location", f"{request.root}{PATH}/{wanted.name}".encode())
    reply = json_reply(content, headers=[NO_STORE, location])
    return Reply(201, reply.headers, reply.body)


@router.get(
    PATH + "/{name}",
    **described.service(
        "token",
        "The token.",
        "not-found",
        content=described.json_of("Token"),
        parameters=("name",),
    ),
)
async def one_token(request: Request) -> Reply:
    """A token's role, what it is bound to, when it ends; for an admin."""
    refuse_query(request)
    name = _name(request)
    token = await tokens.read_token(request.store.partition, name)
    if token is None:
        raise _not_found(name)
    return json_reply(token_terms.as_json(token), headers=[NO_STORE])


@router.delete(
    PATH + "/{name}",
    **described.operation(
        "revoke_token",
        {204: described.answer("It is refused everywhere within two seconds.")},
        problems=("not-found", "last-token", "malformed-header"),
        parameters=("name",),
        tag="service",
    ),
)
async def revoke_token(request: Request) -> Reply:
    """Revoke a token, for an admin; not the last one, without which the store would be open."""
    refuse_query(request)
    refuse_key(request)
    name = _name(request)
    try:
        is_revoked = await tokens.revoke(request.store.partition, name, by=request.actor)
    except tokens.LastToken:
        sentence = (
            f"{quoted(name)} is the only token; without it the store is open to every client that "
            "reaches it. Make another one first."
        )
        raise Problem("last-token", sentence) from None
    if not is_revoked:
        raise _not_found(name)
    return Reply(204, [NO_STORE])


def _terms(wanted: TokenRequest) -> tuple[Scope, datetime | None]:
    """What the token is bound to, and when it ends. Raises Problem (422)."""
    place = "/name"
    try:
        token_terms.check_name(wanted.name)
        place = "/collections"
        bound = token_terms.collections_from(wanted.collections or (), "collections")
        place = "/prefixes"
        prefixes = [each.encode() for each in wanted.prefixes or ()]
        scope = replace(bound, prefixes=token_terms.prefixes_from(prefixes, "prefixes").prefixes)
        place = "/expires"
        if wanted.expires is None:
            return scope, None
        return scope, token_terms.expiry_from(wanted.expires, datetime.now(UTC), "expires")
    except InvalidTerms as error:
        pointer = place if error.place is None else f"{place}/{error.place}"
        raise invalid_body((pointer, str(error))) from None


def _name(request: Request) -> str:
    """The name in the path: of a row that somebody damaged it may be any text."""
    return unquote_to_bytes(request.parameters["name"]).decode(errors="replace")


def _not_found(name: str) -> Problem:
    return Problem("not-found", f"There is no token {quoted(name)}.")
