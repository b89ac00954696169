"""What was logged, as a test asks for it: the event of each line with its fields."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from typing import Any

import pytest

_OF_EVERY_RECORD = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"message"}


def told(record: logging.LogRecord) -> dict[str, Any]:
    """The event of a record, and its fields."""
    fields = {
        name: value for name, value in record.__dict__.items() if name not in _OF_EVERY_RECORD
    }
    return {"event": record.getMessage(), **fields}


def all_told(caplog: pytest.LogCaptureFixture, **wanted: Any) -> list[dict[str, Any]]:
    """The same of all records that have these fields."""
    return having([told(record) for record in caplog.records], **wanted)


def having(lines: Iterable[dict[str, Any]], **wanted: Any) -> list[dict[str, Any]]:
    """Those lines that have these fields."""
    return [line for line in lines if wanted.items() <= line.items()]


def lines_of(text: str) -> list[dict[str, Any]]:
    """The lines of a log in JSON: each must be an object of its own."""
    return [json.loads(line) for line in text.splitlines()]
