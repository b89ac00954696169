"""Pages for people: which clients want one, and what a browser may do with it."""

from __future__ import annotations

import html

from itemstore.api.http.accept import prefers_html
from itemstore.api.http.preconditions import tagged
from itemstore.api.http.reply import Header, Headers, Reply
from itemstore.api.http.request import Request
from itemstore.api.http.vary import BY_ACCEPT

HTML = "text/html; charset=utf-8"


def wants_html(request: Request) -> bool:
    """Whether the client is a browser, which would rather have HTML than JSON."""
    return prefers_html(request.fields.get(b"accept", b""))


def html_page(request: Request, title: str, content: str, varies: Header = BY_ACCEPT) -> Reply:
    """A page with a heading and content, in the explorer's look; or 304 where the client has it.

    Its files are those of /docs, which is there where the explorer is turned off too.
    """
    root = html.escape(request.root)
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f'<link rel="icon" href="{root}/docs/icon.svg" type="image/svg+xml">'
        f'<link rel="stylesheet" href="{root}/docs/base.css">'
        f"<title>{title}</title></head><body><main><h1>{title}</h1>{content}</main></body></html>"
    )
    reply = html_reply(page.encode(), "default-src 'none'; style-src 'self'; img-src 'self'")
    return tagged(request, Reply(reply.status, [*reply.headers, varies], reply.body))


def html_reply(body: bytes, policy: str) -> Reply:
    """A page with those headers."""
    return Reply(200, [(b"content-type", HTML.encode()), *page_headers(policy)], body)


def page_headers(policy: str) -> Headers:
    """Those of a page that may load what the policy says, and that no other may frame or lead."""
    policy += "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    return [
        (b"content-security-policy", policy.encode()),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
    ]
