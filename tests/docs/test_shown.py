"""The comparison of pages with reality can tell the two apart."""

from __future__ import annotations

import pytest

from tests.docs.pages import Block, commands
from tests.docs.shown import Transcript

FIRST, SECOND, THIRD = "1795425451565-0", "1795425451586-0", "1800000000000-7"


@pytest.mark.parametrize(
    ("shown", "came"),
    [
        ("date: Mon, 23 Nov 2026 09:17:31 GMT", "date: Tue, 01 Jan 2030 00:00:00 GMT"),
        ('"time":"2026-11-23T09:17:31.565Z"', '"time":"2030-01-01T00:00:00.000Z"'),
        (f"event-id: {FIRST}", f"event-id: {THIRD}"),
        ("log-id: 5f0c1a9be27d4386", "log-id: 244c8a5092b3056a"),
        ("HTTP/1.1 200 OK\n…\n\n{}", "HTTP/1.1 200 OK\ndate: now\netag: 1\n\n{}"),
        ('{"id":1,…', '{"id":1,"more":2}'),
        ("", "\n"),
        (".\nOK", "Executing <Task pending name='Task-2' coro=<f()>> took 0.139 seconds\n.\nOK\n"),
    ],
)
def test_what_differs_from_day_to_day_is_no_difference(shown: str, came: str) -> None:
    """Dates, positions, and what the page leaves out."""
    assert Transcript().matches(shown, came)


@pytest.mark.parametrize(
    ("shown", "came"),
    [
        ("HTTP/1.1 200 OK", "HTTP/1.1 201 Created"),
        ('etag: "1"', 'etag: "2"'),
        (f"event-id: {FIRST}", "event-id: none"),
        ("{}", "{}\n{}"),
        ("", "something"),
        ('{"id":1,…', '{"id":1,\n"more":2}'),
        ("a.c", "abc"),
    ],
)
def test_anything_else_is_one(shown: str, came: str) -> None:
    """Other words, more of them, and fewer."""
    assert not Transcript().matches(shown, came)


def test_a_position_that_is_shown_twice_comes_twice() -> None:
    """The Event-Id of an answer is the id in the log, on the page as in reality."""
    transcript = Transcript()
    assert transcript.matches(f"event-id: {FIRST}", f"event-id: {SECOND}")
    assert not transcript.matches(f"id: {FIRST}", f"id: {THIRD}")
    assert transcript.matches(f"id: {FIRST}", f"id: {SECOND}")


def test_two_positions_do_not_come_as_one() -> None:
    """The page shows two events, so there are two."""
    assert not Transcript().matches(f"{FIRST} {SECOND}", f"{THIRD} {THIRD}")


def test_a_failed_comparison_remembers_nothing() -> None:
    """A command is looked at again and again until it shows what it should."""
    transcript = Transcript()
    assert not transcript.matches(f"{FIRST}\nend", SECOND)
    assert transcript.matches(f"{FIRST}\nend", f"{THIRD}\nend")


def test_a_console_block_is_commands_and_what_they_show() -> None:
    """A backslash goes on with the command."""
    block = Block("console", "$ one \\\n    more\nshown\n$ two\n", 10)
    assert [(each.text, each.shown, each.line) for each in commands(block)] == [
        ("one \\\n    more", "shown", 10),
        ("two", "", 13),
    ]


def test_other_blocks_are_not_typed() -> None:
    """Code of other languages is for reading."""
    assert list(commands(Block("js", "$ rm -rf /\n", 1))) == []
