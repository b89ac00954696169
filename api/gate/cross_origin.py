"""Cross-origin requests (the Fetch standard's CORS), only from where the operator allows them."""

from __future__ import annotations

from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from itemstore.api.http.problems import Problem, problem_reply
from itemstore.api.http.reply import ON_EVERY_BODY
from itemstore.api.http.reply import Headers as HeaderFields
from itemstore.logs.current_request import current_request

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

READ = (
    "Accept", "Accept-Datetime", "Authorization", "Content-Encoding", "Content-Range",
    "Content-Type", "Idempotency-Key", "If-Match", "If-Modified-Since", "If-None-Match",
    "If-Position", "If-Unmodified-Since", "Last-Event-ID", "Prefer", "traceparent", "X-Request-ID",
)  # fmt: skip
"""The header fields of a request that a script may set."""

SHOWN = (
    "Accept", "Accept-Encoding", "Accept-Patch", "Allow", "Content-Location", "ETag", "Event-Id",
    "Event-Type", "Idempotency-Replayed", "Link", "Location", "Log-Id", "Memento-Datetime",
    "Position", "Preference-Applied", "Retry-After", "Vary", "WWW-Authenticate",
    "X-Request-ID",
)  # fmt: skip
"""The header fields of an answer that a script sees, besides those that it always does."""

HOUR = 3600


class CrossOrigin(CORSMiddleware):
    """The application for scripts of these origins too, as ITEMSTORE_CORS_ORIGINS lists them.

    Tokens come in a header that a script sets, so no credentials of the browser are ever allowed.
    """

    def __init__(self, app: ASGIApp, origins: str) -> None:
        super().__init__(
            app,
            allow_origins=[origin.strip() for origin in origins.split(",")],
            allow_methods=METHODS,
            allow_headers=READ,
            expose_headers=SHOWN,
            max_age=HOUR,
        )

    def fields(self, origin: str | None) -> HeaderFields:
        """What lets a script of the origin read an answer that the application does not give.

        `origin` is also None where its field has not come yet; it isn't needed where all may read.
        """
        headers = MutableHeaders()
        if origin is not None or self.allow_all_origins:
            headers.update(self.simple_headers)
        if not self.allow_all_origins:
            headers["Vary"] = "Origin"
            if origin is not None and self.is_allowed_origin(origin):
                headers["Access-Control-Allow-Origin"] = origin
        return headers.raw

    def preflight_response(self, request_headers: Headers) -> Response:
        """What a browser is told before it sends the request of a script."""
        response = super().preflight_response(request_headers)
        if response.status_code == HTTPStatus.OK:
            return response
        sentence = "The origin, the method or a header field is not allowed across origins here."
        named = (current_request.get() or b"").decode("ascii")
        reply = problem_reply(Problem("cross-origin", sentence), None, request_id=named)
        kept = {
            name: value
            for name, value in response.headers.items()
            if name.startswith("access-control-") or name == "vary"
        }
        fields = {name.decode(): value.decode() for name, value in (*reply.headers, *ON_EVERY_BODY)}
        return Response(reply.body, reply.status, kept | fields)
