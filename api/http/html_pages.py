"""Pages for people: which clients want one, and what a browser may do with it."""

from __future__ import annotations

from itemstore.api.http.accept import prefers_html
from itemstore.api.http.preconditions import tagged
from itemstore.api.http.reply import Headers, Reply
from itemstore.api.http.request import Request
from itemstore.api.http.vary import BY_ACCEPT

HTML = "text/html; charset=utf-8"


def wants_html(request: Request) -> bool:
    """Whether the client is a browser, which would rather have HTML than JSON."""
    return prefers_html(request.fields.get(b"accept", b""))


def html_page(request: Request, title: str, content: str) -> Reply:
    """A page with a heading and content, or 304 where the client has it."""
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title></head><body><h1>{title}</h1>{content}</body></html>"
    )
    reply = html_reply(page.encode(), "default-src 'none'")
    return tagged(request, Reply(reply.status, [*reply.headers, BY_ACCEPT], reply.body))


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
