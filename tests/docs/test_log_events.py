"""Every event that the code logs is in the table of the reference, and the other way round."""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Iterator
from pathlib import Path

from itemstore.api import access_log
from itemstore.engine import watcher_words
from itemstore.logs import output
from itemstore.logs.lines import line_of
from tests.conftest import ROOMS
from tests.docs.pages import ROOT
from tests.docs.test_reference import OPERATIONS, rows

LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}

OF_RECORDS = {
    *((event, "info") for event in access_log.EVENTS),
    *((event, "warning") for event in (*watcher_words.EVENTS, output.LEFT_OUT)),
}
"""What is logged by records that are made by hand, with their levels."""


def calls() -> Iterator[tuple[Path, ast.Call]]:
    """Every call of a logger in the code."""
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    of = node.func.value
                    is_logger = isinstance(of, ast.Name) and of.id == "logger"
                    if is_logger and node.func.attr in LEVELS:
                        yield path, node


def logged() -> set[tuple[str, str]]:
    """All events, with the level that each has."""
    found = set(OF_RECORDS)
    for path, call in calls():
        event, *values = call.args
        named = f"{path}:{call.lineno}"
        assert isinstance(event, ast.Constant), f"{named} has no event that never varies"
        assert isinstance(event.value, str), named
        assert not values, f"{named}: values are fields, in extra="
        assert isinstance(call.func, ast.Attribute)
        found.add((event.value, call.func.attr))
    return found


def documented() -> set[tuple[str, str]]:
    """Those of the table: several in a row have a level each, or one in common."""
    start = OPERATIONS.index("| event | level |")
    section = OPERATIONS[start : OPERATIONS.index("\n## ", start)]
    found = set()
    for events, levels, _ in rows(section)[1:]:
        names = re.findall(r"`([^`]+)`", events)
        each = levels.split(", ")
        if names:
            found |= set(zip(names, each * len(names) if len(each) == 1 else each, strict=True))
    return found


def test_every_event_is_in_the_table_with_its_level_and_no_other_is() -> None:
    """So what is searched for, and counted, is found."""
    assert documented() == logged()


def test_no_field_has_the_name_of_what_every_line_has() -> None:
    """It would stand in its place."""
    record = logging.makeLogRecord({})
    of_every_line = {*line_of(record), "request_id", "trace_id", "span_id", "exception"}
    for path, call in calls():
        for given in call.keywords:
            if given.arg == "extra" and isinstance(given.value, ast.Dict):
                names = {each.value for each in given.value.keys if isinstance(each, ast.Constant)}
                assert not names & of_every_line, f"{path}:{call.lineno}"
