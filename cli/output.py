"""stdout and stderr: data as UTF-8 whatever the locale, text as far as a terminal can show it."""

from __future__ import annotations

import asyncio
import io
import locale
import os
import signal
import stat
import sys
from contextlib import suppress
from typing import NoReturn

from itemstore.cli.errors import Stop
from itemstore.logs.terminal_text import escaped_lines

CLOSED = 128 + signal.SIGPIPE
"""The exit code of a command whose reader has seen enough, as `| head -1` has: as a shell gives it
for a program that SIGPIPE ended."""


def in_utf8() -> None:
    """Runs the same command again in Python's UTF-8 mode, where the locale is of another encoding.

    Arguments, variables and names of files are then the bytes that were typed. Python reads them
    before any of our code runs, so nothing less puts all of them right.
    """
    if sys.getfilesystemencoding() != "utf-8":
        words = [sys.executable, "-X", "utf8", *sys.orig_argv[1:]]
        os.execv(sys.executable, words)  # noqa: S606 - this very command


def prepare_streams() -> None:
    """Makes sure that the three standard streams are there, and that none of them refuses a sign.

    Where the caller of the command closed one, the next file that it opens would take its
    place, and `print` would write messages where data goes.
    """
    for number, flags in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # the lowest free number; writing to stdout fails, and says
    sys.stdout = _stream(sys.stdout, 1)
    sys.stderr = _stream(sys.stderr, 2)


def _stream(stream: object, number: int) -> io.TextIOWrapper:
    if not isinstance(stream, io.TextIOWrapper):
        stream = open(number, "w", closefd=False)  # noqa: SIM115 - for the whole process
    encoding = "utf-8"
    if stream.isatty():
        chosen = os.environ.get("PYTHONIOENCODING")
        encoding = stream.encoding if chosen else locale.getencoding()
    stream.reconfigure(encoding=encoding, errors="backslashreplace")
    return stream


def write_data(data: bytes) -> None:
    """Data to stdout, as it is, at once. Raises Stop and SystemExit, as `write_text` does."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    except OSError as error:
        _failed(error)


def write_text(text: str) -> None:
    """Lines to stdout, at once. Raises Stop, and SystemExit where their reader is gone."""
    try:
        print(text, flush=True)
    except OSError as error:
        _failed(error)


def say(text: str) -> None:
    """A line to stderr, for people: what it is about goes on where nobody can read it."""
    with suppress(OSError):
        print(escaped_lines(text), file=sys.stderr, flush=True)


def is_terminal() -> bool:
    """Whether a person can be asked, and can answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def agreed(question: str) -> bool:
    """Asks the person at the terminal, who has to say yes."""
    print(escaped_lines(f"{question} [y/N] "), end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def watch_the_reader() -> None:
    """Ends the command as soon as the reader of a pipe is gone, also while there is nothing to say.

    It wants a running event loop. The end of a pipe that is written to becomes readable with the
    error that its reader is gone, and never otherwise.
    """
    if stat.S_ISFIFO(os.fstat(1).st_mode):
        asyncio.get_running_loop().add_reader(1, _failed, BrokenPipeError())


def finish_output() -> None:
    """Hands over what is still in a buffer. Raises as `write_text` does."""
    try:
        sys.stdout.flush()
    except OSError as error:
        _failed(error)


def _failed(error: OSError) -> NoReturn:
    # What is left in the buffer must not fail a second time, when Python ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if isinstance(error, BrokenPipeError):
        raise SystemExit(CLOSED)
    message = f"The output can't be written: {error.strerror}."
    raise Stop(message) from None
