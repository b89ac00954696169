"""stdout and stderr: data is UTF-8 whatever the locale, and what can't be written is said."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from itemstore.logs.terminal_text import escaped
from tests.cli.test_log_commands import COMMAND, as_lines

ITEM = "Größe 😀"
BODY = {"name": "é\u2028", "colour": "\x1b[31m\u202e\x9b"}

LOCALES = {
    "ASCII": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "Latin-1 streams": {"PYTHONIOENCODING": "latin-1"},
    "ASCII streams": {"PYTHONIOENCODING": "ascii:strict"},
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one event whose id and body have signs of all kinds, and a token."""
    directory = tmp_path_factory.mktemp("store") / "data"
    line = as_lines({"type": "ItemCreated", "subject": ITEM, "data": BODY}).encode()
    assert run(directory, "import", stdin=line).returncode == 0
    return directory


def run(
    data: Path,
    *words: str | bytes,
    stdin: bytes = b"",
    environment: Mapping[str, str] = MappingProxyType({}),
) -> subprocess.CompletedProcess[bytes]:
    """Runs the command, in bytes."""
    return subprocess.run(
        [*COMMAND, *words],
        input=stdin,
        capture_output=True,
        check=False,
        timeout=60,
        env=os.environ | {"ITEMSTORE_DATA_DIR": str(data)} | dict(environment),
    )


@pytest.mark.parametrize("locale", LOCALES)
def test_data_is_utf_8_whatever_the_locale(data: Path, locale: str) -> None:
    """An export is the same bytes everywhere, and so is what is redirected for people."""
    exported = run(data, "export", environment=LOCALES[locale])
    [event] = [json.loads(line) for line in exported.stdout.splitlines()]
    assert (exported.returncode, event["subject"], event["data"]) == (0, ITEM, BODY)
    shown = run(data, "tail", environment=LOCALES[locale])
    assert (shown.returncode, ITEM in shown.stdout.decode()) == (0, True)


@pytest.mark.parametrize("locale", LOCALES)
def test_an_id_on_the_command_line_is_what_was_typed(data: Path, locale: str) -> None:
    """The bytes of a UTF-8 terminal, whatever Python makes of them under this locale."""
    found = run(data, "history", ITEM.encode(), "--json", environment=LOCALES[locale])
    assert (found.returncode, found.stderr) == (0, b"")
    assert json.loads(found.stdout)["subject"] == ITEM


def test_an_id_that_is_no_utf_8_is_refused_with_a_sentence(data: Path) -> None:
    """Such an item can't exist."""
    refused = run(data, "history", b"Gr\xf6\xdfe")
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert refused.stderr.startswith(b"itemstore: An item's id is UTF-8")
    assert len(refused.stderr.splitlines()) == 1
    for words in (("tail", "--namespace", b"\xf6"), ("token", "create", b"\xf6")):
        refused = run(data, *words)
        assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)


@pytest.mark.parametrize("verb", ["tail", "history"])
def test_what_a_terminal_obeys_or_hides_is_shown_as_an_escape(data: Path, verb: str) -> None:
    """For people; JSON with such escapes is the same JSON, and --json changes nothing."""
    words = [verb, *([ITEM] if verb == "history" else [])]
    line = run(data, *words).stdout.decode()
    assert json.loads(line.partition(" v1 ")[2]) == BODY
    assert line.rstrip("\n").isprintable()
    assert json.loads(run(data, *words, "--json").stdout)["data"] == BODY


def test_what_belongs_to_words_and_emoji_is_not_escaped() -> None:
    """Persian has a joiner inside words, and a family is four people joined."""
    for text in ("می\u200cخواهم", "👨\u200d👩\u200d👧", "naïve", "a\\b"):
        assert escaped(text) == text
    unseen = "\x00\x1b\x7f\x85\u061c\u200e\u200f\u202a\u2028\u2029\u2066\u2069\ufeff\U000e0041"
    assert json.loads(f'"{escaped(unseen)}"') == unseen
    assert escaped(unseen).isascii()


def test_a_terminal_that_can_t_show_a_sign_gets_an_escape(data: Path) -> None:
    """And no traceback."""
    ours, theirs = pty.openpty()
    ended = subprocess.run(
        [*COMMAND, "tail"],
        stdout=theirs,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
        env=os.environ | {"ITEMSTORE_DATA_DIR": str(data), "PYTHONIOENCODING": "ascii"},
    )
    os.close(theirs)
    shown = os.read(ours, 10_000)
    os.close(ours)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert rb"Gr\xf6\xdfe \U0001f600 v1" in shown


@pytest.mark.parametrize("words", ["export", "history A", "info", "--version"])
def test_an_output_that_can_t_be_written_is_said(data: Path, words: str) -> None:
    """A full disk, in one sentence; the exit code is that of a failure."""
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [*COMMAND, *words.replace("A", ITEM).split(" ", 1)],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
            env=os.environ | {"ITEMSTORE_DATA_DIR": str(data)},
        )
    assert ended.returncode == 1
    assert ended.stderr == b"itemstore: The output can't be written: No space left on device.\n"


def test_a_token_that_nobody_has_seen_is_named(data: Path) -> None:
    """It is there, and its secret is not."""
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [*COMMAND, "token", "create", "unseen", "--data-dir", str(data)],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert (ended.returncode, b"revoke unseen" in ended.stderr) == (1, True)
    assert run(data, "token", "revoke", "unseen", "--open-store").returncode == 0


@pytest.mark.parametrize(
    ("closed", "code", "stdout", "stderr"),
    [
        (">&-", 1, b"", b"itemstore: The output can't be written: Bad file descriptor.\n"),
        ("2>&-", 0, ITEM.encode(), b""),
        ("<&-", 0, ITEM.encode(), b"1 event exported\n"),
    ],
)
def test_a_stream_that_is_closed_mixes_nothing_up(
    data: Path, closed: str, code: int, stdout: bytes, stderr: bytes
) -> None:
    """Messages never go where data goes."""
    ended = subprocess.run(
        ["sh", "-c", f'"$@" {closed}', "sh", *COMMAND, "export"],
        capture_output=True,
        check=False,
        timeout=60,
        env=os.environ | {"ITEMSTORE_DATA_DIR": str(data)},
    )
    assert (ended.returncode, ended.stderr) == (code, stderr)
    assert stdout in ended.stdout
    assert len(ended.stdout.splitlines()) == (1 if stdout else 0)
