"""Tracebacks: as Python writes them, and for a terminal that must not obey what is in them."""

from __future__ import annotations

from collections.abc import Iterator
from traceback import format_exception, format_tb

from itemstore.logs.terminal_text import escaped

MOST = 10
"""Exceptions that are shown of those that led to one another."""

CAUSED = "This was the cause of:"

MEANWHILE = "While this was handled there came:"


def whole(error: BaseException) -> str:
    """As Python writes it, in one text."""
    try:
        return "".join(format_exception(error)).rstrip("\n")
    except Exception as failure:  # noqa: BLE001 - an exception of anybody's
        return f"{type(error).__name__}, which can't be shown: {type(failure).__name__}"


def for_people(error: BaseException) -> str:
    """The same in lines of which each is ours: a message is one, whatever is in it."""
    lines: list[str] = []
    for each in _from_first(error):
        lines += _lines(each)
    return "\n".join(lines)


def _from_first(error: BaseException) -> Iterator[BaseException | str]:
    """What led to the error, the first one first, with words in between."""
    chain: list[BaseException | str] = [error]
    current: BaseException | None = error
    while current is not None and len(chain) < 2 * MOST:
        before = current.__cause__
        words = CAUSED
        if before is None and not current.__suppress_context__:
            before, words = current.__context__, MEANWHILE
        if before is not None:
            chain += [words, before]
        current = before
    return reversed(chain)


def _lines(each: BaseException | str) -> Iterator[str]:
    if isinstance(each, str):
        yield each
        return
    for entry in format_tb(each.__traceback__):
        yield from map(escaped, entry.rstrip().split("\n"))
    yield f"{type(each).__qualname__}: {escaped(_message(each))}"
    for note in getattr(each, "__notes__", ()):
        yield from (f"  {escaped(line)}" for line in str(note).split("\n"))
    if isinstance(each, BaseExceptionGroup):
        for number, inner in enumerate(each.exceptions[:MOST], 1):
            yield f"  {number} of {len(each.exceptions)}:"
            yield from (f"    {line}" for line in for_people(inner).split("\n"))


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as failure:  # noqa: BLE001 - an exception of anybody's
        return f"<its message can't be shown: {type(failure).__name__}>"
