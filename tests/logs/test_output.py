"""Where lines go: nobody who logs waits for who reads, and what is left out is counted."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import pytest

from itemstore.logs.lines import JsonLines
from itemstore.logs.output import TOGETHER, Output
from tests.conftest import wait_until
from tests.logged import having, lines_of

SET_UP = "from itemstore.logs.set_up import set_up\nset_up('json', 'info')\n"
"""How a process has its log set up as the command has."""


class Reader:
    """What was written, by whoever lets it be written."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def __call__(self, piece: bytes) -> None:
        """Takes a piece, when it may."""
        self.may_go_on.wait(20)
        self.pieces.append(piece)

    @property
    def text(self) -> str:
        """All of it."""
        return b"".join(self.pieces).decode()


@pytest.fixture
def reader() -> Iterator[Reader]:
    """Somebody who reads; at the end of the test in any case."""
    reader = Reader()
    yield reader
    reader.may_go_on.set()


def logger_to(output: Output) -> logging.Logger:
    """A logger whose lines go there."""
    output.setFormatter(JsonLines())
    logger = logging.Logger("test")  # noqa: LOG001 - one that no other test has
    logger.addHandler(output)
    return logger


def test_lines_come_in_their_order_and_in_pieces_that_a_pipe_mixes_with_nothing(
    reader: Reader,
) -> None:
    """Many at once are few writes, of whole lines."""
    output = Output(reader)
    logger = logger_to(output)
    for number in range(2000):
        logger.warning("It happened", extra={"number": number})
    output.flush()
    assert [line["number"] for line in lines_of(reader.text)] == [*range(2000)]
    assert all(len(piece) <= TOGETHER and piece.endswith(b"\n") for piece in reader.pieces)
    assert len(reader.pieces) < 500


def test_where_nobody_reads_nobody_waits_and_what_is_left_out_is_counted(reader: Reader) -> None:
    """As soon as somebody reads again it is said how many."""
    output = Output(reader, most=100)
    logger = logger_to(output)
    reader.may_go_on.clear()
    logger.warning("The first")
    wait_until(output._lines.empty)
    began = time.monotonic()
    for number in range(1000):
        logger.warning("It happened", extra={"number": number})
    assert time.monotonic() - began < 5
    reader.may_go_on.set()
    wait_until(lambda: "left out" in reader.text)
    output.flush()
    lines = lines_of(reader.text)
    assert [line["number"] for line in having(lines, event="It happened")] == [*range(100)]
    [told] = having(lines, event="Lines of the log were left out")
    assert (told["count"], told["level"]) == (900, "warning")


def test_a_reader_that_has_gone_is_no_error() -> None:
    """The server goes on without a log."""

    def fails(_: bytes) -> None:
        raise BrokenPipeError

    output = Output(fails)
    logger_to(output).warning("It happened")
    output.flush()
    assert output._lines.empty()


def test_one_that_was_closed_ends_nothing() -> None:
    """Whoever runs the store may close standard error, and open it again."""
    pieces: list[bytes] = []

    def closed_at_first(piece: bytes) -> None:
        pieces.append(piece)
        if len(pieces) == 1:
            message = "I/O operation on closed file"
            raise ValueError(message)

    output = Output(closed_at_first)
    for event in ("The first", "The second"):
        logger_to(output).warning(event)
        output.flush()
    assert b"The second" in pieces[-1]


def test_a_pipe_that_does_not_wait_loses_no_line() -> None:
    """Whoever has its other end may have made it so, for both."""
    script = (
        f"import logging, os\n{SET_UP}os.set_blocking(2, False)\n"
        "for n in range(2000): logging.getLogger('itemstore.x').info('It happened', extra={'n': n})"
    )
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        first = process.stderr.read(1)
        time.sleep(0.3)  # the pipe is full meanwhile
        text = (first + process.stderr.read()).decode()
    assert [line["n"] for line in lines_of(text)] == [*range(2000)]


def test_what_was_logged_last_is_written_before_the_process_ends() -> None:
    """By Python, or without a word, once it is asked to."""
    for end in ("", "import os; flush(); os._exit(0)"):
        script = (
            f"import logging\n{SET_UP}from itemstore.logs.set_up import flush\n"
            f"logging.getLogger('itemstore.x').info('The last')\n{end}"
        )
        ran = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
        )
        assert [line["event"] for line in lines_of(ran.stderr)] == ["The last"]


def test_a_process_that_was_forked_writes_its_own_lines() -> None:
    """A model may fork; a thread does not go with it."""
    script = (
        f"import logging, os, sys\n{SET_UP}"
        "log = logging.getLogger('itemstore.x'); log.info('before')\n"
        "if (pid := os.fork()) == 0:\n    log.info('in the child'); sys.exit(0)\n"
        "os.waitpid(pid, 0); log.info('after')\n"
    )
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    events = [line["event"] for line in lines_of(ran.stderr)]
    assert sorted(events) == ["after", "before", "in the child"]


def test_warnings_and_errors_that_nobody_handles_are_lines_too() -> None:
    """Of a thread, of a destructor, and the one that ends the process."""
    script = (
        f"import threading, warnings\n{SET_UP}"
        "warnings.warn('old')\n"
        "class Bad:\n    def __del__(self): raise ValueError('in a destructor')\n"
        "Bad()\n"
        "def fails(): raise KeyError('in a thread')\n"
        "thread = threading.Thread(target=fails, name='mine'); thread.start(); thread.join()\n"
        "raise RuntimeError('last')\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)  # noqa: PLW1510 - it fails
    warned, ignored, threaded, ended = lines_of(ran.stderr)
    assert ran.returncode == 1
    assert (warned["event"], warned["warning"], warned["category"]) == (
        "Python warns",
        "old",
        "UserWarning",
    )
    assert "in a destructor" in ignored["exception"]
    assert threaded["thread_name"] == "mine"
    assert "in a thread" in threaded["exception"]
    assert ended["level"] == "critical"
    assert "RuntimeError: last" in ended["exception"]


def test_a_terminal_gets_lines_for_people_and_a_pipe_json(tmp_path: object) -> None:
    """Unless it is said which."""
    script = (
        "import logging, sys\nfrom itemstore.logs.set_up import set_up\n"
        "set_up(sys.argv[1], 'info')\n"
        "logging.getLogger('itemstore.x').info('It happened')\n"
    )
    leader, terminal = os.openpty()
    for form, where, is_json in [
        ("auto", subprocess.PIPE, True),
        ("console", subprocess.PIPE, False),
        ("auto", terminal, False),
        ("json", terminal, True),
    ]:
        ran = subprocess.run(
            [sys.executable, "-c", script, form], stderr=where, check=True, timeout=60
        )
        said = ran.stderr if where == subprocess.PIPE else os.read(leader, 4096)
        assert said.startswith(b"{") is is_json
        if is_json:
            assert json.loads(said)["event"] == "It happened"
    os.close(terminal)
    os.close(leader)


class SlowlyTaken(SimpleQueue[bytes | threading.Event]):
    """Whoever takes something from it is held up before it can do anything with it."""

    def get(self, *how: Any, **named: Any) -> bytes | threading.Event:
        """As ever, but later."""
        taken = super().get(*how, **named)
        time.sleep(0.1)
        return taken


def test_a_line_that_was_flushed_is_written_wherever_the_writing_thread_was() -> None:
    """Also one that was just taken, as the last line of a command is."""
    written: list[bytes] = []
    output = Output(written.append)
    output._lines = SlowlyTaken()
    output.put("A command has begun")
    time.sleep(0.3)
    output.put("A command has ended")
    time.sleep(0.02)
    output.flush()
    assert written == [b"A command has begun\n", b"A command has ended\n"]
