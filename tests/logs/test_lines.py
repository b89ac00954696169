"""A line of the log: one line, whatever the values hold; JSON, or harmless to a terminal."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from typing import Any

import pytest

from itemstore.logs.console_lines import ConsoleLines
from itemstore.logs.current_request import current_request
from itemstore.logs.lines import JsonLines
from tests.logged import lines_of

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")

HOSTILE = [
    "a\nb", "a\r\n2026-01-01T00:00:00.000Z [error] forged", "\x1b[2J\x1b]0;title\x07", "\x00\x7f",
    "\u202etxt.exe", "\u2028\u2029\x85", "\ud800", '"}{', "%s %d {x}", "\x9b31m",
]  # fmt: skip
"""What a client may send, so that somebody who reads the log sees something else."""


class Unshowable:
    """A value whose text can't be had."""

    def __str__(self) -> str:
        raise ValueError

    __repr__ = __str__


def record_of(event: str = "It happened", error: Any = None, **fields: Any) -> Any:
    """A record, as logging makes it."""
    exc_info = None if error is None else (type(error), error, error.__traceback__)
    return logging.getLogger("itemstore.somewhere").makeRecord(
        *("itemstore.somewhere", logging.WARNING, __file__, 1, event, (), exc_info), extra=fields
    )


def as_json(record: logging.LogRecord) -> dict[str, Any]:
    """The line, read again."""
    [line] = lines_of(JsonLines().format(record))
    return line


def test_a_line_has_a_time_a_level_a_logger_an_event_a_process_and_its_fields() -> None:
    """In this order, which people read as well."""
    line = as_json(record_of(item="a", count=3, ratio=0.5, is_it=True, none=None))
    assert TIME.fullmatch(line.pop("time"))
    assert isinstance(line.pop("pid"), int)
    assert list(line.items()) == [
        ("level", "warning"),
        ("event", "It happened"),
        ("logger", "itemstore.somewhere"),
        ("item", "a"),
        ("count", 3),
        ("ratio", 0.5),
        ("is_it", True),
        ("none", None),
    ]


def test_a_line_has_the_id_of_the_request_at_hand() -> None:
    """And none where there is no request."""
    assert "request_id" not in as_json(record_of())
    before = current_request.set(b"mine")
    try:
        assert as_json(record_of())["request_id"] == "mine"
    finally:
        current_request.reset(before)


@pytest.mark.parametrize("value", HOSTILE)
def test_no_text_breaks_a_line_of_json(value: str) -> None:
    """It comes back as it was, whether it is a value, a name or the event."""
    text = JsonLines().format(record_of(value, value=value, **{f"x{value}": 1}))
    assert text.isascii()
    assert text.isprintable()
    line = json.loads(text)
    assert (line["event"], line["value"], line[f"x{value}"]) == (value, value, 1)


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), {1: {2}}, [b"\xff"], b"\xff\x00", Unshowable(), object(),
     {"a": [Unshowable()]}, {(1, 2): 3}, 10**400],
)  # fmt: skip
def test_no_value_at_all_breaks_it(value: Any) -> None:
    """Numbers that JSON does not have, bytes, sets, and what can't even be shown."""
    assert "value" in as_json(record_of(value=value))


def test_a_value_in_a_circle_is_text() -> None:
    """JSON has no circles."""
    circle: list[Any] = []
    circle.append(circle)
    assert isinstance(as_json(record_of(value=circle))["value"], str)


def failing(text: str) -> BaseException:
    """An error that another one led to, with this text in both."""
    try:
        try:
            int(text)
        except ValueError as cause:
            raise LookupError(text) from cause
    except LookupError as error:
        return error
    return AssertionError()


@pytest.mark.parametrize("value", HOSTILE)
def test_a_traceback_is_one_field_of_json(value: str) -> None:
    """All of it, with what led to it."""
    line = as_json(record_of(error=failing(value)))
    assert "Traceback" in line["exception"]
    assert "LookupError: " + value in line["exception"]
    assert "ValueError" in line["exception"]


@pytest.mark.parametrize("in_colour", [True, False])
@pytest.mark.parametrize("value", HOSTILE)
def test_nothing_a_client_sent_breaks_a_line_for_people(value: str, *, in_colour: bool) -> None:
    """No line, no colour, no other direction: what is not seen is written out."""
    usual = ConsoleLines(in_colour=in_colour).format(record_of("x", value="x"))
    text = ConsoleLines(in_colour=in_colour).format(record_of(value, value=value))
    assert "\n" not in text
    colours = set(re.findall(r"\x1b\[[0-9;]*m", usual))
    for colour in colours:
        text = text.replace(colour, "")
    assert re.sub(r"[^\x00-\x1f\x7f-\x9f\u2028-\u202e\ud800]", "", text) == ""


def test_a_message_with_lines_in_it_is_one_line_of_a_traceback_for_people() -> None:
    """Nobody can write a line that looks like one of the log."""
    plain = ConsoleLines(in_colour=False)
    forged = "\n2026-01-01T00:00:00.000Z [error] forged\x1b[2J"
    text = plain.format(record_of(error=failing(forged)))
    assert not [line for line in text.split("\n")[1:] if line.startswith("2026")]
    assert "\x1b" not in text
    assert len(text.split("\n")) == len(plain.format(record_of(error=failing("x"))).split("\n"))
    assert r"LookupError: \n2026" in text


def test_errors_in_a_group_are_shown_to_people() -> None:
    """Each with its own lines."""
    group = ExceptionGroup("both", [ValueError("first"), KeyError("second")])
    text = ConsoleLines(in_colour=False).format(record_of(error=group))
    assert "first" in text
    assert "second" in text


def test_lines_of_others_have_the_same_form() -> None:
    """With their arguments filled in, and without what is for their own colours."""
    record = logging.getLogger("uvicorn.error").makeRecord(
        *("uvicorn.error", logging.INFO, __file__, 1, "Started [%d]", (7,), None),
        extra={"color_message": "Started [\x1b[36m%d\x1b[0m]"},
    )
    line = as_json(record)
    assert (line["event"], line["logger"]) == ("Started [7]", "uvicorn.error")
    assert "color_message" not in line


def test_an_event_with_nothing_to_fill_in_stands_as_it_is() -> None:
    """A percent sign is one; beside it is the request that is being answered."""
    before = current_request.set(b"mine")
    try:
        line = as_json(record_of("It is 5 %"))
    finally:
        current_request.reset(before)
    assert (line["event"], line["request_id"]) == ("It is 5 %", "mine")


def test_a_process_that_is_not_at_a_terminal_spares_what_draws_there() -> None:
    """Each of the processes of a store would pay for it."""
    code = (
        "import sys, itemstore.cli.main, itemstore.cli.serving;"
        "print({'rich', 'structlog'} & sys.modules.keys())"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "set()\n"


def test_locals_are_in_no_traceback() -> None:
    """A secret may be among them."""
    secret = "opens-everything"  # noqa: S105 - of this test

    def fails() -> None:
        held = secret
        raise ValueError(len(held))

    with pytest.raises(ValueError, match="16") as raised:
        fails()
    for form in (JsonLines(), ConsoleLines(in_colour=False)):
        assert secret not in form.format(record_of(error=raised.value))
