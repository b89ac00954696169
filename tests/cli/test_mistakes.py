"""Every verb, and what an operator gets wrong most: a line on stderr, and never a traceback."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess

from redis import Redis as BlockingRedis

from tests.cli.forked import command
from tests.cli.test_help import VERBS
from tests.conftest import Start

ARGUMENTS = {
    "history": ["foo"],
    "import": ["-"],
    "restore": ["--from", "nowhere"],
    "serve": ["--port", "0"],
    "token create": ["ann"],
    "token revoke": ["ann"],
    "projection dead-letters": ["prices"],
    "projection retry": ["prices", "--all"],
    "projection drop": ["prices", "--all"],
    "projection resume": ["prices"],
}
"""What a verb has to be told."""


def each_verb(
    tmp_path: Path, *options: str, verbs: Collection[str] = VERBS, **environment: str
) -> dict[str, CompletedProcess[str]]:
    """What comes of every verb with these options, in a directory with nothing in it."""
    there = {name: value for name, value in os.environ.items() if "ITEMSTORE" not in name}

    def run(verb: str) -> CompletedProcess[str]:
        words = [*verb.split(), *ARGUMENTS.get(verb, []), *options]
        return command(words, there | environment, here=tmp_path)

    with ThreadPoolExecutor(4) as several:
        return dict(zip(verbs, several.map(run, verbs), strict=True))


def check(ended: dict[str, CompletedProcess[str]], says: str, *, code: int = 1) -> None:
    """Each has ended with a line that says it, and with nothing on stdout."""
    for verb, each in ended.items():
        assert (verb, each.returncode, each.stdout) == (verb, code, "")
        [line] = each.stderr.splitlines()
        assert line.startswith("itemstore: "), (verb, line)
        assert says in line, (verb, line)
        assert "Traceback" not in line
        assert "sesame" not in line


@contextmanager
def answering(reply: bytes) -> Iterator[str]:
    """The URL of a server that says the same to everybody."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    client.recv(1000)
                    client.sendall(reply)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def test_no_verb_takes_a_setting_that_is_wrong(tmp_path: Path) -> None:
    """By option, by variable, in a file: with exit code 2, before anything is opened."""
    check(each_verb(tmp_path, "--namespace", "a b"), "--namespace takes 1 to 64", code=2)
    check(each_verb(tmp_path, ITEMSTORE_REDIS_URL="ftp://ann:sesame@h"), "_URL: This", code=2)
    (tmp_path / ".env").write_text("ITEMSTORE_WORKERS=some\n")
    check(each_verb(tmp_path), "ITEMSTORE_WORKERS in .env takes", code=2)
    assert [file.name for file in tmp_path.iterdir()] == [".env"]


def test_an_engine_that_is_away_is_a_line_of_every_verb(tmp_path: Path) -> None:
    """Its address and what the system said."""
    check(each_verb(tmp_path, "--redis-url", "redis://ann:sesame@127.0.0.1:1"), "127.0.0.1:1")
    check(each_verb(tmp_path, "--redis-url", "unix:///does/not/exist"), "/does/not/exist")


def test_what_is_no_engine_is_a_line_of_every_verb(tmp_path: Path) -> None:
    """The port of a web server, for one."""
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as url:
        check(each_verb(tmp_path, "--redis-url", url), "is no Redis or Valkey")


def test_a_password_that_is_wrong_or_missing_is_a_line_of_every_verb(
    start: Start, tmp_path: Path
) -> None:
    """Which of the two it is, and how a URL has one."""
    server = start("valkey")
    with BlockingRedis.from_url(server.url) as client:
        client.config_set("requirepass", "open")
    check(each_verb(tmp_path, "--redis-url", server.url), "wants a password, and its URL has none")
    wrong = server.url.replace("://", "://ann:sesame@")
    check(each_verb(tmp_path, "--redis-url", wrong), "does not take the user and the password")


def test_a_directory_that_is_none_is_a_line_of_every_verb(tmp_path: Path) -> None:
    """A file has that name; it stays."""
    (tmp_path / "file").write_text("kept")
    check(each_verb(tmp_path, "--data-dir", "file"), "file")
    assert (tmp_path / "file").read_text() == "kept"


def test_an_engine_of_another_program_is_a_line_of_every_verb_that_reads_it(
    start: Start, tmp_path: Path
) -> None:
    """A key of the store that is no stream."""
    server = start("valkey")
    with BlockingRedis.from_url(server.url) as client:
        client.set("items:events", "mine")
    reading = ("tail", "export", "import", "verify", "rebuild")
    ended = each_verb(tmp_path, "--redis-url", server.url, verbs=reading)
    check(ended, "A key of the store holds something else")
