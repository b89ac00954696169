"""Who asks: the bearer token of a request, and what it may be used for."""

from __future__ import annotations

from itemstore.api.http.problems import Problem
from itemstore.api.http.request import Request

OPEN = frozenset({"/livez", "/readyz", "/problems/{slug}"})
"""Resources that never want a token."""


async def authenticate(request: Request) -> None:
    """Notes whose request it is. Raises Problem and LogUnavailable, as Access.token does.

    What is wrong with the size or the media type of its body is said first, whoever asks.
    """
    try:
        authorization = request.field(b"authorization")
        token = await request.context.access.token(authorization, request.method)
    except Problem:
        request.check_content()
        raise
    if token is not None:
        request.token = token
        request.actor = token.name
