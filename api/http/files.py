"""Files that come with the store: each goes out as it is, or compressed to who takes it so."""

from __future__ import annotations

import gzip
from typing import NamedTuple

from itemstore.api.http.content_coding import takes_gzip
from itemstore.api.http.entity_tags import content_tag
from itemstore.api.http.preconditions import tagged
from itemstore.api.http.reply import Headers, Reply
from itemstore.api.http.request import Request
from itemstore.api.http.vary import vary

_WORTH_IT = 1000
"""Bytes below which a file goes out in one packet anyway."""

_LEVEL = 6
"""More takes twice as long, for files that are two hundredths smaller."""


class Form(NamedTuple):
    """A file in one form; each has an entity tag of its own (RFC 9110 §8.8.3.3)."""

    content: bytes
    tag: bytes


class File(NamedTuple):
    """A file; `gzipped` is None where that would not make it smaller."""

    media_type: bytes
    plain: Form
    gzipped: Form | None

    @classmethod
    def of(cls, media_type: str, content: bytes) -> File:
        """The file in both forms; of a megabyte this takes some 40 ms."""
        gzipped = None
        if len(content) > _WORTH_IT:
            compressed = gzip.compress(content, _LEVEL, mtime=0)
            gzipped = _form(compressed) if len(compressed) < len(content) else None
        return cls(media_type.encode(), _form(content), gzipped)


def file_reply(request: Request, file: File, headers: Headers | None = None) -> Reply:
    """The file in the form that the client takes, or 304 where it has that."""
    headers = [(b"content-type", file.media_type), *(headers or [])]
    form = file.plain
    if file.gzipped is not None:
        headers.append(vary(b"accept-encoding"))
        if takes_gzip(request):
            form = file.gzipped
            headers.append((b"content-encoding", b"gzip"))
    return tagged(request, Reply(200, headers, form.content), form.tag)


def _form(content: bytes) -> Form:
    return Form(content, content_tag(content))
