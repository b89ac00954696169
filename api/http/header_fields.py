"""The grammar that header fields share: lists, parameters and strings (RFC 9110 §5.6, RFC 9651)."""

from __future__ import annotations

import re
from collections.abc import Mapping

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = r'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"'

_MEMBER = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')
_NAME = re.compile(rf"{_WORD}(?:/{_WORD})?")
_PARAMETER = re.compile(rf"[ \t]*;[ \t]*(?:({_WORD})=({_WORD}|{_QUOTED}))?")
_ESCAPED = re.compile(r"\\(.)")

_STRING = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\]){1,255})"')
_BARE = re.compile(r"[!#-&(-+.-:<-\[\]-~-]{1,255}")


def text_of(fields: Mapping[bytes, bytes], name: bytes) -> str | None:
    """The value of a field, without blanks around it (§5.5); None where it is not there."""
    value = fields.get(name)
    return None if value is None else text(value)


def text(value: bytes) -> str:
    """A field's value as it is sent, without blanks around it."""
    return value.decode("latin-1").strip(" \t")


def members(text: str) -> list[str]:
    """The members of a list (§5.6.1); empty ones don't count. A quoted string may hold a comma."""
    return [stripped for each in _MEMBER.findall(text) if (stripped := each.strip(" \t"))]


def named(text: str) -> tuple[str, list[tuple[str, str]]] | None:
    """A token or a media type, and its parameters (§5.6.6); None for text that is neither.

    Names are in lower case; values are as they were sent, without their quotes.
    """
    name = _NAME.match(text)
    if name is None:
        return None
    parameters, at = [], name.end()
    while at < len(text):
        found = _PARAMETER.match(text, at)
        if found is None:
            return None
        if found[1]:
            parameters.append((found[1].lower(), unquoted(found[2])))
        at = found.end()
    return name[0].lower(), parameters


def unquoted(text: str) -> str:
    """A token as it is, or what stands between the quotes of a quoted string (§5.6.4)."""
    return _ESCAPED.sub(r"\1", text[1:-1]) if text.startswith('"') else text


def string_or_word(text: str) -> str | None:
    """The 1 to 255 characters of a structured field's string, or of a bare word.

    A string is in double quotes, with a backslash before each quote and backslash in it (RFC 9651
    §3.3.3). A bare word is what many clients send: printable characters other than quotes, commas,
    semicolons and backslashes. None for text that is neither.
    """
    if match := _STRING.fullmatch(text):
        return _ESCAPED.sub(r"\1", match[1])
    return text if _BARE.fullmatch(text) else None
