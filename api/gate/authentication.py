"""The bearer token of a request: whose it is, and what it may be used for (RFC 6750).

Once there is a token in the store, every request wants one.
"""

from __future__ import annotations

from itemstore.api.gate.dns_rebinding import names_another_host
from itemstore.api.gate.scoping import check_scope
from itemstore.api.http.errors_as_problems import challenge
from itemstore.api.http.problems import Problem
from itemstore.api.http.request import Request
from itemstore.api.http.routing import Resource
from itemstore.eventlog.excerpts import quoted
from itemstore.store.standing import StoreClosed
from itemstore.store.tokens import Role, Token, TokenInvalid

OPEN = frozenset(
    {
        *("/livez", "/readyz", "/problems/{slug}", "/docs", "/docs/{file}"),
        *("/explorer", "/explorer/{file}", "/explorer/{folder}/{file}"),
    }
)
"""Resources that never want a token: there is no data in them."""

WITHOUT_TOO = frozenset({"/"})
"""Resources that say less to who has no token."""

OF_ADMINS = "/admin/"
"""What the resources begin with that want an admin, whatever the method."""

READS = frozenset({"GET", "HEAD", "OPTIONS"})


async def authenticate(request: Request, resource: Resource) -> None:
    """Notes whose request it is. Raises what token_of and check_scope raise.

    A body of a wrong size or media type is refused first, with or without a token.
    """
    if resource.template in WITHOUT_TOO and b"authorization" not in request.fields:
        if request.context.tokens.is_stale:
            await request.context.tokens.refresh()
        return
    try:
        token = await token_of(request, _needed(resource, request.method))
        if token is not None:
            request.token = token
            request.actor = token.name
            if not token.scope.is_whole:
                check_scope(request, resource)
    except (Problem, StoreClosed, TokenInvalid):
        request.check_content()
        raise


def let_in(request: Request, resource: Resource) -> bool:
    """Notes whose request it is, as authenticate does, where nobody has to be asked for that.

    False where the tokens have to be looked up first, and where authenticate would refuse it.
    """
    tokens = request.context.tokens
    if tokens.is_stale:
        return False
    if tokens.lets_all_in:
        return not names_another_host(request)
    credentials = _credentials(request.field(b"authorization") or "")
    token = None if credentials is None else tokens.at_hand(*credentials)
    if token is None or token.role < _needed(resource, request.method) or not token.scope.is_whole:
        return False
    request.token = token
    request.actor = token.name
    return True


def _credentials(authorization: str) -> tuple[str, str] | None:
    """The name and the secret of a bearer token (RFC 6750 §2.1); None of what is none."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return None
    name, _, secret = credentials.strip().partition(".")
    return name, secret


def _needed(resource: Resource, method: str) -> Role:
    """The role that a method of a resource wants."""
    if resource.template.startswith(OF_ADMINS):
        return Role.admin
    return Role.reader if method in READS else Role.writer


async def token_of(request: Request, needed: Role) -> Token | None:
    """The token that the request carries, None where the store is open to all.

    Raises StoreClosed and TokenInvalid, Problem 401 without a token (RFC 6750 §3) and 403 where
    its role is less than the needed one, and LogUnavailable where the tokens, or this one, are not
    known yet: while the engine is away, those that were known last count.
    """
    tokens = request.context.tokens
    if tokens.is_stale:
        await tokens.refresh()
    if tokens.lets_all_in:
        return None
    authorization = request.field(b"authorization")
    if authorization is None:
        tokens.check_not_closed()
        raise _no_token("This store wants a token")
    credentials = _credentials(authorization)
    if credentials is None:
        raise _no_token("This store takes bearer tokens alone")
    try:
        token = await tokens.opened_by(*credentials)
    except TokenInvalid as error:
        client = request.ends.client
        request.context.refused_tokens.note(error, None if client is None else client[0])
        raise
    if token.role < needed:
        raise Problem(
            "forbidden",
            f"The token {quoted(token.name)} is a {token.role.name}; {_wish(request, needed)}.",
            headers=challenge("insufficient_scope"),
        )
    return token


def _wish(request: Request, needed: Role) -> str:
    """What wants the role."""
    if needed is Role.admin:
        return f"{request.path} wants an admin"
    return f"{request.method} wants a {needed.name}"


def _no_token(why: str) -> Problem:
    sentence = f"{why}: send Authorization: Bearer <token>."
    return Problem("unauthorized", sentence, headers=challenge())
